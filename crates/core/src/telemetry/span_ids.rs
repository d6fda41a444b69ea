//! The request id and session id of a log line, taken from the spans around it.

use std::fmt::Debug;
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// The field of the request id: the `X-Request-Id` of the response.
pub(super) const REQUEST_ID: &str = "request_id";
/// The field of the session id: the id of the search.
pub(super) const SESSION_ID: &str = "session_id";

/// The ids of one span or event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SpanIds {
    pub(super) request: Option<String>,
    pub(super) session: Option<String>,
}

impl SpanIds {
    /// Merges the ids of `spans`, innermost first: the innermost span with an id wins.
    pub(super) fn merge(spans: impl Iterator<Item = Self>) -> Self {
        spans.fold(Self::default(), |known, outer| Self {
            request: known.request.or(outer.request),
            session: known.session.or(outer.session),
        })
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Visit for SpanIds {
    fn record_str(&mut self, field: &Field, value: &str) {
        let place = match field.name() {
            REQUEST_ID => &mut self.request,
            SESSION_ID => &mut self.session,
            _ => return,
        };
        *place = Some(value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if matches!(field.name(), REQUEST_ID | SESSION_ID) {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

/// Whether log lines need it: every event, and each span with an id. Other spans are only for
/// traces and cost nothing if these are off.
pub(super) fn is_needed_for_lines(metadata: &Metadata<'_>) -> bool {
    let knows = |name| metadata.fields().field(name).is_some();
    !metadata.is_span() || knows(REQUEST_ID) || knows(SESSION_ID)
}

/// Stores the ids of each span in its extensions.
pub(super) struct SpanIdLayer;

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for SpanIdLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut ids = SpanIds::default();
        attributes.record(&mut ids);
        if let Some(span) = context.span(id).filter(|_| !ids.is_empty()) {
            span.extensions_mut().replace(ids);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fresh = SpanIds::default();
        values.record(&mut fresh);
        if let Some(span) = context.span(id).filter(|_| !fresh.is_empty()) {
            let mut kept = span.extensions_mut();
            let known = kept.remove::<SpanIds>();
            kept.insert(SpanIds::merge([fresh].into_iter().chain(known)));
        }
    }
}
