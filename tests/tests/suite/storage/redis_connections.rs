//! Which runtime uses which connection to a real Redis.

use privachat_core::connection::Redis;
use privachat_tests::RedisServer;
use std::thread;

/// The server's id of this connection.
async fn connection(redis: &Redis) -> i64 {
    redis.query(redis::cmd("CLIENT").arg("ID")).await.unwrap()
}

/// Like the threads of actix: each has its own runtime.
fn on_a_thread_of_its_own(redis: &Redis) -> [i64; 2] {
    let redis = redis.clone();
    let used = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { [connection(&redis).await, connection(&redis).await] })
    });
    used.join().unwrap()
}

#[tokio::test]
async fn each_runtime_keeps_one_connection_and_needs_no_other_thread_to_drive_it() {
    let server = RedisServer::start().await;
    let redis = Redis::open(&server.url()).unwrap();
    let here = connection(&redis).await;
    let [there, again] = on_a_thread_of_its_own(&redis);
    assert_eq!(there, again);
    assert_ne!(there, here);
    assert_eq!(connection(&redis).await, here);
}

/// Ids of runtimes are reused.
#[tokio::test]
async fn the_connection_of_an_ended_runtime_is_not_reused() {
    let server = RedisServer::start().await;
    let redis = Redis::open(&server.url()).unwrap();
    for _ in 0..20 {
        let [first, second] = on_a_thread_of_its_own(&redis);
        assert_eq!(first, second);
    }
}
