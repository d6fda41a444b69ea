//! The HTTP API: what a request may hold, what is answered, and who may ask.

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
