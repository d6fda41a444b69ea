use super::{LIMIT, fetch, fetch_stream, page, redirect, serve, serve_stream};
use crate::pipeline::FetchError;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wiremock::{Mock, MockServer, matchers::path};

#[tokio::test]
async fn redirect_loops_and_long_chains_are_errors() {
    let server = MockServer::start().await;
    for (from, to) in [("/self", "/self"), ("/a", "/b"), ("/b", "/a")] {
        Mock::given(path(from))
            .respond_with(redirect(to))
            .mount(&server)
            .await;
    }
    for step in 0..7 {
        Mock::given(path(format!("/{step}")))
            .respond_with(redirect(&format!("/{}", step + 1)))
            .mount(&server)
            .await;
    }
    Mock::given(path("/7"))
        .respond_with(page("<p>end", "text/html"))
        .mount(&server)
        .await;
    for start in ["/self", "/a", "/0", "/1"] {
        assert_eq!(
            fetch(&server, start).await,
            Err(FetchError::TooManyRedirects),
            "{start}"
        );
    }
    assert_eq!(fetch(&server, "/2").await.unwrap().document.text(), "end");
}

#[tokio::test]
async fn page_with_a_too_large_content_length_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 104857600\r\n\r\n";
    let (address, sent) = serve_stream(head, vec![b'a'; 16 * 1024]).await;
    let answer = fetch_stream(address, Duration::from_secs(10)).await;
    assert_eq!(answer, Err(FetchError::TooLarge { limit_bytes: LIMIT }));
    assert!(sent.load(Ordering::Relaxed) < 20_000_000);
}

#[tokio::test]
async fn endless_page_ends_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
    let (address, sent) = serve_stream(head, vec![b'a'; 16 * 1024]).await;
    let answer = fetch_stream(address, Duration::from_secs(10)).await;
    assert_eq!(answer, Err(FetchError::TooLarge { limit_bytes: LIMIT }));
    assert!(sent.load(Ordering::Relaxed) < 20_000_000);
}

#[tokio::test]
async fn decompression_bomb_ends_at_the_limit() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..16 {
        encoder.write_all(&[b' '; 1024 * 1024]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < LIMIT);
    let server = serve(
        "/",
        page(bomb, "text/html").insert_header("Content-Encoding", "gzip"),
    )
    .await;
    assert_eq!(
        fetch(&server, "/").await,
        Err(FetchError::TooLarge { limit_bytes: LIMIT })
    );
}

#[tokio::test]
async fn slow_body_ends_at_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<p>start";
    let (address, _) = serve_stream(head, Vec::new()).await;
    // The body never ends, so only the deadline can end the fetch.
    let answer = fetch_stream(address, Duration::from_millis(300)).await;
    assert_eq!(answer, Err(FetchError::TimedOut));
}

#[tokio::test]
async fn binary_data_is_refused_under_any_content_type() {
    let server = serve("/", page("x", "application/zip")).await;
    assert_eq!(
        fetch(&server, "/").await,
        Err(FetchError::UnsupportedType("application/zip".into()))
    );
    for (body, kind) in [("x", "application/pdf"), ("%PDF-1.7 ...", "text/html")] {
        let server = serve("/", page(body, kind)).await;
        let expected = Err(FetchError::NoContent("a PDF that cannot be parsed".into()));
        assert_eq!(fetch(&server, "/").await, expected, "{kind}");
    }
    let bodies: [&[u8]; 3] = [b"\x89PNG\r\n\x1a\n....", b"MZ\0\0\x01\x02", b"<p>a\0b"];
    for body in bodies {
        let server = serve("/", page(body, "text/html")).await;
        let expected = Err(FetchError::UnsupportedType("binary data".into()));
        assert_eq!(fetch(&server, "/").await, expected, "{body:?}");
    }
}
