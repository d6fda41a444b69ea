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
mod upgrade;
mod url;
