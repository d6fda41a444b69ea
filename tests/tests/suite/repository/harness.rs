//! Tests of the test harness itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use privachat_tests::process::{Process, isolated};
use privachat_tests::proxy::Direction;
use privachat_tests::redis::Options;
use privachat_tests::upstream::{Reply, mediawiki, model, searxng, site};
use privachat_tests::{Client, PostgresServer, Proxy, RedisServer, Stack, Upstream, eventually};
use redis::AsyncCommands;
use serde_json::json;

const TIMEOUT: Duration = Duration::from_secs(5);

fn is_running(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

#[tokio::test]
async fn a_process_has_its_exit_code_and_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = isolated("sh");
    shell.args([
        "-c",
        "trap 'echo bye; exit 7' TERM; echo up $HOME; sleep 600 & wait",
    ]);
    let mut process = Process::spawn("shell", shell, folder.path());
    eventually("it is up", TIMEOUT, async || {
        process.output().contains("up").then_some(())
    })
    .await;
    assert_eq!(process.stop(TIMEOUT).await, 7);
    assert_eq!(
        process.output(),
        "up\nbye\n",
        "nothing of this environment reaches it"
    );

    let mut sleeper = isolated("sleep");
    let mut process = Process::spawn(
        "sleeper",
        {
            sleeper.arg("600");
            sleeper
        },
        folder.path(),
    );
    assert_eq!(process.stop(TIMEOUT).await, 128 + 15);
}

#[tokio::test]
async fn redis_starts_answers_and_stops_when_dropped() {
    let mut server = RedisServer::start().await;
    let id = server.process().id();
    let mut connection = server.connection().await;
    connection.set::<_, _, ()>("key", "value").await.unwrap();
    assert_eq!(connection.get::<_, String>("key").await.unwrap(), "value");
    drop(server);
    assert!(!is_running(id));
}

#[tokio::test]
async fn redis_stops_when_the_test_panics() {
    let (send, receive) = tokio::sync::oneshot::channel();
    let failing = tokio::spawn(async move {
        let mut server = RedisServer::start().await;
        send.send(server.process().id()).unwrap();
        panic!("on purpose");
    });
    let id = receive.await.unwrap();
    assert!(failing.await.unwrap_err().is_panic());
    assert!(!is_running(id));
}

#[tokio::test]
async fn with_aof_a_killed_redis_has_its_data_after_a_restart() {
    let mut server = RedisServer::with_aof().await;
    server
        .connection()
        .await
        .set::<_, _, ()>("key", "value")
        .await
        .unwrap();
    server.kill();
    server.restart().await;
    assert_eq!(
        server
            .connection()
            .await
            .get::<_, String>("key")
            .await
            .unwrap(),
        "value"
    );
}

#[tokio::test]
async fn a_paused_redis_answers_only_when_resumed() {
    let mut server = RedisServer::with(Options {
        tcp: true,
        ..Options::default()
    })
    .await;
    server.pause();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    let mut reply = [0; 7];
    assert!(stream.read_exact(&mut reply).is_err());
    server.resume();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+PONG\r\n");
}

#[tokio::test]
async fn postgres_gives_each_test_an_empty_database() {
    let server = PostgresServer::shared().await;
    let (one, other) = (server.database(), server.database());
    server.query(&one, "create table t (n int)");
    assert_eq!(
        server.query(&one, "select count(*) from pg_tables where tablename = 't'"),
        "1"
    );
    assert_eq!(
        server.query(
            &other,
            "select count(*) from pg_tables where tablename = 't'"
        ),
        "0"
    );
}

fn ping(address: std::net::SocketAddr) -> std::io::Result<[u8; 7]> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    ping_on(&mut stream)
}

fn ping_on(stream: &mut TcpStream) -> std::io::Result<[u8; 7]> {
    let mut reply = [0; 7];
    stream.write_all(b"PING\r\n")?;
    stream.read_exact(&mut reply)?;
    Ok(reply)
}

#[tokio::test]
async fn the_proxy_forwards_bytes_with_the_given_latency() {
    let server = RedisServer::tcp().await;
    let proxy = Proxy::start(server.address());
    assert_eq!(&ping(proxy.address()).unwrap(), b"+PONG\r\n");
    proxy.latency(Duration::from_millis(100));
    let start = Instant::now();
    ping(proxy.address()).unwrap();
    assert!(
        start.elapsed() >= Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn the_proxy_cuts_refuses_and_accepts_again() {
    let server = RedisServer::tcp().await;
    let proxy = Proxy::start(server.address());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    ping_on(&mut stream).unwrap();
    proxy.cut();
    assert!(ping_on(&mut stream).is_err());
    proxy.refuse(true);
    assert!(ping(proxy.address()).is_err());
    proxy.refuse(false);
    ping(proxy.address()).unwrap();
}

#[tokio::test]
async fn the_proxy_swallows_the_reply_with_a_pattern_and_no_other() {
    let server = RedisServer::tcp().await;
    let proxy = Proxy::start(server.address());
    proxy.swallow_reply_with("$4\r\nlost");
    ping(proxy.address()).unwrap();
    let echo = |text: &str| {
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        stream
            .write_all(format!("ECHO {text}\r\n").as_bytes())
            .unwrap();
        let mut reply = [0; 10];
        stream.read_exact(&mut reply).map(|()| reply)
    };
    assert_eq!(&echo("kept").unwrap(), b"$4\r\nkept\r\n");
    assert!(echo("lost").is_err());
    assert_eq!(&echo("lost").unwrap(), b"$4\r\nlost\r\n");
    assert_eq!(proxy.swallowed(), 1);
}

#[tokio::test]
async fn the_proxy_can_block_a_single_direction() {
    let server = RedisServer::tcp().await;
    let proxy = Proxy::start(server.address());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    proxy.black_hole_towards(Direction::Down, true);
    stream.write_all(b"SET up 1\r\n").unwrap();
    let mut redis = server.connection().await;
    eventually("the request is done", TIMEOUT, async || {
        redis.get::<_, Option<String>>("up").await.unwrap()
    })
    .await;
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let mut reply = [0; 5];
    assert!(stream.read_exact(&mut reply).is_err(), "its reply is held");
    proxy.black_hole_towards(Direction::Down, false);
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+OK\r\n");
}

#[tokio::test]
async fn the_proxy_holds_bytes_back_in_a_black_hole_and_then_delivers_them() {
    let server = RedisServer::tcp().await;
    let proxy = Proxy::start(server.address());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    ping_on(&mut stream).unwrap();
    proxy.black_hole(true);
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert!(ping_on(&mut stream).is_err());
    proxy.black_hole(false);
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut late = [0; 7];
    stream.read_exact(&mut late).unwrap();
    assert_eq!(&late, b"+PONG\r\n");
}

#[tokio::test]
async fn a_swallowed_reply_is_lost_after_the_server_has_done_the_work() {
    let server = RedisServer::tcp().await;
    let proxy = Proxy::start(server.address());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    proxy.swallow_reply();
    stream.write_all(b"INCR n\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0);
    assert_eq!(proxy.swallowed(), 1);
    assert_eq!(
        server.connection().await.get::<_, u8>("n").await.unwrap(),
        1
    );
}

#[tokio::test]
async fn a_double_counts_its_calls_and_sends_scripted_replies_first() {
    let double = searxng::finding(vec![searxng::Result::new(
        "Title",
        "https://example.org/",
        "Text",
    )]);
    double.next(searxng::limited());
    let client = Client::new(&double.url());
    assert_eq!(client.get("/search?q=x&format=json").await.status, 429);
    let found = client
        .get("/search?q=two%20words&format=json")
        .await
        .expect(200);
    assert_eq!(
        (&found["query"], &found["results"][0]["title"]),
        (&json!("two words"), &json!("Title"))
    );
    assert_eq!(double.calls(), 2);
    eventually("the last byte is noted", TIMEOUT, async || {
        double.last_byte()
    })
    .await;
}

#[tokio::test]
async fn the_model_double_streams_and_can_be_cut_in_the_middle() {
    let double = model::chat(model::Script::says("one two three"));
    let client = Client::new(&double.url());
    let request = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true}});
    let post = || {
        client
            .request(reqwest::Method::POST, "/v1/chat/completions")
            .json(&request)
    };
    let stream = client.send(post()).await.text;
    assert_eq!(stream.matches("\"content\"").count(), 3);
    assert!(stream.contains("\"completion_tokens\":3") && stream.ends_with("data: [DONE]\n\n"));

    let cut = model::chat(model::Script::says("one two").then_cuts());
    let client = Client::new(&cut.url());
    let response = client
        .request(reqwest::Method::POST, "/v1/chat/completions")
        .json(&request)
        .send()
        .await;
    assert!(response.unwrap().text().await.is_err());
}

#[tokio::test]
async fn a_double_notices_when_its_client_hangs_up() {
    let double = Upstream::always(Reply::hang());
    let client = Client::new(&double.url());
    let impatient = client
        .request(reqwest::Method::GET, "/")
        .timeout(Duration::from_millis(50));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    eventually("the hang-up is counted", TIMEOUT, async || {
        (double.abandoned() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_site_double_has_good_pages_and_bad_ones() {
    let site = site::serving([("/a", site::article("A", &["Some text."]))]);
    let client = Client::new(&site.url());
    assert!(client.get("/a").await.text.contains("Some text."));
    assert_eq!(client.get("/loop").await.header("location"), Some("/loop"));
    assert_eq!(
        client
            .get("/to?url=http://localhost/")
            .await
            .header("location"),
        Some("http://localhost/")
    );
    assert_eq!(client.get("/nowhere").await.status, 404);
    assert!(client.get("/huge").await.text.len() > 100_000_000);
}

#[tokio::test]
async fn the_mediawiki_double_has_the_formats_of_the_captured_bodies() {
    let double = mediawiki::finding(vec![mediawiki::Article::new(
        "Queues",
        "Queues hold things.",
    )]);
    let client = Client::new(&double.url());
    let found = client
        .get("/w/api.php?action=query&list=search&srsearch=q&format=json")
        .await
        .expect(200);
    assert_eq!(found["query"]["search"][0]["title"], "Queues");
    let extract = client
        .get("/w/api.php?action=query&prop=extracts&titles=Queues&format=json")
        .await
        .expect(200);
    assert_eq!(
        extract["query"]["pages"]["1"]["extract"],
        "Queues hold things."
    );
    double.next(mediawiki::sample("search-text-concurrently.json"));
    let captured = client.get("/w/api.php").await.expect(200);
    assert_eq!(captured["query"]["searchinfo"]["totalhits"], 4);
    assert_eq!(
        client.get("/w/api.php?action=bogus").await.expect(200)["error"]["code"],
        "badvalue"
    );
}

#[test]
fn both_binaries_are_built_with_the_tests() {
    let binaries = privachat_tests::binaries!();
    assert!(Path::new(binaries.api).is_file() && Path::new(binaries.worker).is_file());
}

#[tokio::test]
async fn a_stack_accepts_a_search_and_stops_when_dropped() {
    let builder = Stack::builder(privachat_tests::binaries!()).workers(0);
    let mut stack = builder.env("CORPUS_PATHS", "docs").start().await;
    let id = stack.client().enqueue(json!({"query": "anything"})).await;
    let status = stack.client().status(&id).await.expect(200);
    assert_eq!(status["status"], "pending");
    let mut redis = stack.redis.connection().await;
    assert!(
        redis
            .exists::<_, bool>(format!("search_job:{id}"))
            .await
            .unwrap()
    );
    let processes = [stack.api.process().id(), stack.redis.process().id()];
    drop(stack);
    assert!(!processes.into_iter().any(is_running));
}
