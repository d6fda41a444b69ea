//! One suite over both databases, then what is particular to each.

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
