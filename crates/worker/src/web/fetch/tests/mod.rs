mod guard;
mod limits;
mod pages;
mod robots;

use super::{FetchRules, WebFetcher};
use crate::parser::ParserPool;
use crate::pipeline::{Deadline, FetchError, Page, PageFetcher};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

const LIMIT: usize = 1_000_000;

fn rules(hosts: &[String]) -> FetchRules {
    FetchRules {
        allow_hosts: hosts.to_vec(),
        max_bytes: LIMIT,
        respect_robots: false,
        ..FetchRules::default()
    }
}

async fn fetch_with(rules: FetchRules, url: &str, budget: Duration) -> Result<Page, FetchError> {
    let fetcher = WebFetcher::new(rules, ParserPool::default()).unwrap();
    fetcher
        .fetch(&Url::parse(url).unwrap(), None, Deadline::after(budget))
        .await
}

async fn fetch_in(
    server: &MockServer,
    at: &str,
    language: Option<&str>,
) -> Result<Page, FetchError> {
    let fetcher = WebFetcher::new(
        rules(&[server.address().to_string()]),
        ParserPool::default(),
    )
    .unwrap();
    let url = Url::parse(&format!("{}{at}", server.uri())).unwrap();
    let deadline = Deadline::after(Duration::from_secs(10));
    fetcher.fetch(&url, language, deadline).await
}

async fn fetch(server: &MockServer, at: &str) -> Result<Page, FetchError> {
    let rules = rules(&[server.address().to_string()]);
    fetch_with(
        rules,
        &format!("{}{at}", server.uri()),
        Duration::from_secs(10),
    )
    .await
}

async fn serve(at: &str, response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

fn page(body: impl Into<Vec<u8>>, kind: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body, kind)
}

fn redirect(target: &str) -> ResponseTemplate {
    ResponseTemplate::new(302).insert_header("Location", target)
}

/// A server that sends `head` to every connection, then `chunk` until the client hangs up.
async fn serve_stream(head: &'static str, chunk: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(head.as_bytes()).await;
            if chunk.is_empty() {
                std::future::pending::<()>().await;
            }
            while socket.write_all(&chunk).await.is_ok() {
                counter.fetch_add(chunk.len(), Ordering::Relaxed);
            }
        }
    });
    (address, sent)
}

async fn fetch_stream(address: SocketAddr, budget: Duration) -> Result<Page, FetchError> {
    fetch_with(
        rules(&[address.to_string()]),
        &format!("http://{address}/"),
        budget,
    )
    .await
}
