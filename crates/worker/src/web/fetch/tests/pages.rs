use super::{fetch, fetch_in, fetch_stream, fetch_with, page, redirect, rules, serve};
use crate::pipeline::FetchError;
use std::time::Duration;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, path},
};

#[tokio::test]
async fn page_is_fetched_with_our_user_agent_and_read() {
    let server = MockServer::start().await;
    let name = concat!("PrivaChatSearch/", env!("CARGO_PKG_VERSION"));
    Mock::given(path("/start"))
        .and(header("User-Agent", name))
        .respond_with(redirect("/page#part"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/page"))
        .respond_with(page("<title>T</title><p>Grüße</p>", "text/html"))
        .expect(1)
        .mount(&server)
        .await;
    let page = fetch(&server, "/start").await.unwrap();
    assert_eq!(page.url.as_str(), format!("{}/page", server.uri()));
    assert_eq!(page.document.text(), "Grüße");
}

#[tokio::test]
async fn accept_language_is_sent_on_every_hop() {
    let server = MockServer::start().await;
    for (language, expected) in [("de", "de, en;q=0.5"), ("en", "en")] {
        for (at, answer) in [
            ("/start", redirect("/page")),
            ("/page", page("<p>Wasser</p>", "text/html")),
        ] {
            Mock::given(path(at))
                .and(move |request: &Request| {
                    request
                        .headers
                        .get("Accept-Language")
                        .is_some_and(|sent| sent == expected)
                })
                .respond_with(answer)
                .expect(1)
                .mount(&server)
                .await;
        }
        let fetched = fetch_in(&server, "/start", Some(language)).await.unwrap();
        assert_eq!(fetched.document.text(), "Wasser");
    }
    // Anything but a language code is not sent.
    Mock::given(path("/any"))
        .and(|request: &Request| !request.headers.contains_key("Accept-Language"))
        .respond_with(page("<p>Water</p>", "text/html"))
        .expect(2)
        .mount(&server)
        .await;
    for language in [None, Some("de\r\nX: y")] {
        fetch_in(&server, "/any", language).await.unwrap();
    }
}

#[tokio::test]
async fn markdown_and_plain_text_are_recognised() {
    let server = serve("/a.md", page("# One\n\n*two*", "text/plain; charset=utf-8")).await;
    assert_eq!(fetch(&server, "/a.md").await.unwrap().document.title, "One");
    let server = serve("/a.txt", page("<b>kept</b>", "text/plain")).await;
    assert_eq!(
        fetch(&server, "/a.txt").await.unwrap().document.text(),
        "<b>kept</b>"
    );
}

#[tokio::test]
async fn pages_in_legacy_charsets_are_read() {
    let (body, _, _) = encoding_rs::SHIFT_JIS.encode("<meta charset=Shift_JIS><p>池の水</p>");
    let server = serve("/", page(body.into_owned(), "text/html")).await;
    assert_eq!(fetch(&server, "/").await.unwrap().document.text(), "池の水");
    let server = serve(
        "/",
        page(
            b"<p>caf\xe9 \x96 d\xe9j\xe0</p>".as_slice(),
            "text/html; charset=windows-1252",
        ),
    )
    .await;
    assert_eq!(
        fetch(&server, "/").await.unwrap().document.text(),
        "café – déjà"
    );
    let server = serve(
        "/",
        page(
            b"<p>Le caf\xe9 est ferm\xe9 d\xe8s midi.</p>".as_slice(),
            "text/html",
        ),
    )
    .await;
    assert_eq!(
        fetch(&server, "/").await.unwrap().document.text(),
        "Le café est fermé dès midi."
    );
}

#[tokio::test]
async fn error_statuses_and_bot_checks_are_distinguished() {
    let server = serve("/", page("x", "text/html")).await;
    assert_eq!(
        fetch(&server, "/missing").await,
        Err(FetchError::Status(404))
    );
    let plain = ResponseTemplate::new(403).set_body_raw("<h1>Forbidden</h1>", "text/html");
    assert_eq!(
        fetch(&serve("/", plain).await, "/").await,
        Err(FetchError::Status(403))
    );
    let check = "<title>Just a moment...</title><p>Checking your browser before you go on.</p>";
    for status in [200, 403, 503] {
        let answer = ResponseTemplate::new(status).set_body_raw(check, "text/html");
        let expected = Err(FetchError::NoContent("a bot check".into()));
        assert_eq!(
            fetch(&serve("/", answer).await, "/").await,
            expected,
            "{status}"
        );
    }
    let marked = ResponseTemplate::new(403).insert_header("cf-mitigated", "challenge");
    assert_eq!(
        fetch(&serve("/", marked).await, "/").await,
        Err(FetchError::NoContent("a bot check".into()))
    );
    assert_eq!(
        fetch(&serve("/", ResponseTemplate::new(204)).await, "/").await,
        Err(FetchError::NoContent("an empty page".into()))
    );
}

#[tokio::test]
async fn unreachable_server_is_reported_without_its_address() {
    let nobody = crate::upstream::fixture::refusing_address();
    let answer = fetch_stream(nobody.address(), Duration::from_secs(5)).await;
    assert_eq!(
        answer,
        Err(FetchError::Unreachable("connection refused".into()))
    );
    let unknown = fetch_with(
        rules(&[]),
        "http://no-such-host.invalid/",
        Duration::from_secs(5),
    )
    .await;
    assert_eq!(
        unknown,
        Err(FetchError::Unreachable("no connection".into()))
    );
}
