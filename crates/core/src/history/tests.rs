//! One suite over both databases, then what is particular to each.

mod inspect;
mod outage;
mod place;
mod postgres_server;
mod sqlite;
mod suite;
mod url;
