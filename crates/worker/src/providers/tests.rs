//! What the tests of all HTTP providers need.

use crate::pipeline::{Deadline, Hit, ProviderError, ProviderQuery};
use std::{collections::HashSet, time::Duration};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

pub(super) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

pub(super) fn question(text: &str) -> ProviderQuery {
    ProviderQuery {
        text: text.to_owned(),
        language: None,
        time_range: None,
        year: None,
        limit: 10,
    }
}

pub(super) fn body(status: u16, body: impl Into<Vec<u8>>, mime: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.into(), mime)
}

pub(super) fn json(text: impl Into<Vec<u8>>) -> ResponseTemplate {
    body(200, text, "application/json")
}

/// A server that answers every request with `answer`.
pub(super) async fn serve(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(matchers::any())
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

/// The value of the query parameter `name` in the only request that `server` got.
pub(super) async fn parameter(server: &MockServer, name: &str) -> Option<String> {
    let requests = server.received_requests().await.unwrap();
    let [request] = requests.as_slice() else {
        panic!("{} requests", requests.len());
    };
    let mut pairs = request.url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// What a refusal tells the operator.
pub(super) fn hint(error: &ProviderError) -> &str {
    match error {
        ProviderError::Refused { hint, .. } => hint,
        other => panic!("{other:?} is no refusal"),
    }
}

/// What holds of the results of every provider, whatever its server says.
pub(super) fn assert_sound(hits: &[Hit]) {
    let mut known = HashSet::new();
    for (hit, position) in hits.iter().zip(1..) {
        assert_eq!(hit.position, position);
        let url = url::Url::parse(&hit.url).unwrap();
        assert!(matches!(url.scheme(), "http" | "https"), "{url}");
        assert!(known.insert(url), "{} stands there twice", hit.url);
        assert!(!hit.title.is_empty() && hit.title.chars().count() <= 300);
        assert!(hit.snippet.chars().count() <= 1000);
    }
}
