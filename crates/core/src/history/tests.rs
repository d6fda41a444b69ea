//! A suite that runs on both databases, then tests of each database alone.

mod finding;
mod inspect;
mod outage;
mod pages;
mod place;
mod postgres_server;
mod retention;
mod sqlite;
mod suite;
mod tls;
mod tls_server;
mod upgrade;
mod url;
