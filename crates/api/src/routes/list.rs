//! GET /api/v1/sessions: the history, newest first.

use super::query_parameters;
use crate::{
    access::Caller,
    openapi::{ListedBody, SessionsBody},
    problem::Problem,
    state::AppState,
};
use actix_web::{HttpRequest, HttpResponse, web};
use privachat_core::{
    history::{Cursor, Outcome, SessionFilter, SessionSummary},
    mode::Mode,
    schema::{time, validate::Fault},
};
use serde_json::json;

const DEFAULT_LIMIT: u16 = 20;
const MAX_LIMIT: u16 = 100;
/// Characters of the parameter `q`.
const MAX_QUERY_LENGTH: usize = 200;

/// Ended searches, newest first, including failed and cancelled ones. A search appears shortly
/// after its end. `next_before` leads to the next page; new searches do not shift pages.
#[utoipa::path(
    get, path = "/api/v1/sessions", operation_id = "sessions", tag = "sessions",
    params(
        ("limit" = Option<u16>, Query, description = "Sessions per page; 20 by default", minimum = 1, maximum = 100),
        ("before" = Option<String>, Query, description = "The `next_before` of the previous page, or an ISO 8601 time: searches submitted before it",
            pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\\.[0-9]{1,9})?\
                       (Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?(_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"),
        ("q" = Option<String>, Query, description = "Words that the question or the answer contains, all of them, in any order; three or more characters match the beginning of a word. Ignores case and accents", max_length = 200, pattern = "^[^\\x00]*$"),
        ("mode" = Option<Mode>, Query, description = "Only searches of this mode"),
        ("status" = Option<EndingName>, Query, description = "Only searches with this outcome; `failed` includes `cancelled`"),
        ("owner" = Option<String>, Query, pattern = "^[^\\x00]*$", description = "Only searches of the key with this name; no effect for a key that can view only its own"),
    ),
    responses(
        (status = 200, description = "A page", body = SessionsBody),
        (status = 422, description = "A parameter is invalid", body = crate::openapi::Faults),
        (status = 503, description = "The database does not answer", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn get(
    request: HttpRequest,
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let wanted = parse_filter(request.query_string()).map_err(Problem::Invalid)?;
    let wanted = restrict_to_caller(&caller, wanted);
    let page = state.history.page(&wanted).await?;
    Ok(HttpResponse::Ok().json(SessionsBody {
        sessions: page.sessions.into_iter().map(listed_body).collect(),
        next_before: page.next.map(|next| next.to_string()),
    }))
}

/// Restricts the filter to the caller's own searches, unless the caller may view all.
fn restrict_to_caller(caller: &Caller, wanted: SessionFilter) -> SessionFilter {
    if caller.can_view_all() {
        return wanted;
    }
    let owner = caller.key_name().unwrap_or_default().to_owned();
    SessionFilter {
        owner: Some(owner),
        ..wanted
    }
}

/// How a search ended.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) enum EndingName {
    Completed,
    Failed,
    Cancelled,
}

fn listed_body(session: SessionSummary) -> ListedBody {
    ListedBody {
        id: session.id,
        query: session.query,
        mode: session.mode,
        status: session.status,
        error_code: session.error_code,
        created_at: time::format(&session.created_at),
        completed_at: time::format(&session.completed_at),
        answer_excerpt: session.excerpt,
        source_count: session.source_count,
    }
}

/// Parses all parameters, or returns all their errors. Ignores unknown and empty parameters; the
/// last of a repeated one counts.
fn parse_filter(query: &str) -> Result<SessionFilter, Vec<Fault>> {
    let pairs = query_parameters(query);
    let mut wanted = SessionFilter {
        limit: DEFAULT_LIMIT,
        ..SessionFilter::default()
    };
    let mut faults = Vec::new();
    for name in ["limit", "before", "q", "owner", "mode", "status"] {
        let last = pairs.iter().rev().find(|(given, _)| given == name);
        let Some((_, text)) = last.filter(|(_, text)| !text.trim().is_empty()) else {
            continue;
        };
        let text = text.trim();
        let read = match name {
            "limit" => parse_limit(text).map(|limit| wanted.limit = limit),
            "before" => parse_before(text).map(|place| wanted.before = Some(place)),
            "owner" => {
                wanted.owner = Some(text.to_owned());
                Ok(())
            }
            "q" => parse_text(text).map(|text| wanted.text = Some(text)),
            "mode" => parse_choice(name, text, &Mode::ALL, Mode::as_str)
                .map(|mode| wanted.mode = Some(mode)),
            _ => parse_choice(name, text, &Outcome::ALL, Outcome::as_str)
                .map(|ending| wanted.outcome = Some(ending)),
        };
        faults.extend(read.err());
    }
    if faults.is_empty() {
        return Ok(wanted);
    }
    Err(faults)
}

fn parameter_error(name: &str, kind: &str, msg: String, text: &str) -> Fault {
    Fault::new(&["query", name], kind, msg, text.into())
}

fn parse_limit(text: &str) -> Result<u16, Fault> {
    let Ok(number) = text.parse::<i64>() else {
        let msg = "Input should be a valid integer, unable to parse string as an integer";
        return Err(parameter_error(
            "limit",
            "int_parsing",
            msg.to_owned(),
            text,
        ));
    };
    if number < 1 {
        let msg = "Input should be greater than or equal to 1".to_owned();
        return Err(parameter_error("limit", "greater_than_equal", msg, text)
            .with_context(json!({ "ge": 1 })));
    }
    u16::try_from(number)
        .ok()
        .filter(|number| *number <= MAX_LIMIT)
        .ok_or_else(|| {
            let msg = format!("Input should be less than or equal to {MAX_LIMIT}");
            parameter_error("limit", "less_than_equal", msg, text)
                .with_context(json!({ "le": MAX_LIMIT }))
        })
}

fn parse_before(text: &str) -> Result<Cursor, Fault> {
    // An unescaped `+` arrives as a space; a valid time has none.
    text.replace(' ', "+").parse().map_err(|_no_place| {
        let msg = "Input should be the next_before of a page, or an ISO 8601 time".to_owned();
        parameter_error("before", "datetime_parsing", msg, text)
    })
}

fn parse_text(text: &str) -> Result<String, Fault> {
    if text.chars().count() <= MAX_QUERY_LENGTH {
        return Ok(text.to_owned());
    }
    let msg = format!("String should have at most {MAX_QUERY_LENGTH} characters");
    Err(parameter_error("q", "string_too_long", msg, text)
        .with_context(json!({ "max_length": MAX_QUERY_LENGTH })))
}

fn parse_choice<T: Copy>(
    name: &str,
    text: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<T, Fault> {
    if let Some(choice) = all.iter().find(|choice| as_str(**choice) == text) {
        return Ok(*choice);
    }
    let quoted: Vec<String> = all
        .iter()
        .map(|each| format!("'{}'", as_str(*each)))
        .collect();
    let expected = match quoted.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    };
    let msg = format!("Input should be {expected}");
    Err(parameter_error(name, "enum", msg, text).with_context(json!({ "expected": expected })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_reported_at_once_with_the_valid_values() {
        let faults =
            parse_filter("limit=0&before=yesterday&mode=slow&status=pending&other=1").unwrap_err();
        let told: Vec<(&str, &str)> = faults
            .iter()
            .map(|fault| (fault.kind.as_str(), fault.msg.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "greater_than_equal",
                    "Input should be greater than or equal to 1"
                ),
                (
                    "datetime_parsing",
                    "Input should be the next_before of a page, or an ISO 8601 time"
                ),
                ("enum", "Input should be 'speed', 'balanced' or 'deep'"),
                (
                    "enum",
                    "Input should be 'completed', 'failed' or 'cancelled'"
                ),
            ]
        );
        assert_eq!(
            parse_filter("limit=101").unwrap_err()[0].kind,
            "less_than_equal"
        );
        assert_eq!(
            parse_filter("limit=1e2").unwrap_err()[0].kind,
            "int_parsing"
        );
        let long = parse_filter(&format!("q={}", "é".repeat(201))).unwrap_err();
        assert_eq!(long[0].kind, "string_too_long");
    }

    #[test]
    fn empty_parameters_are_ignored_and_a_time_may_have_an_offset() {
        let empty = parse_filter("q=&mode=&before=%20&limit=").unwrap();
        assert_eq!(
            (empty.limit, empty.mode, empty.text),
            (DEFAULT_LIMIT, None, None)
        );
        let read = parse_filter("limit=7&limit=5&before=2026-11-23T15:00:00+01:00&q=a+b").unwrap();
        assert_eq!(
            read.before.unwrap().to_string(),
            "2026-11-23T14:00:00.000000Z"
        );
        assert_eq!((read.limit, read.text.as_deref()), (5, Some("a b")));
    }
}
