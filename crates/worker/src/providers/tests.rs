//! What the tests of all HTTP providers need.

use crate::pipeline::{Deadline, Hit, ProviderError, ProviderQuery};
use proptest::prelude::*;
use serde_json::Value;
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

/// JSON with members of these names and values of every type, some of them in place.
pub(super) fn odd(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,40}",
        "https://[a-c]\\.example/[1-3]",
        Just("2024-05-01T10:00:00".to_owned()),
        Just("<b>3 days ago</b> &amp; [1][2]".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        let member = (prop::sample::select(names), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let members = members.into_iter();
                Value::Object(
                    members
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
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
