//! The HTTP API: takes searches, hands them to the workers through Redis, and answers polls.
//!
//! A process holds no state of its own: any number of them may stand behind a load balancer.

mod access;
mod app;
mod body;
mod cli;
mod connections;
mod head;
mod headers;
mod limits;
mod metrics;
mod openapi;
mod problem;
mod queue;
mod reply;
mod request_log;
mod routes;
mod server;
mod settings;
mod shutdown;
mod sse;
mod state;
mod submit;
mod unchunked;
mod wait;
mod watch;
mod web;

pub use cli::main;
