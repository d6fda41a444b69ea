use super::{fetch_with, page, redirect, rules, serve};
use crate::parser::ParserPool;
use crate::pipeline::{Deadline, FetchError, Page, PageFetcher};
use crate::web::fetch::{FetchRules, WebFetcher};
use std::time::Duration;
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

#[tokio::test]
async fn robots_rules_are_read_once_and_kept_to() {
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
async fn a_site_without_robots_file_allows_everything() {
    for status in [401, 403, 404, 410] {
        let page = fetch_under(ResponseTemplate::new(status)).await;
        assert_eq!(page.unwrap().document.text(), "open", "{status}");
    }
}

#[tokio::test]
async fn a_site_whose_server_fails_to_give_its_robots_file_is_not_read() {
    for status in [500, 502, 503] {
        let answer = fetch_under(ResponseTemplate::new(status)).await;
        let refused = FetchError::Forbidden("robots.txt");
        assert_eq!(answer, Err(refused), "{status}");
    }
}
