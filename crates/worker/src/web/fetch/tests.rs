use super::{FetchRules, WebFetcher};
use crate::pipeline::{Deadline, FetchError, Page, PageFetcher};
use std::{
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path},
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
    let fetcher = WebFetcher::new(rules).unwrap();
    fetcher
        .fetch(&Url::parse(url).unwrap(), Deadline::after(budget))
        .await
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

/// A server that answers every connection with `head`, then `chunk` until the client hangs up.
async fn stream(head: &'static str, chunk: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
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

#[tokio::test]
async fn a_page_is_fetched_with_an_honest_name_and_read() {
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
async fn markdown_and_plain_text_are_read_as_such() {
    let server = serve("/a.md", page("# One\n\n*two*", "text/plain; charset=utf-8")).await;
    assert_eq!(fetch(&server, "/a.md").await.unwrap().document.title, "One");
    let server = serve("/a.txt", page("<b>kept</b>", "text/plain")).await;
    assert_eq!(
        fetch(&server, "/a.txt").await.unwrap().document.text(),
        "<b>kept</b>"
    );
}

#[tokio::test]
async fn literal_private_addresses_are_refused_in_every_spelling() {
    let fetcher = WebFetcher::new(FetchRules::default()).unwrap();
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
                .fetch(&url, Deadline::after(Duration::from_secs(5)))
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
async fn a_name_that_leads_to_loopback_is_refused_and_nothing_connects() {
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
async fn a_host_allowed_on_one_port_stays_private_on_others() {
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
async fn a_redirect_to_a_private_address_is_refused() {
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
async fn other_schemes_and_credentials_are_refused_also_after_a_redirect() {
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
async fn an_excluded_domain_is_never_asked() {
    let rules = FetchRules {
        excluded_domains: vec!["pond.example".into()],
        ..FetchRules::default()
    };
    let answer = fetch_with(rules, "https://www.pond.example/x", Duration::from_secs(5)).await;
    assert_eq!(answer, Err(FetchError::Forbidden("an excluded domain")));
}

#[tokio::test]
async fn redirect_loops_and_long_chains_end() {
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
async fn a_page_that_announces_too_much_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 104857600\r\n\r\n";
    let (address, sent) = stream(head, vec![b'a'; 16 * 1024]).await;
    let answer = fetch_stream(address, Duration::from_secs(10)).await;
    assert_eq!(answer, Err(FetchError::TooLarge { limit_bytes: LIMIT }));
    assert!(sent.load(Ordering::Relaxed) < 20_000_000);
}

#[tokio::test]
async fn an_endless_page_is_cut_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
    let (address, sent) = stream(head, vec![b'a'; 16 * 1024]).await;
    let answer = fetch_stream(address, Duration::from_secs(10)).await;
    assert_eq!(answer, Err(FetchError::TooLarge { limit_bytes: LIMIT }));
    assert!(sent.load(Ordering::Relaxed) < 20_000_000);
}

#[tokio::test]
async fn a_decompression_bomb_is_cut_at_the_limit() {
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
async fn a_slow_body_is_cut_at_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<p>start";
    let (address, _) = stream(head, Vec::new()).await;
    let start = Instant::now();
    let answer = fetch_stream(address, Duration::from_millis(300)).await;
    assert_eq!(answer, Err(FetchError::TimedOut));
    assert!(
        start.elapsed() < Duration::from_millis(900),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn binaries_are_refused_whatever_they_are_called() {
    let server = serve("/", page("x", "application/pdf")).await;
    assert_eq!(
        fetch(&server, "/").await,
        Err(FetchError::UnsupportedType("application/pdf".into()))
    );
    let bodies: [&[u8]; 4] = [
        b"%PDF-1.7 ...",
        b"\x89PNG\r\n\x1a\n....",
        b"MZ\0\0\x01\x02",
        b"<p>a\0b",
    ];
    for body in bodies {
        let server = serve("/", page(body, "text/html")).await;
        let expected = Err(FetchError::UnsupportedType("binary data".into()));
        assert_eq!(fetch(&server, "/").await, expected, "{body:?}");
    }
}

#[tokio::test]
async fn pages_in_old_charsets_are_read() {
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
async fn error_statuses_and_bot_checks_are_told_apart() {
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
        let expected = Err(FetchError::NoContent("a bot check"));
        assert_eq!(
            fetch(&serve("/", answer).await, "/").await,
            expected,
            "{status}"
        );
    }
    let marked = ResponseTemplate::new(403).insert_header("cf-mitigated", "challenge");
    assert_eq!(
        fetch(&serve("/", marked).await, "/").await,
        Err(FetchError::NoContent("a bot check"))
    );
    assert_eq!(
        fetch(&serve("/", ResponseTemplate::new(204)).await, "/").await,
        Err(FetchError::NoContent("an empty page"))
    );
}

#[tokio::test]
async fn an_unreachable_server_is_reported_without_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = fetch_stream(address, Duration::from_secs(5)).await;
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
    let fetcher = WebFetcher::new(rules).unwrap();
    let get = async |at: &str| {
        let url = Url::parse(&format!("{}{at}", server.uri())).unwrap();
        fetcher
            .fetch(&url, Deadline::after(Duration::from_secs(10)))
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

#[tokio::test]
async fn missing_and_failing_robots_files_allow_everything() {
    for robots in [404, 500] {
        let server = serve("/page", page("<p>open</p>", "text/html")).await;
        Mock::given(path("/robots.txt"))
            .respond_with(ResponseTemplate::new(robots))
            .mount(&server)
            .await;
        let rules = FetchRules {
            respect_robots: true,
            ..rules(&[server.address().to_string()])
        };
        let page = fetch_with(
            rules,
            &format!("{}/page", server.uri()),
            Duration::from_secs(10),
        )
        .await;
        assert_eq!(page.unwrap().document.text(), "open", "{robots}");
    }
}

#[tokio::test]
async fn no_more_requests_run_at_once_on_one_host_than_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fetcher = Arc::new(
        WebFetcher::new(FetchRules {
            per_host: 2,
            ..rules(&[address.to_string()])
        })
        .unwrap(),
    );
    let mut searches = tokio::task::JoinSet::new();
    for i in 0..6 {
        let fetcher = Arc::clone(&fetcher);
        searches.spawn(async move {
            let url = Url::parse(&format!("http://{address}/{i}")).unwrap();
            fetcher
                .fetch(&url, Deadline::after(Duration::from_secs(20)))
                .await
        });
    }
    let mut answered = 0;
    let mut most = 0;
    while answered < 6 {
        let mut open = Vec::new();
        // Nobody is answered until no further connection comes.
        while let Ok(Ok((socket, _))) =
            tokio::time::timeout(Duration::from_millis(300), listener.accept()).await
        {
            open.push(socket);
        }
        most = most.max(open.len());
        for mut socket in open {
            let _ = socket.read(&mut [0; 4096]).await;
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>text";
            socket.write_all(answer.as_bytes()).await.unwrap();
            answered += 1;
        }
    }
    assert_eq!(most, 2);
    while let Some(answer) = searches.join_next().await {
        assert_eq!(answer.unwrap().unwrap().document.text(), "text");
    }
}
