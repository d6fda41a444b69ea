//! A suite that runs on both databases, then tests of each database alone.

mod full_text;
mod inspect;
mod outage;
mod pages;
mod postgres_server;
mod retention;
mod sqlite;
mod suite;
mod test_database;
mod tls;
mod tls_server;
mod upgrade;
mod url;
