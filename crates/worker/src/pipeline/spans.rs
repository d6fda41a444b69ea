//! Tracing spans: one per stage, the parent of the spans of its upstream calls.

use privachat_core::schema::Stage;
use tracing::Span;

pub(super) fn stage_span(stage: Stage) -> Span {
    let name = match stage {
        Stage::Plan => "plan",
        Stage::Search => "search",
        Stage::Read => "read",
        Stage::Rank => "rank",
        Stage::Answer => "answer",
        Stage::Check => "check",
    };
    tracing::info_span!("stage", otel.kind = "internal", otel.name = name)
}
