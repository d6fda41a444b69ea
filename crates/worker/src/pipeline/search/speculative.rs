//! Speculative search: searches for the question itself while a language model plans, so that
//! planning does not delay the first results.

use super::{
    provider_query,
    route::{ProviderCall, ProviderRoute},
};
use crate::pipeline::{
    context::Context,
    deadline::Deadline,
    plan_types::{Plan, PlannedQuery},
    provider::ProviderQuery,
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, MaybeDone, maybe_done},
};
use privachat_core::schema::SearchRequest;
use std::pin::pin;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A search for the whole question that starts before there is a plan.
pub struct SpeculativeSearch<'a> {
    asking: MaybeDone<BoxFuture<'a, Vec<ProviderCall>>>,
    planned: PlannedQuery,
    query: ProviderQuery,
    /// The index in the plan of the query that it answers.
    pub(super) at: usize,
    /// Whether that query need not be sent again.
    pub(super) is_whole: bool,
    pub(super) hurry: CancellationToken,
    pub(super) since: Instant,
}

impl<'a> SpeculativeSearch<'a> {
    /// Prepares the search for `planned` of the plan `rules`; `None` if no provider is configured.
    /// The search runs inside [`Self::beside`].
    #[must_use]
    pub fn new(
        context: &'a Context,
        rules: &Plan,
        planned: PlannedQuery,
        request: &SearchRequest,
        deadline: Deadline,
    ) -> Option<Self> {
        let route = ProviderRoute::new(
            &context.providers,
            request.search_engine,
            &context.excluded_domains,
        )?;
        let query = provider_query(rules, &planned, request);
        let hurry = CancellationToken::new();
        let asking = {
            let (query, hurry) = (query.clone(), hurry.clone());
            async move { route.ask(&query, deadline, &hurry).await }
        };
        Some(Self {
            asking: maybe_done(asking.boxed()),
            planned,
            query,
            at: 0,
            is_whole: false,
            hurry,
            since: Instant::now(),
        })
    }

    /// Runs `work` to its end, and the search concurrently until then.
    pub async fn beside<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            output = &mut work => return output,
            () = &mut self.asking => {}
        }
        work.await
    }

    /// Matches the search with the query of `plan` that has the same text, or adds its query to
    /// `plan`.
    pub fn enter(&mut self, plan: &mut Plan, request: &SearchRequest) {
        let wanted = normalized_text(&self.planned.sub_query.query);
        let same = plan
            .queries
            .iter()
            .position(|planned| normalized_text(&planned.sub_query.query) == wanted);
        if let Some((at, planned)) = same.and_then(|at| Some((at, plan.queries.get(at)?))) {
            let query = provider_query(plan, planned, request);
            self.at = at;
            self.is_whole =
                (query.time_range, query.year) == (self.query.time_range, self.query.year);
            return;
        }
        self.at = plan.queries.len();
        self.is_whole = true;
        let mut planned = self.planned.clone();
        let priority = u8::try_from(self.at + 1).unwrap_or(u8::MAX);
        planned.sub_query.priority = priority;
        if let Some(first) = plan.queries.first() {
            // The intent that the plan found holds for the whole question.
            planned.sub_query.intent = first.sub_query.intent;
        }
        plan.queries.push(planned);
    }

    /// Waits for the search to end.
    pub(super) async fn finish(mut self) -> Vec<ProviderCall> {
        (&mut self.asking).await;
        std::pin::Pin::new(&mut self.asking)
            .take_output()
            .unwrap_or_default()
    }
}

/// Equal for texts that mean the same query to an engine.
fn normalized_text(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '?' | '!' | '.' | '\u{bf}');
    text.trim_matches(is_end).to_lowercase()
}
