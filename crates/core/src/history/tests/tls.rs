//! TLS to a real Postgres, in each sslmode.

use super::pages::all;
use super::suite::{assert_same, session};
use super::tls_server::{TlsServer, an_authority, expired, localhost, shared};
use crate::history::{
    AuthoritiesError, DatabaseUrl, EncryptionFault, History, HistoryError, inspect, open,
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

/// Whether the connections that the history has are encrypted, as the server says.
async fn encrypted(server: &TlsServer, database: &str) -> Vec<bool> {
    let mut connection = AsyncPgConnection::establish(&server.local(database))
        .await
        .unwrap();
    let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
               WHERE datname = current_database() AND client_port > 0";
    let rows: Vec<Encrypted> = diesel::sql_query(sql).load(&mut connection).await.unwrap();
    rows.into_iter().map(|row| row.ssl).collect()
}

async fn opened(url: &str) -> Arc<dyn History> {
    open(&DatabaseUrl::parse(url).unwrap()).await.unwrap()
}

/// A session goes there and comes back, over connections that are encrypted or not.
async fn works(server: &TlsServer, user: &str, host: &str, parameters: &str, is_encrypted: bool) {
    let database = server.database().await;
    let history = opened(&server.url(user, host, &database, parameters)).await;
    let session = session();
    history.save(&session).await.unwrap();
    let kept = history.get(session.id).await.unwrap();
    assert_same(kept.as_ref(), &session);
    let page = history.page(&all()).await.unwrap();
    let listed: Vec<_> = page.sessions.iter().map(|listed| listed.id).collect();
    assert_eq!(listed, [session.id], "{parameters}");
    let connections = encrypted(server, &database).await;
    assert!(!connections.is_empty(), "{parameters}");
    for connection in connections {
        assert_eq!(connection, is_encrypted, "{parameters}");
    }
}

/// What it says when it is used, and when it is only looked at. The start goes on.
async fn fault(server: &TlsServer, host: &str, parameters: &str) -> EncryptionFault {
    let url = server.url("tester", host, "postgres", parameters);
    let looked = inspect(&DatabaseUrl::parse(&url).unwrap()).await;
    let used = opened(&url).await.ping().await;
    let [used, looked] = [used, looked.map(drop)].map(|outcome| {
        let error = outcome.expect_err(parameters);
        assert!(error.is_transient(), "{error:?}");
        shows_nothing(&error);
        error
    });
    assert_eq!(used.to_string(), looked.to_string());
    match used {
        HistoryError::Encryption(fault) => fault,
        other => panic!("{parameters}: {other:?}"),
    }
}

fn shows_nothing(error: &HistoryError) {
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
async fn verify_full_keeps_and_lists_over_an_encrypted_connection() {
    let server = shared().await;
    let parameters = format!("sslmode=verify-full&sslrootcert={}", server.ours());
    works(server, "tester", "localhost", &parameters, true).await;
    let url = server.url("tester", "localhost", "postgres", &parameters);
    inspect(&DatabaseUrl::parse(&url).unwrap()).await.unwrap();
}

#[tokio::test]
async fn verify_ca_and_require_take_a_certificate_for_another_host() {
    let server = shared().await;
    for parameters in [
        format!("sslmode=verify-ca&sslrootcert={}", server.ours()),
        format!("sslmode=require&sslrootcert={}", server.ours()),
        "sslmode=require".to_owned(),
    ] {
        works(server, "tester", "db.example.org", &parameters, true).await;
    }
}

#[tokio::test]
async fn what_is_not_said_is_encrypted_where_the_server_can() {
    let server = shared().await;
    works(server, "tester", "db.example.org", "", true).await;
    works(server, "tester", "db.example.org", "sslmode=prefer", true).await;
    works(server, "tester", "localhost", "sslmode=disable", false).await;
}

#[tokio::test]
async fn prefer_goes_without_where_encrypted_connections_are_not_let_in() {
    let server = shared().await;
    works(server, "plain", "localhost", "sslmode=prefer", false).await;
    let url = server.url("plain", "localhost", "postgres", "sslmode=require");
    let error = opened(&url).await.ping().await.unwrap_err();
    assert!(matches!(error, HistoryError::Unreachable(_)), "{error:?}");
}

/// What a driver says first once it is not asking for encryption: its version of the protocol.
const START: [u8; 4] = [0, 3, 0, 0];

/// Reads the head of a first message, of which bytes 5 to 8 say what it is.
async fn first_words(listener: &TcpListener) -> (TcpStream, [u8; 4]) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = [0; 8];
    stream.read_exact(&mut head).await.unwrap();
    let [.., a, b, c, d] = head;
    (stream, [a, b, c, d])
}

#[tokio::test]
async fn only_prefer_goes_without_where_encryption_is_offered_and_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let look = async |sslmode| {
        let url = format!("postgres://u:hunter2@127.0.0.1:{port}/d?sslmode={sslmode}");
        inspect(&DatabaseUrl::parse(&url).unwrap())
            .await
            .unwrap_err()
    };
    let fail = async || {
        let (mut stream, asked) = first_words(&listener).await;
        assert_ne!(asked, START);
        stream.write_all(b"S").await.unwrap();
        // Without this, the client's hello is answered by a reset.
        stream.shutdown().await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (error, ()) = tokio::join!(look("require"), fail());
    assert!(
        matches!(
            error,
            HistoryError::Encryption(EncryptionFault::Handshake(_))
        ),
        "{error:?}"
    );
    let (error, second) = tokio::join!(look("prefer"), async {
        fail().await;
        first_words(&listener).await.1
    });
    assert_eq!(second, START);
    assert!(matches!(error, HistoryError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let server = shared().await;
    for parameters in [
        format!("sslmode=verify-full&sslrootcert={}", server.other()),
        format!("sslmode=verify-ca&sslrootcert={}", server.other()),
        format!("sslmode=require&sslrootcert={}", server.other()),
        "sslmode=verify-full".to_owned(),
    ] {
        let fault = fault(server, "localhost", &parameters).await;
        assert!(matches!(fault, EncryptionFault::Untrusted), "{fault:?}");
        let told = fault.to_string();
        assert!(told.contains("let sslrootcert in DATABASE_URL"), "{told}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_by_verify_full() {
    let server = shared().await;
    let parameters = format!("sslmode=verify-full&sslrootcert={}", server.ours());
    for host in ["db.example.org", "127.0.0.1"] {
        let fault = fault(server, host, &parameters).await;
        assert!(matches!(fault, EncryptionFault::WrongName), "{fault:?}");
        let told = fault.to_string();
        assert!(told.contains("subjectAltName"), "{told}");
    }
}

#[tokio::test]
async fn a_password_is_bound_to_the_encrypted_channel() {
    let server = shared().await;
    let bound = format!(
        "sslmode=verify-full&sslrootcert={}&channel_binding=require",
        server.ours()
    );
    works(server, "tester", "localhost", &bound, true).await;
    let unbound = "sslmode=disable&channel_binding=require";
    let url = server.url("tester", "localhost", "postgres", unbound);
    let error = opened(&url).await.ping().await.unwrap_err();
    assert!(matches!(error, HistoryError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_where_it_is_demanded() {
    let mut server = TlsServer::new();
    server.start();
    let ours = server.ours();
    for parameters in [
        "sslmode=require".to_owned(),
        format!("sslmode=verify-ca&sslrootcert={ours}"),
        format!("sslmode=verify-full&sslrootcert={ours}"),
    ] {
        let fault = fault(&server, "localhost", &parameters).await;
        assert!(matches!(fault, EncryptionFault::NotOffered), "{fault:?}");
        let told = fault.to_string();
        assert!(
            told.contains("ssl = on") && told.contains("sslmode=disable"),
            "{told}"
        );
    }
    works(&server, "tester", "localhost", "", false).await;
    works(&server, "tester", "localhost", "sslmode=disable", false).await;
}

#[tokio::test]
async fn a_certificate_that_changes_is_noticed_by_the_next_connection() {
    let mut server = TlsServer::new();
    server.certify(&localhost());
    server.start();
    server.let_in().await;
    let parameters = format!("sslmode=verify-full&sslrootcert={}", server.ours());
    let url = server.url("tester", "localhost", "postgres", &parameters);
    let history = opened(&url).await;
    history.ping().await.unwrap();

    server.stop();
    server.certify(&expired());
    server.start();
    let fault = self::fault(&server, "localhost", &parameters).await;
    assert!(matches!(fault, EncryptionFault::Outdated), "{fault:?}");

    server.stop();
    server.certify(&an_authority());
    server.start();
    let fault = self::fault(&server, "localhost", &parameters).await;
    assert!(matches!(fault, EncryptionFault::Unusable(_)), "{fault:?}");

    server.stop();
    server.change_authority();
    server.certify(&localhost());
    server.start();
    // Its pool had connected before: those connections end first.
    let error = loop {
        match history.ping().await {
            Err(HistoryError::Query(_)) => {}
            outcome => break outcome.unwrap_err(),
        }
    };
    shows_nothing(&error);
    assert!(
        matches!(error, HistoryError::Encryption(EncryptionFault::Untrusted)),
        "{error:?}"
    );
}

#[tokio::test]
async fn certificates_that_cannot_be_read_end_the_start_and_are_named() {
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
        let looked = inspect(&url).await.unwrap_err();
        let error = open(&url).await.err().unwrap();
        assert_eq!(error.to_string(), looked.to_string());
        assert!(matches!(error, HistoryError::Authorities(_)), "{error:?}");
        assert!(!error.is_transient());
        let told = error.to_string();
        assert!(told.contains(path.to_str().unwrap()), "{told}");
        assert!(told.starts_with("sslrootcert in DATABASE_URL"), "{told}");
        shows_nothing(&error);
    }
}

#[tokio::test]
async fn the_system_has_never_heard_of_our_authority() {
    let server = shared().await;
    let url = server.url("tester", "localhost", "postgres", "sslrootcert=system");
    let error = inspect(&DatabaseUrl::parse(&url).unwrap())
        .await
        .unwrap_err();
    let is_refused = matches!(
        error,
        HistoryError::Encryption(EncryptionFault::Untrusted)
            | HistoryError::Authorities(AuthoritiesError::NoSystem)
    );
    assert!(is_refused, "{error:?}");
}

#[tokio::test]
async fn authorities_of_a_setting_are_trusted_beside_the_public_ones() {
    let server = shared().await;
    let database = server.database().await;
    let trusting = |file: &Path, parameters: &str| {
        let url = server.url("tester", "localhost", &database, parameters);
        DatabaseUrl::parse_trusting(&url, Some(CaFile::read(file).unwrap())).unwrap()
    };
    for parameters in ["", "sslmode=verify-full", "sslmode=verify-ca"] {
        let history = open(&trusting(Path::new(&server.ours()), parameters))
            .await
            .unwrap();
        history.ping().await.unwrap();
        let connections = encrypted(server, &database).await;
        assert!(
            !connections.is_empty() && !connections.contains(&false),
            "{parameters}"
        );
        let history = open(&trusting(Path::new(&server.other()), parameters))
            .await
            .unwrap();
        let error = history.ping().await.unwrap_err();
        assert!(
            matches!(error, HistoryError::Encryption(EncryptionFault::Untrusted)),
            "{parameters}: {error:?}"
        );
        assert!(error.to_string().contains("DATABASE_CA_FILE"), "{error}");
    }
}
