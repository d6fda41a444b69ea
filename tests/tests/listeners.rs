//! Many who listen, idle ones, and those who do not read.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use privachat_core::keys;
use privachat_tests::scene::question;
use privachat_tests::stream::EventStream;
use privachat_tests::{Client, Stack, binaries, eventually};
use redis::AsyncCommands;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Two ends of a thousand connections, and what else a test has open.
fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("the hard limit");
}

/// Adds text events to a search that no worker has.
async fn tell(stack: &Stack, id: &str, texts: &[String]) {
    let mut redis = stack.redis.connection().await;
    let key = keys::events(Uuid::parse_str(id).unwrap());
    for text in texts {
        let data = json!({"type": "text", "delta": text}).to_string();
        let fields = [("type", "text"), ("data", &data)];
        let _: String = redis.xadd(&key, "*", &fields).await.unwrap();
    }
    let ring = format!("{id} processing");
    let () = redis.publish(keys::CHANGED, ring).await.unwrap();
}

/// How often Redis was asked for events.
async fn reads(stack: &Stack) -> u64 {
    let mut redis = stack.redis.connection().await;
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    let line = info.split("cmdstat_xrange:calls=").nth(1);
    let calls = line.and_then(|rest| rest.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

fn port(client: &Client) -> u16 {
    client.base().rsplit(':').next().unwrap().parse().unwrap()
}

/// The API's established connections, by the kernel's table.
fn connections(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of connections");
    let local = format!(":{port:04X}");
    let rows = table.lines().filter(|row| {
        let mut fields = row.split_whitespace().skip(1);
        let is_local = fields.next().is_some_and(|field| field.ends_with(&local));
        is_local && fields.nth(1) == Some("01")
    });
    rows.count()
}

/// Resident memory of a process, in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("VmRSS").parse().unwrap()
}

/// A connection that has asked and read nothing.
async fn asked(client: &Client, id: &str, socket: bool) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port(client)))
        .await
        .expect("a connection");
    let head = match socket {
        false => format!("GET /api/v1/search/{id}/events HTTP/1.1\r\nHost: x\r\n\r\n"),
        true => format!(
            "GET /api/v1/search/{id}/ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
        ),
    };
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

/// Waits until the first event has come.
async fn heard(stream: &mut TcpStream) {
    let mut all = Vec::new();
    while !all.windows(6).any(|part| part == b"queued") {
        let mut part = [0; 1024];
        let length = stream.read(&mut part).await.expect("an answer");
        assert_ne!(length, 0, "closed: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&part[..length]);
    }
}

#[tokio::test]
async fn a_thousand_listeners_hear_everything_and_redis_is_read_once() {
    raise_limit();
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut streams: Vec<EventStream> = join_all((0..500).map(|_| client.events(&id, ""))).await;
    let mut sockets = join_all((0..500).map(|_| client.socket(&id, ""))).await;
    join_all(streams.iter_mut().map(EventStream::next)).await;
    join_all(sockets.iter_mut().map(|socket| socket.next())).await;

    let (before, started) = (reads(&stack).await, Instant::now());
    for number in 0..20 {
        tell(&stack, &id, &[format!("word {number} ")]).await;
    }
    client
        .delete(&format!("/api/v1/search/{id}"))
        .await
        .expect(200);
    let streamed = join_all(streams.iter_mut().map(EventStream::rest)).await;
    let socketed = join_all(sockets.iter_mut().map(|socket| socket.rest())).await;
    assert_eq!(streamed[0].len(), 21, "{:?}", streamed[0]);
    assert_eq!(streamed[0][20].kind, "failed");
    for heard in streamed.iter().chain(&socketed) {
        assert_eq!(heard, &streamed[0]);
    }
    // One for each ring, and the safety net's.
    let most = 21 + 2 + started.elapsed().as_secs() / 5;
    let read = reads(&stack).await - before;
    assert!(read <= most, "read {read} times, not {most}");
}

#[tokio::test]
async fn a_thousand_idle_listeners_cost_at_most_24_kib_each() {
    const LISTENERS: usize = 500;
    raise_limit();
    let mut stack = Stack::builder(binaries!()).workers(0).start().await;
    let process = stack.api.process().id();
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut held = Vec::new();
    for socket in [false, true] {
        heard(&mut asked(client, &id, socket).await).await;
        let before = resident(process);
        for _ in 0..LISTENERS {
            let mut stream = asked(client, &id, socket).await;
            heard(&mut stream).await;
            held.push(stream);
        }
        let each = (resident(process) - before) / LISTENERS as u64;
        assert!(each <= 24, "{each} KiB for each (WebSocket: {socket})");
    }
}

#[tokio::test]
async fn who_does_not_read_is_dropped_and_who_reads_is_not() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    // More than the buffers of both kernels hold.
    let megabyte = "x".repeat(1 << 20);
    tell(&stack, &id, &vec![megabyte; 24]).await;

    let stuck = [
        asked(client, &id, false).await,
        asked(client, &id, true).await,
    ];
    let reader = TcpStream::connect(("127.0.0.1", port(client))).await;
    drop(reader);
    let what = "those who do not read are dropped";
    let started = Instant::now();
    eventually(what, Duration::from_secs(60), async || {
        // The test's own client may keep one for its next request.
        (connections(port(client)) <= 1).then_some(())
    })
    .await;
    eprintln!("dropped after {:?}", started.elapsed());
    assert!(started.elapsed() > Duration::from_secs(5));
    drop(stuck);
    let mut stream = client.events(&id, "").await;
    for _ in 0..25 {
        stream.next().await.expect("all of it for who reads");
    }
}
