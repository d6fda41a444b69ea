//! The Redis that everything is measured on: a redis-server of this run, on TCP, AOF everysec.

use privachat_tests::redis::{Options, RedisServer};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use std::time::Duration;

pub(crate) async fn server() -> RedisServer {
    RedisServer::with(Options {
        aof: true,
        tcp: true,
        ..Options::default()
    })
    .await
}

/// Takes everything away, so that each side begins with the same.
pub(crate) async fn empty(server: &RedisServer) {
    let client = redis::Client::open(server.url()).expect("the address of our own Redis");
    // Millions of keys take longer than the client waits for a reply by itself.
    let patient = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&patient);
    let mut connection = connection.await.expect("a connection to our own Redis");
    let mut flush = redis::cmd("FLUSHALL");
    flush.arg("SYNC");
    let () = flush
        .query_async(&mut connection)
        .await
        .expect("an empty Redis");
    settled(&mut connection).await;
}

/// Waits until no AOF is being rewritten: that takes a core of its own.
pub(crate) async fn settled(connection: &mut MultiplexedConnection) {
    loop {
        let mut info = redis::cmd("INFO");
        let state: String = info
            .arg("persistence")
            .query_async(connection)
            .await
            .expect("the state of the AOF");
        let is_busy = ["aof_rewrite_in_progress:1", "aof_rewrite_scheduled:1"]
            .iter()
            .any(|sign| state.contains(sign));
        if !is_busy {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
