use super::{fetch, fetch_with, page, redirect, rules, serve};
use crate::parser::ParserPool;
use crate::pipeline::{Deadline, FetchError, PageFetcher};
use crate::web::fetch::{FetchRules, WebFetcher, client::FetchClient, resolver::DnsLookup};
use futures_util::FutureExt;
use privachat_core::domain::DomainList;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

#[tokio::test]
async fn literal_private_addresses_are_refused_in_every_notation() {
    let fetcher = WebFetcher::new(FetchRules::default(), ParserPool::default()).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "１２７.０.０.１",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "0",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fc00::1]",
        "100.64.0.1",
        "100.100.100.200",
        "224.0.0.1",
        "255.255.255.255",
        "[ff02::1]",
        "192.0.2.1",
        "[2001:db8::1]",
    ] {
        for port in ["", ":8080"] {
            let url = Url::parse(&format!("http://{host}{port}/latest")).unwrap();
            let answer = fetcher
                .fetch(&url, None, Deadline::after(Duration::from_secs(5)))
                .await;
            assert_eq!(
                answer,
                Err(FetchError::Forbidden("a private address")),
                "{host}{port}"
            );
        }
    }
}

#[tokio::test]
async fn name_of_a_loopback_address_is_refused_before_connecting() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    for name in ["localhost", "LOCALHOST"] {
        let url = format!("http://{name}:{}/", server.address().port());
        let answer = fetch_with(rules(&[]), &url, Duration::from_secs(5)).await;
        assert_eq!(
            answer,
            Err(FetchError::Forbidden("a private address")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn host_allowed_on_one_port_is_refused_on_others() {
    let server = serve("/", page("<p>inside</p>", "text/html")).await;
    let port = server.address().port();
    let url = format!("http://localhost:{port}/");
    let allowed = fetch_with(
        rules(&[format!("localhost:{port}")]),
        &url,
        Duration::from_secs(5),
    )
    .await;
    assert_eq!(allowed.unwrap().document.text(), "inside");
    let other = fetch_with(rules(&["localhost:1".into()]), &url, Duration::from_secs(5)).await;
    assert_eq!(other, Err(FetchError::Forbidden("a private address")));
}

#[tokio::test]
async fn redirect_to_a_private_address_is_refused() {
    let inside = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&inside)
        .await;
    let targets = [
        inside.uri(),
        format!("http://localhost:{}/", inside.address().port()),
        "//169.254.169.254/latest/meta-data".into(),
        "http://[::ffff:10.0.0.1]/".into(),
    ];
    for target in targets {
        let server = serve("/", redirect(&target)).await;
        let answer = fetch(&server, "/").await;
        assert_eq!(
            answer,
            Err(FetchError::Forbidden("a private address")),
            "{target}"
        );
    }
}

#[tokio::test]
async fn other_schemes_and_credentials_are_refused_even_after_a_redirect() {
    for target in [
        "file:///etc/passwd",
        "ftp://pond.example/",
        "gopher://pond.example/",
        "data:text/html,x",
    ] {
        let expected = Err(FetchError::Forbidden("only http and https"));
        assert_eq!(
            fetch_with(rules(&[]), target, Duration::from_secs(5)).await,
            expected
        );
        let server = serve("/", redirect(target)).await;
        assert_eq!(fetch(&server, "/").await, expected, "{target}");
    }
    let server = serve("/", redirect("http://user:pass@pond.example/")).await;
    assert_eq!(
        fetch(&server, "/").await,
        Err(FetchError::Forbidden("an address with credentials"))
    );
}

#[tokio::test]
async fn excluded_domain_gets_no_request() {
    let rules = FetchRules {
        excluded_domains: DomainList::new(&["pond.example".to_owned()]),
        ..FetchRules::default()
    };
    let answer = fetch_with(rules, "https://www.pond.example/x", Duration::from_secs(5)).await;
    assert_eq!(answer, Err(FetchError::Forbidden("an excluded domain")));
}

#[tokio::test]
async fn name_is_looked_up_once_and_refused_by_that_result() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let address = *server.address();
    let rebinding: DnsLookup = Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(vec![address])).boxed()
    });
    let client = FetchClient::with_lookup(rules(&[]), rebinding).unwrap();
    let url = Url::parse(&format!("http://rebinding.example:{}/", address.port())).unwrap();
    let answer = client.get(&url).await.map(|response| response.status);
    assert_eq!(answer, Err(FetchError::Forbidden("a private address")));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
