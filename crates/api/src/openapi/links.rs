//! OpenAPI links: the session id in one response is the parameter of other operations.

use super::middleware_responses::operations;
use utoipa::{
    Modify,
    openapi::{OpenApi, RefOr, link::Link, path::Operation},
};

const SESSION_ID: &str = "session_id";

/// Operations whose response has a session id, and where it is in the body.
const ID_SOURCES: [(&str, &str); 5] = [
    ("search", "$response.body#/session_id"),
    ("search_perplexity", "$response.body#/session_id"),
    ("retry", "$response.body#/session_id"),
    ("status", "$response.body#/session_id"),
    ("sessions", "$response.body#/sessions/0/id"),
];

/// Links each of the [`ID_SOURCES`] to all operations that take a session id.
pub(super) struct SessionLinks;

impl Modify for SessionLinks {
    fn modify(&self, document: &mut OpenApi) {
        let items = &mut document.paths.paths;
        let targets: Vec<String> = items
            .iter_mut()
            .filter(|(path, _)| path.contains("{session_id}"))
            .flat_map(|(_, item)| operations(item))
            .filter_map(|operation| operation.operation_id.clone())
            .collect();
        for operation in items.values_mut().flat_map(operations) {
            let id = operation.operation_id.as_deref();
            if let Some((_, place)) = ID_SOURCES.iter().find(|(source, _)| id == Some(*source)) {
                add_links(operation, place, &targets);
            }
        }
    }
}

fn add_links(operation: &mut Operation, place: &str, targets: &[String]) {
    let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") else {
        return;
    };
    for target in targets {
        let link = Link::builder()
            .operation_id(target.clone())
            .parameter(SESSION_ID, place)
            .build();
        answer.links.insert(target.clone(), RefOr::T(link));
    }
}
