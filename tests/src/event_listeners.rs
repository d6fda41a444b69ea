//! Listeners in great numbers or without reading, and what they cost.

use privachat_core::keys;
use redis::AsyncCommands;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::{Client, Stack, redis_info};

/// Raises the limit of open files: each listener has two ends.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("the hard limit");
}

/// Appends text events to a search that no worker runs.
pub async fn append_text_events(stack: &Stack, id: &str, texts: &[String]) {
    let mut redis = stack.redis.connection().await;
    let key = keys::events(Uuid::parse_str(id).unwrap());
    for text in texts {
        let data = json!({"type": "text", "delta": text}).to_string();
        let fields = [("type", "text"), ("data", &data)];
        let _: String = redis.xadd(&key, "*", &fields).await.unwrap();
    }
    let ring = format!("{id} processing");
    let () = redis.publish(keys::CHANGED_CHANNEL, ring).await.unwrap();
}

/// How often Redis was asked for events.
pub async fn count_event_reads(stack: &Stack) -> u64 {
    let mut redis = stack.redis.connection().await;
    redis_info::calls(&mut redis, "xrange").await
}

fn port(client: &Client) -> u16 {
    client.base().rsplit(':').next().unwrap().parse().unwrap()
}

/// The API's established connections, from the kernel's table.
pub fn established_connections(client: &Client) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of connections");
    let local = format!(":{:04X}", port(client));
    let rows = table.lines().filter(|row| {
        let mut fields = row.split_whitespace().skip(1);
        let is_local = fields.next().is_some_and(|field| field.ends_with(&local));
        is_local && fields.nth(1) == Some("01")
    });
    rows.count()
}

/// Resident memory of a process, in KiB.
pub fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("VmRSS").parse().unwrap()
}

/// A connection that requested events and reads nothing.
pub async fn request_events(client: &Client, id: &str, socket: bool) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port(client)))
        .await
        .expect("a connection");
    let head = match socket {
        false => format!("GET /api/v1/search/{id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        true => format!(
            "GET /api/v1/search/{id}/ws HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
        ),
    };
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

/// Waits until the first event has arrived.
pub async fn wait_for_first_event(stream: &mut TcpStream) {
    let mut all = Vec::new();
    while !all.windows(6).any(|part| part == b"queued") {
        let mut part = [0; 1024];
        let length = stream.read(&mut part).await.expect("an answer");
        assert_ne!(length, 0, "closed: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&part[..length]);
    }
}
