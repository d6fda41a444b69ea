//! The handlers, one file for each group of routes.

pub(crate) mod control;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod list;
pub(crate) mod queue;
pub(crate) mod root;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod socket;
pub(crate) mod status;

use crate::{problem::Problem, request_log};
use actix_web::web;
use privachat_core::schema::validate::Fault;
use uuid::Uuid;

/// The parameters of a query string in their order; empty when it cannot be parsed.
fn query_parameters(query: &str) -> Vec<(String, String)> {
    web::Query::<Vec<(String, String)>>::from_query(query)
        .map(web::Query::into_inner)
        .unwrap_or_default()
}

/// The session id in a path, in any UUID format; adds it to the log lines of the request.
fn parse_session_id(parameter: &str, text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text)
        .inspect(|id| request_log::set_session_id(*id))
        .map_err(|error| Problem::Invalid(vec![Fault::invalid_uuid(parameter, text, &error)]))
}
