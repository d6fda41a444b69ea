//! Code shared by the API and the worker: wire schemas, Redis keys and connections, the job engine,
//! the history, settings, logs, traces and metrics.

pub mod allowed_hosts;
pub mod blocking_pool;
pub mod cache;
pub mod connection;
pub mod domain;
pub mod history;
pub mod jobs;
pub mod keys;
pub mod metrics;
pub mod mode;
pub mod outage_log;
pub mod probe;
pub mod rate_limit;
pub mod schema;
pub mod secret;
pub mod settings;
pub mod signals;
pub mod supervisor;
pub mod telemetry;
pub mod tls;
pub mod version;
pub mod webhook;
