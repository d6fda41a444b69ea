//! Helpers for the tests of all HTTP providers.

use crate::pipeline::{Deadline, Hit, ProviderError, ProviderQuery, ProviderResponse};
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

/// A server that sends `answer` to every request.
pub(super) async fn serve(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(matchers::any())
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

/// The query parameter `name` of the only request that `server` received.
pub(super) async fn parameter(server: &MockServer, name: &str) -> Option<String> {
    let requests = server.received_requests().await.unwrap();
    let [request] = requests.as_slice() else {
        panic!("{} requests", requests.len());
    };
    let mut pairs = request.url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// The hint of a refusal.
pub(super) fn hint(error: &ProviderError) -> &str {
    match error {
        ProviderError::Refused { hint, .. } => hint,
        other => panic!("{other:?} is no refusal"),
    }
}

/// Variants of `good` with malformed strings at `TEXT`, malformed numbers at `12.5`, bad bytes, and
/// other encodings.
pub(super) fn malformed_variants(good: &str) -> Vec<Vec<u8>> {
    assert!(good.contains("TEXT"), "{good}");
    let mut all: Vec<Vec<u8>> = Vec::new();
    for text in ["cut \\ud83d", "\\ude00", "two\nlines", "nul\0", "\\x"] {
        all.push(good.replace("TEXT", text).into());
    }
    for number in ["NaN", "Infinity", "-Infinity", "1e999"] {
        all.push(good.replace("12.5", number).into());
    }
    for byte in [0x80, 0xe9, 0xff] {
        let mut bytes = good.as_bytes().to_vec();
        let at = good.find("TEXT").unwrap();
        bytes[at] = byte;
        all.push(bytes);
    }
    let marked = format!("\u{feff}{good}");
    all.push(marked.clone().into());
    all.push(marked.encode_utf16().flat_map(u16::to_le_bytes).collect());
    all.push(good.encode_utf16().flat_map(u16::to_be_bytes).collect());
    all.push(
        good.chars()
            .map(u32::from)
            .flat_map(u32::to_le_bytes)
            .collect(),
    );
    all
}

/// Asserts that `ask` reads all results from every variant of `good`, also with a malformed item at
/// `BROKEN`.
pub(super) async fn assert_tolerates_malformed<
    F: Future<Output = Result<ProviderResponse, ProviderError>>,
>(
    good: &str,
    hits: usize,
    ask: impl Fn(String) -> F,
) {
    for body in malformed_variants(&good.replace("BROKEN", "")) {
        let server = serve(json(body.clone())).await;
        let found = ask(server.uri()).await.unwrap();
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(found.hits.len(), hits, "{shown}");
        assert_eq!(found.notices, [""; 0], "{shown}");
        assert_valid(&found.hits);
    }
    let server = serve(json(good.replace("BROKEN", "{'a': 1} x,"))).await;
    let found = ask(server.uri()).await.unwrap();
    assert_eq!(found.hits.len(), hits);
    let [notice] = found.notices.as_slice() else {
        panic!("{:?}", found.notices);
    };
    assert!(
        notice.contains("1 result of ") && notice.contains("could not be read"),
        "{notice}"
    );
}

/// Asserts what holds for the hits of every provider.
pub(super) fn assert_valid(hits: &[Hit]) {
    let mut known = HashSet::new();
    for (hit, position) in hits.iter().zip(1..) {
        assert_eq!(hit.position, position);
        let url = url::Url::parse(&hit.url).unwrap();
        assert!(matches!(url.scheme(), "http" | "https"), "{url}");
        assert!(known.insert(url), "{} is listed twice", hit.url);
        assert!(!hit.title.is_empty() && hit.title.chars().count() <= 300);
        assert!(hit.snippet.chars().count() <= 1000);
    }
}
