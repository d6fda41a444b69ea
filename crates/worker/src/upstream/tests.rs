use super::*;
use crate::pipeline::Deadline;
use chrono::{TimeZone, Utc};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpListener};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

fn parse_retry_after(value: &str) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
    let now = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
    retry_after(&headers, now)
}

#[test]
fn retry_after_may_be_seconds_or_a_date() {
    assert_eq!(parse_retry_after("7"), Some(Duration::from_secs(7)));
    assert_eq!(parse_retry_after("1.5"), Some(Duration::from_millis(1500)));
    assert_eq!(
        parse_retry_after("Mon, 23 Nov 2026 12:00:30 GMT"),
        Some(Duration::from_secs(30))
    );
    assert_eq!(
        parse_retry_after("Mon, 23 Nov 2026 11:00:00 GMT"),
        Some(Duration::ZERO)
    );
    assert_eq!(parse_retry_after("1e300"), None);
    assert_eq!(
        parse_retry_after("999999999"),
        Some(Duration::from_secs(86400))
    );
    assert_eq!(parse_retry_after("-3"), None);
    assert_eq!(parse_retry_after("soon"), None);
}

#[test]
fn endpoint_keeps_the_base_path() {
    let at = |base: &str| endpoint(&Url::parse(base).unwrap(), "search").to_string();
    assert_eq!(at("http://h"), "http://h/search");
    assert_eq!(at("http://h/searx"), "http://h/searx/search");
    assert_eq!(at("http://h/searx/"), "http://h/searx/search");
}

#[tokio::test]
async fn refused_connection_is_reported_without_the_address() {
    let nobody = fixture::refusing_address();
    let request = client()
        .unwrap()
        .get(format!("http://{}/x", nobody.address()));
    let trouble = send(request, soon()).await.unwrap_err();
    assert_eq!(trouble, UpstreamError::Connection("connection refused"));
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let server = MockServer::start().await;
    let redirect = ResponseTemplate::new(302).insert_header("location", "/elsewhere");
    Mock::given(any())
        .respond_with(redirect)
        .expect(1)
        .mount(&server)
        .await;
    let request = client().unwrap().get(server.uri());
    let reply = send(request, soon()).await.unwrap();
    assert_eq!(reply.status, 302);
}

#[tokio::test]
async fn slow_response_ends_at_the_deadline() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    let request = client().unwrap().get(server.uri());
    let deadline = Deadline::after(Duration::from_millis(50));
    let trouble = send(request, deadline).await.unwrap_err();
    assert_eq!(trouble, UpstreamError::TimedOut);
}

#[tokio::test]
async fn too_large_response_is_an_error() {
    let server = MockServer::start().await;
    let huge = ResponseTemplate::new(200).set_body_bytes(vec![b' '; MAX_BODY_BYTES + 1]);
    Mock::given(any()).respond_with(huge).mount(&server).await;
    let request = client().unwrap().get(server.uri());
    assert_eq!(
        send(request, soon()).await.unwrap_err(),
        UpstreamError::TooLarge
    );
}

#[tokio::test]
async fn incomplete_body_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"results\": [";
        socket.write_all(head.as_bytes()).await.unwrap();
    });
    let request = client().unwrap().get(format!("http://{address}/"));
    let trouble = send(request, soon()).await.unwrap_err();
    assert_eq!(trouble, UpstreamError::Connection("the answer broke off"));
    server.await.unwrap();
}
