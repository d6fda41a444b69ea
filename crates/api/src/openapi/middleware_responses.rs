//! Adds to each operation the failures of the middleware, and the security schemes where a key may
//! be required.

use crate::access;
use utoipa::{
    Modify,
    openapi::{
        Components, Content, OpenApi, PathItem, Ref, RefOr, Response,
        header::Header,
        path::Operation,
        schema::{ObjectBuilder, Type},
        security::{
            ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
        },
    },
};

const BEARER: &str = "bearer";
const API_KEY: &str = "api_key";
const KEY_DESCRIPTION: &str = "A key of API_KEYS or API_ADMIN_KEYS. Without API_KEYS, searches need no key; without both, \
                   nothing needs a key";
const METRICS_PATH: &str = "/metrics";
const QUEUE_PATH: &str = "/api/v1/queue";
const UNAUTHORIZED: &str = "A key is required; the request has no known one";
const FORBIDDEN: &str = "The key is not in API_ADMIN_KEYS";
const HOST_OR_ORIGIN_NOT_ALLOWED: &str = "The Host header is not an allowed name, or a page of a foreign origin tries to change data \
                        or to open a WebSocket";
const NUL_IN_PARAMETER: &str = "A parameter has a NUL character";
const RATE_LIMITED: &str = "Too many requests of this key or address";
const RETRY_AFTER_DESCRIPTION: &str = "Seconds until the client may retry";

/// Modifies all operations; those with a public path get no security scheme.
pub(super) struct MiddlewareResponses;

impl Modify for MiddlewareResponses {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(KEY_DESCRIPTION.to_owned());
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
        let header = ApiKeyValue::with_description("X-API-Key", KEY_DESCRIPTION);
        components.add_security_scheme(API_KEY, SecurityScheme::ApiKey(ApiKey::Header(header)));
        for (path, item) in &mut document.paths.paths {
            operations(item).for_each(add_common_responses);
            if !access::is_public_path(path) {
                operations(item)
                    .for_each(|operation| add_security(operation, is_for_operators(path)));
            }
        }
    }
}

/// The GET, POST and DELETE operations of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get, post, delete, ..
    } = item;
    [get, post, delete].into_iter().filter_map(Option::as_mut)
}

/// Adds the failures that do not depend on the path.
fn add_common_responses(operation: &mut Operation) {
    add_response(operation, "403", error_response(HOST_OR_ORIGIN_NOT_ALLOWED));
    let responses = &mut operation.responses.responses;
    let faults = || json_response(NUL_IN_PARAMETER, "Faults").into();
    responses.entry("422".to_owned()).or_insert_with(faults);
}

fn is_for_operators(path: &str) -> bool {
    path == METRICS_PATH || path.starts_with(QUEUE_PATH)
}

fn add_security(operation: &mut Operation, for_operators: bool) {
    let by = |scheme: &str| SecurityRequirement::new(scheme, Vec::<String>::new());
    // The empty one: the operator decides whether a key is required.
    operation.security = Some(vec![
        by(BEARER),
        by(API_KEY),
        SecurityRequirement::default(),
    ]);
    add_response(operation, "401", error_response(UNAUTHORIZED));
    if for_operators {
        add_response(operation, "403", error_response(FORBIDDEN));
    }
    let mut limited = error_response(RATE_LIMITED);
    limited
        .headers
        .insert("Retry-After".to_owned(), retry_after_header());
    add_response(operation, "429", limited);
}

/// Adds a response; its description follows that of the operation for the same status.
fn add_response(operation: &mut Operation, status: &str, mut refusal: Response) {
    let responses = &mut operation.responses.responses;
    if let Some(RefOr::T(own)) = responses.remove(status) {
        refusal.description = format!("{}. {}", own.description, refusal.description);
    }
    responses.insert(status.to_owned(), refusal.into());
}

fn error_response(reason: &str) -> Response {
    json_response(reason, "Refusal")
}

fn json_response(reason: &str, schema: &str) -> Response {
    let body = Content::new(Some(Ref::from_schema_name(schema)));
    let mut response = Response::new(reason);
    response
        .content
        .insert("application/json".to_owned(), body.into());
    response
}

fn retry_after_header() -> RefOr<Header> {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::Integer));
    header.description = Some(RETRY_AFTER_DESCRIPTION.to_owned());
    header.into()
}
