//! A Postgres that is down.

use super::postgres_server::PostgresServer;
use super::suite::{assert_same, session};
use crate::history::{DatabaseUrl, HistoryError, open};
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;

const MAX_CALL_TIME: Duration = Duration::from_secs(6);

#[tokio::test]
async fn a_server_that_starts_later_is_used_without_reopening() {
    let mut server = PostgresServer::new();
    let url = DatabaseUrl::parse(&server.url("postgres")).unwrap();
    let session = session();

    let history = open(&url).await.unwrap();
    let error = history.save(&session).await.unwrap_err();
    assert!(error.is_transient());

    server.start();
    history.save(&session).await.unwrap();

    server.stop();
    let error = history.get(session.id).await.unwrap_err();
    assert!(error.is_transient());

    server.start();
    assert_same(history.get(session.id).await.unwrap().as_ref(), &session);
}

/// On Tokio's paused clock, so that a busy machine does not change the result.
#[tokio::test(start_paused = true)]
async fn a_silent_server_delays_a_call_by_seconds_only() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = DatabaseUrl::parse(&format!("postgres://u:hunter2@127.0.0.1:{port}/d")).unwrap();
    let started = Instant::now();
    let history = open(&url).await.unwrap();
    assert!(started.elapsed() < MAX_CALL_TIME);

    let started = Instant::now();
    let calls = futures_util::future::join_all((0..3).map(|_| history.ping())).await;
    assert!(started.elapsed() < MAX_CALL_TIME);
    assert!(
        calls
            .into_iter()
            .all(|call| call.unwrap_err().is_transient())
    );
}

#[tokio::test]
async fn an_error_contains_neither_address_nor_password() {
    let url = DatabaseUrl::parse("postgres://secretuser:hunter2@127.0.0.1:1/d").unwrap();
    let error = open(&url).await.unwrap().ping().await.unwrap_err();
    assert!(matches!(error, HistoryError::Unreachable(_)));
    let mut chain = format!("{error:?}");
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        chain.push_str(&error.to_string());
        cause = error.source();
    }
    for secret in ["hunter2", "secretuser", "127.0.0.1"] {
        assert!(!chain.contains(secret), "{chain}");
    }
}
