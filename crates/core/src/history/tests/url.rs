//! DATABASE_URL: what is read, what is refused, and that nothing of it leaks.

use crate::history::DatabaseUrl;
use crate::history::DatabaseUrlError::{
    self, InMemory, NoFile, NoHost, Port, Scheme, SqliteParameters, SslMode, Unescaped,
};
use std::path::Path;

#[test]
fn a_sqlite_path_is_relative_or_absolute() {
    for (text, expected) in [
        ("sqlite://data/privachat.db", "data/privachat.db"),
        ("sqlite://./h.db", "h.db"),
        ("sqlite:///var/lib/h.db", "/var/lib/h.db"),
        ("sqlite://file:h.db", "file:h.db"),
        ("  sqlite://a b.db\n", "a b.db"),
    ] {
        let Ok(DatabaseUrl::Sqlite(file)) = DatabaseUrl::parse(text) else {
            panic!("{text}");
        };
        assert_eq!(file.as_path(), Path::new(".").join(expected), "{text}");
    }
}

#[test]
fn a_postgres_url_reaches_the_driver_with_its_parameters() {
    for text in [
        "postgres://u:p@host:5432/db?sslmode=prefer&connect_timeout=3",
        "postgresql://u:p@host:5432/db?sslmode=prefer&connect_timeout=3",
        "postgresql+asyncpg://u:p@host:5432/db?sslmode=prefer&connect_timeout=3",
    ] {
        let Ok(DatabaseUrl::Postgres(url)) = DatabaseUrl::parse(text) else {
            panic!("{text}");
        };
        let expected = "postgres://u:p@host:5432/db?sslmode=prefer&connect_timeout=3";
        assert_eq!(url.expose(), expected);
    }
}

#[test]
fn usual_forms_of_a_postgres_url_are_read() {
    for text in [
        "postgres://localhost/db",
        "postgres://u:p%40ss@host",
        "postgres://u@[::1]:5432/db",
        "postgres://u@one:5432,two/db",
        "postgres://u@%2Frun%2Fpostgresql/db",
        "postgres:///db?host=/run/postgresql",
        "postgres://u:p@host/db?sslmode=disable",
    ] {
        assert!(DatabaseUrl::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_bad_url_is_refused_by_its_fault_and_never_repeated() {
    let faults: [(&str, DatabaseUrlError); 19] = [
        ("", Scheme),
        ("hunter2", Scheme),
        ("/data/hunter2.db", Scheme),
        ("mysql://u:hunter2@host/db", Scheme),
        ("sqlite::memory:", InMemory),
        ("sqlite://:memory:", InMemory),
        ("sqlite://", NoFile),
        ("sqlite:///", NoFile),
        ("sqlite://data/", NoFile),
        ("sqlite://h.db?mode=hunter2", SqliteParameters),
        ("postgres://", NoHost),
        ("postgres:///hunter2", NoHost),
        ("postgres://u:hunter2@/db", NoHost),
        ("postgres://u:hunter2/x@host/db", Unescaped),
        ("postgres://u:hunter2@x@host/db", Unescaped),
        ("postgres://u:hunter2#x@host/db?a=#", Unescaped),
        ("postgres://u:hunter2@host:99999/db", Port),
        ("postgres://u:hunter2", Port),
        ("postgres://u:hunter2@host/db?sslmode=verify-full", SslMode),
    ];
    for (text, fault) in faults {
        let error = DatabaseUrl::parse(text).unwrap_err();
        assert_eq!(error, fault, "{text}");
        let message = error.to_string();
        assert!(message.starts_with("DATABASE_URL"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn no_form_of_a_url_shows_user_password_or_host() {
    let url = DatabaseUrl::parse("postgresql+asyncpg://user:hunter2@host:1/db?password=x").unwrap();
    assert_eq!(url.to_string(), r#"Postgres database "db""#);
    assert_eq!(format!("{url:?}"), r#"Postgres(PostgresUrl("db"))"#);
}
