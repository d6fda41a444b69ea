//! The HTTP API: requests, answers, and access.

mod api_keys;
mod example_clients;
mod http_contract;
mod http_edges;
mod openapi;
mod ownership;
mod polling;
mod rate_limits;
mod request_bodies;
mod responses;
mod schema_conformance;
mod search_control;
mod validation;
