//! `/readyz` of the API fails with a reason exactly while a POST would be refused; a server that is
//! not Redis counts as an outage.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use privachat_tests::fixtures::question;
use privachat_tests::redis::Options;
use privachat_tests::{Api, RedisServer, Stack, binaries, eventually};
use redis::AsyncCommands;
use serde_json::Value;
use tempfile::TempDir;

const TIMEOUT: Duration = Duration::from_secs(20);

async fn stack(arguments: &[&str]) -> Stack {
    let redis = RedisServer::with(Options {
        arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
        ..Options::default()
    })
    .await;
    Stack::builder(binaries!())
        .workers(0)
        .on_redis(redis)
        .start()
        .await
}

async fn configure(stack: &Stack, command: &[&str]) {
    let mut redis = stack.redis.connection().await;
    let (name, arguments) = command.split_first().unwrap();
    let () = redis::cmd(name)
        .arg(arguments)
        .query_async(&mut redis)
        .await
        .unwrap();
}

/// Fails with this reason, and a POST is refused.
async fn assert_not_ready(stack: &Stack, reason: &str) {
    let client = stack.client();
    let body = client.get("/readyz").await.expect(503);
    assert_eq!(body["status"], "not ready", "{body}");
    assert!(body["redis"].as_str().unwrap().contains(reason), "{body}");
    let mut search = question();
    search["async_mode"] = true.into();
    client.post_search(search).await.expect(503);
}

/// Succeeds again; nothing is left behind.
async fn assert_ready_again(stack: &Stack) {
    eventually("the API is ready again", TIMEOUT, async || {
        (stack.client().status_of("/readyz").await == Some(200)).then_some(())
    })
    .await;
    stack.client().enqueue(question()).await;
    let mut redis = stack.redis.connection().await;
    let keys: Vec<String> = redis.keys("*writable*").await.unwrap();
    assert!(keys.is_empty(), "{keys:?}");
}

#[tokio::test]
async fn a_full_redis_is_not_ready() {
    let stack = stack(&[]).await;
    stack.redis.fill(true).await;
    assert_not_ready(&stack, "is full").await;
    stack.redis.fill(false).await;
    assert_ready_again(&stack).await;
}

#[tokio::test]
async fn a_replica_is_not_ready() {
    let stack = stack(&[]).await;
    configure(&stack, &["REPLICAOF", "127.0.0.1", "1"]).await;
    assert_not_ready(&stack, "replica").await;
    configure(&stack, &["REPLICAOF", "NO", "ONE"]).await;
    assert_ready_again(&stack).await;
}

#[tokio::test]
async fn a_master_without_its_replicas_is_not_ready() {
    let stack = stack(&[]).await;
    configure(&stack, &["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    assert_not_ready(&stack, "too few replicas").await;
    configure(&stack, &["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    assert_ready_again(&stack).await;
}

#[tokio::test]
async fn a_redis_that_cannot_save_is_not_ready() {
    let stack = stack(&["--save", "3600", "1000000"]).await;
    let mut redis = stack.redis.connection().await;
    let (_, folder): (String, String) = redis::cmd("CONFIG")
        .arg(&["GET", "dir"])
        .query_async(&mut redis)
        .await
        .unwrap();
    // The snapshot cannot replace a folder.
    let in_the_way = std::path::Path::new(&folder).join("dump.rdb");
    std::fs::create_dir(&in_the_way).unwrap();
    std::fs::write(in_the_way.join("file"), "").unwrap();
    configure(&stack, &["BGSAVE"]).await;
    eventually("the snapshot has failed", TIMEOUT, async || {
        let info: String = redis::cmd("INFO")
            .arg("persistence")
            .query_async(&mut redis)
            .await
            .unwrap();
        info.contains("rdb_last_bgsave_status:err").then_some(())
    })
    .await;
    assert_not_ready(&stack, "cannot save").await;
    let off = ["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"];
    configure(&stack, &off).await;
    assert_ready_again(&stack).await;
}

/// A server that answers everything with these bytes.
fn other_server(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while matches!(connection.read(&mut buffer), Ok(length) if length > 0) {
                    if connection.write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_is_not_redis_is_an_outage() {
    let answers: [&[u8]; 8] = [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"ERROR\r\n",
        b"500 5.5.1 Invalid command\r\n",
        b"-ERR unknown command\r\n",
        b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
        b":1\r\n:1\r\n:1\r\n:1\r\n",
        b"$-1\r\n$-1\r\n$-1\r\n$-1\r\n",
        b"\x00\xff\x15\x03\x01",
    ];
    for answer in answers {
        let folder = TempDir::new().unwrap();
        let port = other_server(answer);
        let history = folder.path().join("history.db");
        let settings = [
            ("REDIS_URL", format!("redis://127.0.0.1:{port}/0")),
            ("DATABASE_URL", format!("sqlite://{}", history.display())),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        let api = Api::start(binaries!().api, &settings.into(), folder.path()).await;
        let client = api.client();
        let shown = String::from_utf8_lossy(answer);
        let mut search = question();
        search["async_mode"] = true.into();
        assert_eq!(client.post_search(search).await.status, 503, "{shown}");
        let body: Value = client.get("/readyz").await.expect(503);
        assert_eq!(body["redis"], "does not answer", "{shown}");
        assert_eq!(client.get("/api/v1/queue").await.status, 503, "{shown}");
    }
}
