//! TLS to a real Postgres in each sslmode.

use super::pages::unfiltered;
use super::suite::{assert_same, session};
use super::tls_server::{TlsServer, an_authority, expired, localhost, shared};
use crate::history::{
    AuthoritiesError, DatabaseUrl, EncryptionError, History, HistoryError, inspect, open,
};
use crate::tls::CaFile;
use diesel::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(QueryableByName)]
struct Encrypted {
    #[diesel(sql_type = Bool)]
    ssl: bool,
}

/// Whether each connection of the history is encrypted, according to the server.
async fn encrypted(server: &TlsServer, database: &str) -> Vec<bool> {
    let mut connection = AsyncPgConnection::establish(&server.socket_url(database))
        .await
        .unwrap();
    let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
               WHERE datname = current_database() AND client_port > 0";
    let rows: Vec<Encrypted> = diesel::sql_query(sql).load(&mut connection).await.unwrap();
    rows.into_iter().map(|row| row.ssl).collect()
}

async fn open_history(url: &str) -> Arc<dyn History> {
    open(&DatabaseUrl::parse(url).unwrap()).await.unwrap()
}

/// Stores and reads a session; checks whether the connections are encrypted.
async fn assert_works(
    server: &TlsServer,
    user: &str,
    host: &str,
    parameters: &str,
    is_encrypted: bool,
) {
    let database = server.database().await;
    let history = open_history(&server.url(user, host, &database, parameters)).await;
    let session = session();
    history.save(&session).await.unwrap();
    let kept = history.get(session.id).await.unwrap();
    assert_same(kept.as_ref(), &session);
    let page = history.page(&unfiltered()).await.unwrap();
    let listed: Vec<_> = page.sessions.iter().map(|listed| listed.id).collect();
    assert_eq!(listed, [session.id], "{parameters}");
    let connections = encrypted(server, &database).await;
    assert!(!connections.is_empty(), "{parameters}");
    for connection in connections {
        assert_eq!(connection, is_encrypted, "{parameters}");
    }
}

/// The fault that both a call and `inspect` report; opening succeeds all the same.
async fn encryption_error(server: &TlsServer, host: &str, parameters: &str) -> EncryptionError {
    let url = server.url("tester", host, "postgres", parameters);
    let inspected = inspect(&DatabaseUrl::parse(&url).unwrap()).await;
    let used = open_history(&url).await.ping().await;
    let [used, inspected] = [used, inspected.map(drop)].map(|outcome| {
        let error = outcome.expect_err(parameters);
        assert!(error.is_transient(), "{error:?}");
        assert_no_secret(&error);
        error
    });
    assert_eq!(used.to_string(), inspected.to_string());
    match used {
        HistoryError::Encryption(fault) => fault,
        other => panic!("{parameters}: {other:?}"),
    }
}

fn assert_no_secret(error: &HistoryError) {
    let mut chain = format!("{error:?}");
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        chain.push_str(&error.to_string());
        cause = error.source();
    }
    for secret in ["hunter2", "tester", "127.0.0.1", "localhost", "example.org"] {
        assert!(!chain.contains(secret), "{chain}");
    }
}

#[tokio::test]
async fn verify_full_uses_an_encrypted_connection() {
    let server = shared().await;
    let parameters = format!("sslmode=verify-full&sslrootcert={}", server.ca_file());
    assert_works(server, "tester", "localhost", &parameters, true).await;
    let url = server.url("tester", "localhost", "postgres", &parameters);
    inspect(&DatabaseUrl::parse(&url).unwrap()).await.unwrap();
}

#[tokio::test]
async fn verify_ca_and_require_accept_a_certificate_for_another_host() {
    let server = shared().await;
    for parameters in [
        format!("sslmode=verify-ca&sslrootcert={}", server.ca_file()),
        format!("sslmode=require&sslrootcert={}", server.ca_file()),
        "sslmode=require".to_owned(),
    ] {
        assert_works(server, "tester", "db.example.org", &parameters, true).await;
    }
}

#[tokio::test]
async fn the_default_encrypts_if_the_server_supports_it() {
    let server = shared().await;
    assert_works(server, "tester", "db.example.org", "", true).await;
    assert_works(server, "tester", "db.example.org", "sslmode=prefer", true).await;
    assert_works(server, "tester", "localhost", "sslmode=disable", false).await;
}

#[tokio::test]
async fn prefer_falls_back_if_encrypted_connections_are_refused() {
    let server = shared().await;
    assert_works(server, "plain", "localhost", "sslmode=prefer", false).await;
    let url = server.url("plain", "localhost", "postgres", "sslmode=require");
    let error = open_history(&url).await.ping().await.unwrap_err();
    assert!(matches!(error, HistoryError::Unreachable(_)), "{error:?}");
}

/// The protocol version, which begins a session without encryption.
const PROTOCOL_VERSION: [u8; 4] = [0, 3, 0, 0];

/// Reads the head of the first message; bytes 5 to 8 are its type.
async fn first_message(listener: &TcpListener) -> (TcpStream, [u8; 4]) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = [0; 8];
    stream.read_exact(&mut head).await.unwrap();
    let [.., a, b, c, d] = head;
    (stream, [a, b, c, d])
}

#[tokio::test]
async fn only_prefer_falls_back_after_a_failed_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let look = async |sslmode| {
        let url = format!("postgres://u:hunter2@127.0.0.1:{port}/d?sslmode={sslmode}");
        inspect(&DatabaseUrl::parse(&url).unwrap())
            .await
            .unwrap_err()
    };
    let fail = async || {
        let (mut stream, asked) = first_message(&listener).await;
        assert_ne!(asked, PROTOCOL_VERSION);
        stream.write_all(b"S").await.unwrap();
        // Without this, the client gets a reset instead of the end of the stream.
        stream.shutdown().await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (error, ()) = tokio::join!(look("require"), fail());
    assert!(
        matches!(
            error,
            HistoryError::Encryption(EncryptionError::Handshake(_))
        ),
        "{error:?}"
    );
    let (error, second) = tokio::join!(look("prefer"), async {
        fail().await;
        first_message(&listener).await.1
    });
    assert_eq!(second, PROTOCOL_VERSION);
    assert!(matches!(error, HistoryError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = shared().await;
    for parameters in [
        format!("sslmode=verify-full&sslrootcert={}", server.other_ca_file()),
        format!("sslmode=verify-ca&sslrootcert={}", server.other_ca_file()),
        format!("sslmode=require&sslrootcert={}", server.other_ca_file()),
        "sslmode=verify-full".to_owned(),
    ] {
        let fault = encryption_error(server, "localhost", &parameters).await;
        assert!(matches!(fault, EncryptionError::Untrusted), "{fault:?}");
        let message = fault.to_string();
        assert!(
            message.contains("let sslrootcert in DATABASE_URL"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_by_verify_full() {
    let server = shared().await;
    let parameters = format!("sslmode=verify-full&sslrootcert={}", server.ca_file());
    for host in ["db.example.org", "127.0.0.1"] {
        let fault = encryption_error(server, host, &parameters).await;
        assert!(matches!(fault, EncryptionError::WrongName), "{fault:?}");
        let message = fault.to_string();
        assert!(message.contains("subjectAltName"), "{message}");
    }
}

#[tokio::test]
async fn a_password_is_bound_to_the_encrypted_channel() {
    let server = shared().await;
    let bound = format!(
        "sslmode=verify-full&sslrootcert={}&channel_binding=require",
        server.ca_file()
    );
    assert_works(server, "tester", "localhost", &bound, true).await;
    let unbound = "sslmode=disable&channel_binding=require";
    let url = server.url("tester", "localhost", "postgres", unbound);
    let error = open_history(&url).await.ping().await.unwrap_err();
    assert!(matches!(error, HistoryError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_if_sslmode_demands_it() {
    let mut server = TlsServer::new();
    server.start();
    let ours = server.ca_file();
    for parameters in [
        "sslmode=require".to_owned(),
        format!("sslmode=verify-ca&sslrootcert={ours}"),
        format!("sslmode=verify-full&sslrootcert={ours}"),
    ] {
        let fault = encryption_error(&server, "localhost", &parameters).await;
        assert!(matches!(fault, EncryptionError::NotOffered), "{fault:?}");
        let message = fault.to_string();
        assert!(
            message.contains("ssl = on") && message.contains("sslmode=disable"),
            "{message}"
        );
    }
    assert_works(&server, "tester", "localhost", "", false).await;
    assert_works(&server, "tester", "localhost", "sslmode=disable", false).await;
}

#[tokio::test]
async fn a_changed_certificate_is_checked_by_the_next_connection() {
    let mut server = TlsServer::new();
    server.certify(&localhost());
    server.start();
    server.create_users().await;
    let parameters = format!("sslmode=verify-full&sslrootcert={}", server.ca_file());
    let url = server.url("tester", "localhost", "postgres", &parameters);
    let history = open_history(&url).await;
    history.ping().await.unwrap();

    server.stop();
    server.certify(&expired());
    server.start();
    let fault = self::encryption_error(&server, "localhost", &parameters).await;
    assert!(matches!(fault, EncryptionError::Outdated), "{fault:?}");

    server.stop();
    server.certify(&an_authority());
    server.start();
    let fault = self::encryption_error(&server, "localhost", &parameters).await;
    assert!(matches!(fault, EncryptionError::Unusable(_)), "{fault:?}");

    server.stop();
    server.change_authority();
    server.certify(&localhost());
    server.start();
    // Pooled connections of the stopped server fail first.
    let error = loop {
        match history.ping().await {
            Err(HistoryError::Query(_)) => {}
            outcome => break outcome.unwrap_err(),
        }
    };
    assert_no_secret(&error);
    assert!(
        matches!(error, HistoryError::Encryption(EncryptionError::Untrusted)),
        "{error:?}"
    );
}

#[tokio::test]
async fn unreadable_certificates_fail_the_opening_by_name() {
    let server = shared().await;
    let [missing, empty, broken] =
        ["missing.pem", "empty.pem", "broken.pem"].map(|name| server.file(name));
    std::fs::write(&empty, "no certificate").unwrap();
    let bad = "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n";
    std::fs::write(&broken, bad).unwrap();
    for path in [missing, empty, broken] {
        let parameters = format!("sslmode=verify-full&sslrootcert={}", path.display());
        let url = server.url("tester", "localhost", "postgres", &parameters);
        let url = DatabaseUrl::parse(&url).unwrap();
        let inspected = inspect(&url).await.unwrap_err();
        let error = open(&url).await.err().unwrap();
        assert_eq!(error.to_string(), inspected.to_string());
        assert!(matches!(error, HistoryError::Authorities(_)), "{error:?}");
        assert!(!error.is_transient());
        let message = error.to_string();
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        assert!(
            message.starts_with("sslrootcert in DATABASE_URL"),
            "{message}"
        );
        assert_no_secret(&error);
    }
}

#[tokio::test]
async fn the_system_does_not_trust_the_test_authority() {
    let server = shared().await;
    let url = server.url("tester", "localhost", "postgres", "sslrootcert=system");
    let error = inspect(&DatabaseUrl::parse(&url).unwrap())
        .await
        .unwrap_err();
    let is_refused = matches!(
        error,
        HistoryError::Encryption(EncryptionError::Untrusted)
            | HistoryError::Authorities(AuthoritiesError::NoSystem)
    );
    assert!(is_refused, "{error:?}");
}

#[tokio::test]
async fn a_ca_file_is_trusted_in_addition_to_public_authorities() {
    let server = shared().await;
    let database = server.database().await;
    let trusting = |file: &Path, parameters: &str| {
        let url = server.url("tester", "localhost", &database, parameters);
        DatabaseUrl::parse_with_ca(&url, Some(CaFile::read(file).unwrap())).unwrap()
    };
    for parameters in ["", "sslmode=verify-full", "sslmode=verify-ca"] {
        let history = open(&trusting(Path::new(&server.ca_file()), parameters))
            .await
            .unwrap();
        history.ping().await.unwrap();
        let connections = encrypted(server, &database).await;
        assert!(
            !connections.is_empty() && !connections.contains(&false),
            "{parameters}"
        );
        let history = open(&trusting(Path::new(&server.other_ca_file()), parameters))
            .await
            .unwrap();
        let error = history.ping().await.unwrap_err();
        assert!(
            matches!(error, HistoryError::Encryption(EncryptionError::Untrusted)),
            "{parameters}: {error:?}"
        );
        assert!(error.to_string().contains("DATABASE_CA_FILE"), "{error}");
    }
}
