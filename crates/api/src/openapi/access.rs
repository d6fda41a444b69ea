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
const KEY: &str = "A key of API_KEYS or API_ADMIN_KEYS. Without API_KEYS, searches need no key; without both, \
                   nothing needs a key";
const METRICS: &str = "/metrics";
const QUEUE: &str = "/api/v1/queue";
const UNAUTHORIZED: &str = "A key is required; the request has no known one";
const FORBIDDEN: &str = "The key is not in API_ADMIN_KEYS";
const STRANGER: &str = "The Host header is not an allowed name, or a page of a foreign origin tries to change data \
                        or to open a WebSocket";
const NUL: &str = "A parameter has a NUL character";
const RATE_LIMITED: &str = "Too many requests of this key or address";
const RETRY_AFTER: &str = "Seconds until the client may retry";

/// Modifies all operations; those with a public path get no security scheme.
pub(super) struct Access;

impl Modify for Access {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(KEY.to_owned());
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
        let header = ApiKeyValue::with_description("X-API-Key", KEY);
        components.add_security_scheme(API_KEY, SecurityScheme::ApiKey(ApiKey::Header(header)));
        for (path, item) in &mut document.paths.paths {
            operations(item).for_each(meet_all);
            if !access::is_open(path) {
                operations(item).for_each(|operation| close(operation, is_for_operators(path)));
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
fn meet_all(operation: &mut Operation) {
    refuse(operation, "403", refusal(STRANGER));
    let responses = &mut operation.responses.responses;
    let faults = || answer(NUL, "Faults").into();
    responses.entry("422".to_owned()).or_insert_with(faults);
}

fn is_for_operators(path: &str) -> bool {
    path == METRICS || path.starts_with(QUEUE)
}

fn close(operation: &mut Operation, for_operators: bool) {
    let by = |scheme: &str| SecurityRequirement::new(scheme, Vec::<String>::new());
    // The empty one: the operator decides whether a key is required.
    operation.security = Some(vec![
        by(BEARER),
        by(API_KEY),
        SecurityRequirement::default(),
    ]);
    refuse(operation, "401", refusal(UNAUTHORIZED));
    if for_operators {
        refuse(operation, "403", refusal(FORBIDDEN));
    }
    let mut limited = refusal(RATE_LIMITED);
    limited.headers.insert("Retry-After".to_owned(), seconds());
    refuse(operation, "429", limited);
}

/// Adds a response; its description follows that of the operation for the same status.
fn refuse(operation: &mut Operation, status: &str, mut refusal: Response) {
    let responses = &mut operation.responses.responses;
    if let Some(RefOr::T(own)) = responses.remove(status) {
        refusal.description = format!("{}. {}", own.description, refusal.description);
    }
    responses.insert(status.to_owned(), refusal.into());
}

fn refusal(reason: &str) -> Response {
    answer(reason, "Refusal")
}

fn answer(reason: &str, schema: &str) -> Response {
    let body = Content::new(Some(Ref::from_schema_name(schema)));
    let mut response = Response::new(reason);
    response
        .content
        .insert("application/json".to_owned(), body.into());
    response
}

fn seconds() -> RefOr<Header> {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::Integer));
    header.description = Some(RETRY_AFTER.to_owned());
    header.into()
}
