//! The harness of the black-box tests: real servers and real binaries, each in a folder of its own
//! and stopped when the test is over, however it ends; and doubles of what the service asks over
//! HTTP. A test begins with
//!
//! ```no_run
//! # use privachat_tests::{Binaries, Stack};
//! # async fn f(binaries: Binaries) { // in a test: privachat_tests::binaries!()
//! let stack = Stack::builder(binaries).workers(2).env("LOG_LEVEL", "debug").start().await;
//! let accepted = stack.client().post_search(serde_json::json!({"query": "q", "async_mode": true})).await;
//! # }
//! ```
//!
//! Panics are the reports here, so they say what to do.

pub mod balancer;
pub mod browser;
pub mod chaos;
pub mod client;
pub mod critical_path;
pub mod damage;
pub mod fixtures;
pub mod info;
mod keeper;
pub mod listening;
pub mod planted;
pub mod postgres;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod quality;
pub mod raw;
pub mod reader;
pub mod recovery;
pub mod redis;
pub mod redis_cluster;
pub mod redis_sentinel;
pub mod scene;
pub mod scrape;
pub mod socket;
pub mod sources;
pub mod stack;
pub mod stream;
pub mod surface;
pub mod upstream;
pub mod users;
pub mod wait;

pub use browser::Browser;
pub use client::{Answer, Client};
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
