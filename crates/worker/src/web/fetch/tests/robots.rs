use super::{fetch_with, page, redirect, rules, serve};
use crate::parser::ParserPool;
use crate::pipeline::{Deadline, FetchError, Page, PageFetcher};
use crate::web::fetch::{FetchRules, WebFetcher};
use std::time::Duration;
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

#[tokio::test]
async fn robots_rules_are_loaded_once_and_obeyed() {
    let server = MockServer::start().await;
    Mock::given(path("/robots.txt"))
        .respond_with(page("User-agent: *\nDisallow: /closed\n", "text/plain"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/open"))
        .respond_with(page("<p>open</p>", "text/html"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/to-closed"))
        .respond_with(redirect("/closed"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/closed"))
        .respond_with(page("<p>closed</p>", "text/html"))
        .expect(0)
        .mount(&server)
        .await;
    let rules = FetchRules {
        respect_robots: true,
        ..rules(&[server.address().to_string()])
    };
    let fetcher = WebFetcher::new(rules, ParserPool::default()).unwrap();
    let get = async |at: &str| {
        let url = Url::parse(&format!("{}{at}", server.uri())).unwrap();
        fetcher
            .fetch(&url, None, Deadline::after(Duration::from_secs(10)))
            .await
    };
    let (open, closed) = tokio::join!(get("/open"), get("/closed"));
    assert_eq!(open.unwrap().document.text(), "open");
    assert_eq!(closed, Err(FetchError::Forbidden("robots.txt")));
    assert_eq!(
        get("/to-closed").await,
        Err(FetchError::Forbidden("robots.txt"))
    );
}

async fn fetch_under(robots: ResponseTemplate) -> Result<Page, FetchError> {
    let server = serve("/page", page("<p>open</p>", "text/html")).await;
    Mock::given(path("/robots.txt"))
        .respond_with(robots)
        .mount(&server)
        .await;
    let rules = FetchRules {
        respect_robots: true,
        ..rules(&[server.address().to_string()])
    };
    let url = format!("{}/page", server.uri());
    fetch_with(rules, &url, Duration::from_secs(10)).await
}

#[tokio::test]
async fn site_without_robots_txt_allows_everything() {
    for status in [401, 403, 404, 410] {
        let page = fetch_under(ResponseTemplate::new(status)).await;
        assert_eq!(page.unwrap().document.text(), "open", "{status}");
    }
}

#[tokio::test]
async fn site_is_not_read_while_its_robots_txt_fails() {
    for status in [429, 500, 502, 503] {
        let answer = fetch_under(ResponseTemplate::new(status)).await;
        let refused = FetchError::Forbidden("robots.txt");
        assert_eq!(answer, Err(refused), "{status}");
    }
}

#[tokio::test]
async fn rule_in_a_too_large_file_applies() {
    let mut file = b"User-agent: *\nDisallow: /page\n".to_vec();
    file.resize(2_000_000, b'#');
    let answer = fetch_under(page(file, "text/plain")).await;
    assert_eq!(answer, Err(FetchError::Forbidden("robots.txt")));
}

#[tokio::test]
async fn rule_in_a_file_that_looks_binary_applies() {
    let text = "\u{feff}User-agent: *\nDisallow: /page\n";
    let file: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let answer = fetch_under(page(file, "application/octet-stream")).await;
    assert_eq!(answer, Err(FetchError::Forbidden("robots.txt")));
}

#[tokio::test]
async fn site_is_not_read_if_robots_txt_cannot_be_loaded() {
    let cut = page("User-agent: *\n", "text/plain").insert_header("content-encoding", "gzip");
    assert!(fetch_under(cut).await.is_err());
    let answer = fetch_under(redirect("http://10.0.0.1/robots.txt")).await;
    assert_eq!(answer, Err(FetchError::Forbidden("a private address")));
}
