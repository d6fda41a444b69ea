//! DATABASE_URL: accepted and refused forms, and that no error repeats it.

use crate::history::DatabaseUrl;
use crate::history::DatabaseUrlError::{
    self, InMemory, NoFile, NoHost, Parameter, Port, Scheme, SqliteParameters, SslHostName,
    SslMode, SslNegotiation, SslRootCert, TwoCaFiles, Unescaped, UnusedCaFile,
};
use crate::history::encryption::{Authorities, Encryption};
use crate::tls::CaFile;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode as DriverMode};

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
fn parameters_of_a_postgres_url_reach_the_driver() {
    for text in [
        "postgres://u:p@host:5432/db?sslmode=prefer&connect_timeout=3",
        "postgresql://u:p@host:5432/db?sslmode=prefer&connect_timeout=3",
        "postgresql+asyncpg://u:p@host:5432/db?sslmode=prefer&connect_timeout=3",
    ] {
        let Ok(DatabaseUrl::Postgres(url)) = DatabaseUrl::parse(text) else {
            panic!("{text}");
        };
        let config = url.config();
        assert_eq!(config.get_hosts(), [Host::Tcp("host".to_owned())]);
        assert_eq!(config.get_ports(), [5432]);
        assert_eq!(config.get_password(), Some(b"p".as_slice()));
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
    }
}

#[test]
fn common_forms_of_a_postgres_url_are_accepted() {
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
fn sslmode_and_sslrootcert_have_the_meaning_of_libpq() {
    let verified = |authorities, host_name| Encryption::Verified {
        authorities,
        host_name,
    };
    let file = || Authorities::File(PathBuf::from("/etc/a b/ca+1.pem"));
    let named = "sslrootcert=%2Fetc/a%20b/ca+1.pem";
    for (parameters, expected, driver) in [
        (String::new(), Encryption::Preferred, DriverMode::Prefer),
        (
            "sslmode=require&sslmode=prefer".to_owned(),
            Encryption::Preferred,
            DriverMode::Prefer,
        ),
        (
            "sslmode=disable".to_owned(),
            Encryption::Disabled,
            DriverMode::Disable,
        ),
        (
            "sslmode=require".to_owned(),
            Encryption::Unverified,
            DriverMode::Require,
        ),
        (
            format!("sslmode=require&{named}"),
            verified(file(), false),
            DriverMode::Require,
        ),
        (
            format!("{named}&sslmode=verify-ca&application_name=x"),
            verified(file(), false),
            DriverMode::Require,
        ),
        (
            format!("sslmode=verify-full&{named}&sslnegotiation=direct"),
            verified(file(), true),
            DriverMode::Require,
        ),
        (
            "sslmode=verify-full".to_owned(),
            verified(Authorities::Public, true),
            DriverMode::Require,
        ),
        (
            "sslrootcert=system".to_owned(),
            verified(Authorities::System, true),
            DriverMode::Require,
        ),
    ] {
        let text = format!("postgres://u:p@host/db?{parameters}");
        let Ok(DatabaseUrl::Postgres(url)) = DatabaseUrl::parse(&text) else {
            panic!("{text}");
        };
        assert_eq!(*url.encryption(), expected, "{text}");
        assert_eq!(url.config().get_ssl_mode(), driver, "{text}");
    }
}

#[test]
fn a_unix_socket_is_never_encrypted() {
    for text in [
        "postgres://u@%2Frun%2Fpostgresql/db",
        "postgres://u@%2Frun%2Fpostgresql/db?sslmode=require",
        "postgres:///db?host=/run/postgresql&sslmode=verify-full&sslrootcert=/nowhere",
    ] {
        let Ok(DatabaseUrl::Postgres(url)) = DatabaseUrl::parse(text) else {
            panic!("{text}");
        };
        assert_eq!(*url.encryption(), Encryption::Disabled, "{text}");
        assert_eq!(url.config().get_ssl_mode(), DriverMode::Disable, "{text}");
    }
}

#[test]
fn a_bad_url_is_refused_with_its_fault_and_not_repeated() {
    let faults: [(&str, DatabaseUrlError); 31] = [
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
        ("postgres://u:hunter2@host/db?sslmode=allow", SslMode),
        ("postgres://u:hunter2@host/db?sslmode=", SslMode),
        ("postgres://u:p@host/db?hunter2=hunter2", Parameter),
        ("postgres://u:p@host/db?connect_timeout=hunter2", Parameter),
        ("postgres://u:p@host/db?hunter2", Parameter),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-full&sslrootcert=",
            Parameter,
        ),
        (
            "postgres://u:hunter2@host/db?sslrootcert=ca.pem",
            SslRootCert,
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=prefer&sslrootcert=ca.pem",
            SslRootCert,
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=disable&sslrootcert=ca.pem",
            SslRootCert,
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-ca",
            SslHostName,
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-ca&sslrootcert=system",
            SslHostName,
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=require&sslrootcert=system",
            SslHostName,
        ),
        (
            "postgres://u:hunter2@host/db?sslnegotiation=direct",
            SslNegotiation,
        ),
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

fn own_ca() -> CaFile {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["authority".to_owned()]).unwrap();
    std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    CaFile::read(&file).unwrap()
}

#[test]
fn a_ca_file_is_used_or_refused() {
    let own_ca = own_ca();
    let verified = |host_name| Encryption::Verified {
        authorities: Authorities::CaFile(own_ca.clone()),
        host_name,
    };
    let parse = |text: &str| DatabaseUrl::parse_with_ca(text, Some(own_ca.clone()));
    for (parameters, expected) in [
        ("", verified(true)),
        ("?sslmode=verify-full", verified(true)),
        ("?sslmode=verify-ca", verified(false)),
        ("?sslmode=require", verified(false)),
        // A socket is never encrypted.
        ("?host=/run/postgresql", Encryption::Disabled),
    ] {
        let host = if parameters.contains("host=") {
            ""
        } else {
            "host"
        };
        let Ok(DatabaseUrl::Postgres(url)) = parse(&format!("postgres://{host}/db{parameters}"))
        else {
            panic!("{parameters}");
        };
        assert_eq!(*url.encryption(), expected, "{parameters}");
    }
    for (parameters, fault) in [
        ("sslmode=prefer", UnusedCaFile),
        ("sslmode=disable", UnusedCaFile),
        ("sslrootcert=system", TwoCaFiles),
        ("sslmode=verify-full&sslrootcert=/etc/ca.pem", TwoCaFiles),
    ] {
        let text = format!("postgres://host/db?{parameters}");
        assert_eq!(parse(&text).unwrap_err(), fault, "{parameters}");
    }
    assert!(
        parse("sqlite://h.db").is_ok(),
        "SQLite ignores the certificates"
    );
}
