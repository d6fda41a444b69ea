//! The Redis of all measurements: a redis-server of this run, on TCP, its AOF synced before each
//! reply.

use privachat_tests::redis::{Options, RedisServer};
use redis::AsyncConnectionConfig;

/// As in a deployment, on TCP.
pub(crate) fn deployed() -> Options {
    Options {
        aof: true,
        tcp: true,
        ..Options::default()
    }
}

/// The same, but without rewrites of its file. Redis rewrites it when it has doubled: rarely in
/// service, but in the seconds after it was emptied, and a rewrite takes a core.
pub(crate) fn steady() -> Options {
    Options {
        arguments: ["--auto-aof-rewrite-percentage", "0"]
            .map(str::to_owned)
            .into(),
        ..deployed()
    }
}

pub(crate) async fn server() -> RedisServer {
    RedisServer::with(steady()).await
}

/// Deletes everything, so that each side starts alike.
pub(crate) async fn empty(server: &RedisServer) {
    let client = redis::Client::open(server.url()).expect("the address of our own Redis");
    // Deleting millions of keys takes longer than the client's default timeout.
    let patient = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&patient);
    let mut connection = connection.await.expect("a connection to our own Redis");
    let mut flush = redis::cmd("FLUSHALL");
    flush.arg("SYNC");
    let () = flush
        .query_async(&mut connection)
        .await
        .expect("an empty Redis");
}
