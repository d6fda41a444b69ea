//! The question itself, searched for while a language model still plans: planning then costs the
//! first results no time.

use super::{
    cascade::{Attempt, Route},
    provider_query,
};
use crate::pipeline::{
    context::Context,
    deadline::Deadline,
    provider::ProviderQuery,
    question::{Plan, PlannedQuery},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, MaybeDone, maybe_done},
};
use privachat_core::schema::SearchRequest;
use std::pin::pin;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A search for the whole question that has begun before there is a plan.
pub struct Ahead<'a> {
    asking: MaybeDone<BoxFuture<'a, Vec<Attempt>>>,
    planned: PlannedQuery,
    query: ProviderQuery,
    /// Which query of the plan it answers.
    pub(super) at: usize,
    /// Whether that query need not be searched for again.
    pub(super) is_whole: bool,
    pub(super) hurry: CancellationToken,
    pub(super) since: Instant,
}

impl<'a> Ahead<'a> {
    /// Prepares the search for `planned` of `rules`; `None` when nothing can be asked. It runs
    /// while [`Self::beside`] does.
    #[must_use]
    pub fn new(
        context: &'a Context,
        rules: &Plan,
        planned: PlannedQuery,
        request: &SearchRequest,
        deadline: Deadline,
    ) -> Option<Self> {
        let route = Route::new(&context.providers, request.search_engine, &context.excluded)?;
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

    /// Runs `work` to its end, and the search beside it.
    pub async fn beside<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            output = &mut work => return output,
            () = &mut self.asking => {}
        }
        work.await
    }

    /// Takes its place in `plan`: as the query that asks the same, else as one more.
    pub fn enter(&mut self, plan: &mut Plan, request: &SearchRequest) {
        let wanted = key(&self.planned.sub_query.query);
        let same = plan
            .queries
            .iter()
            .position(|planned| key(&planned.sub_query.query) == wanted);
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
            // What the plan says of the question counts for all of it.
            planned.sub_query.intent = first.sub_query.intent;
        }
        plan.queries.push(planned);
    }

    /// What came of it.
    pub(super) async fn finish(mut self) -> Vec<Attempt> {
        (&mut self.asking).await;
        std::pin::Pin::new(&mut self.asking)
            .take_output()
            .unwrap_or_default()
    }
}

/// What two texts have in common that ask an engine for the same.
fn key(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '?' | '!' | '.' | '\u{bf}');
    text.trim_matches(is_end).to_lowercase()
}
