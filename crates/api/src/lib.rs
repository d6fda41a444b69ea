//! The HTTP API: enqueues searches for the workers through Redis, and serves polls, event streams,
//! the history and the web pages.
//!
//! `app` is the route table, `routes` the handlers, `problem` the only place with error statuses.
//! A process keeps no search of its own: any number of them may run behind a load balancer.

mod access;
mod app;
mod body;
mod cli;
mod connections;
mod head_method;
mod http10;
mod limits;
mod metrics;
mod openapi;
mod pages;
mod problem;
mod queue;
mod request_log;
mod routes;
mod search_state;
mod security_headers;
mod server;
mod settings;
mod shutdown;
mod sse;
mod state;
mod stream;
mod submit;
mod wait;

pub use cli::main;
