//! The harness of the black-box tests: real servers and real binaries, each in its own folder and
//! stopped at the end of the test, also when the test fails; and doubles of the servers that the
//! service calls over HTTP. A test begins with
//!
//! ```no_run
//! # use privachat_tests::{Binaries, Stack};
//! # async fn f(binaries: Binaries) { // in a test: privachat_tests::binaries!()
//! let stack = Stack::builder(binaries).workers(2).env("LOG_LEVEL", "debug").start().await;
//! let accepted = stack.client().post_search(serde_json::json!({"query": "q", "async_mode": true})).await;
//! # }
//! ```
//!
//! The harness reports errors by panics; their messages say what to do.

pub mod api_operations;
pub mod balancer;
pub mod browser;
pub mod canary;
pub mod captured_bodies;
pub mod chaos;
pub mod client;
pub mod critical_path;
pub mod damaged_keys;
pub mod event_listeners;
pub mod event_stream;
pub mod fixtures;
pub mod postgres;
pub mod process;
pub mod programs;
pub mod project_files;
pub mod proxy;
pub mod quality;
pub mod raw_http;
pub mod recovery;
pub mod redis;
pub mod redis_cluster;
pub mod redis_info;
pub mod redis_sentinel;
pub mod resuming_reader;
pub mod scrape;
mod spawner;
pub mod stack;
pub mod upstream;
pub mod users;
pub mod wait;
pub mod websocket;

pub use browser::Browser;
pub use client::{Client, HttpResponse};
pub use postgres::PostgresServer;
pub use process::Process;
pub use programs::{Api, Binaries, Worker};
pub use proxy::Proxy;
pub use redis::RedisServer;
pub use redis_cluster::RedisCluster;
pub use redis_sentinel::RedisSentinel;
pub use stack::Stack;
pub use upstream::Upstream;
pub use wait::eventually;
