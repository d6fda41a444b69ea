//! Code shared by the API and the worker: wire schemas, Redis keys and connections, the job engine,
//! the history, settings, logs, traces and metrics.

pub mod cache;
pub mod connection;
pub mod domain;
pub mod history;
pub mod hosts;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod metrics;
pub mod mode;
pub mod outage;
pub mod parts;
pub mod probe;
pub mod schema;
pub mod secret;
pub mod settings;
pub mod signals;
pub mod telemetry;
pub mod threads;
pub mod tls;
pub mod version;
pub mod webhook;
