//! Connects to Postgres, for the pool, the migrations and `inspect`.

use super::database_url::PostgresUrl;
use super::encryption::Encryption;
use super::pool::CONNECT_TIMEOUT;
use super::tls;
use super::{DatabaseUrl, HistoryError};
use diesel_async::AsyncPgConnection;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A database with everything that is read before the first connection.
pub(super) enum DatabaseTarget {
    Sqlite(PathBuf),
    Postgres(PostgresConnector),
}

/// Makes connections to one Postgres server.
#[derive(Clone)]
pub(super) struct PostgresConnector {
    config: Arc<Config>,
    tls: Option<MakeRustlsConnect>,
}

impl DatabaseTarget {
    /// Reads the certificates of DATABASE_URL; does not connect.
    pub(super) fn new(url: &DatabaseUrl) -> Result<Self, HistoryError> {
        match url {
            DatabaseUrl::Sqlite(file) => Ok(Self::Sqlite(file.as_path().to_owned())),
            DatabaseUrl::Postgres(url) => PostgresConnector::new(url).map(Self::Postgres),
        }
    }
}

impl PostgresConnector {
    fn new(url: &PostgresUrl) -> Result<Self, HistoryError> {
        let tls = match url.encryption() {
            Encryption::Disabled => None,
            encryption => {
                let config = tls::client_config(encryption).map_err(HistoryError::Authorities)?;
                Some(MakeRustlsConnect::new(config))
            }
        };
        Ok(Self {
            config: Arc::new(url.config().clone()),
            tls,
        })
    }

    pub(super) async fn connect(&self) -> Result<AsyncPgConnection, HistoryError> {
        timeout(CONNECT_TIMEOUT, self.connect_with_fallback())
            .await
            .map_err(|_elapsed| HistoryError::Timeout(CONNECT_TIMEOUT))?
    }

    async fn connect_with_fallback(&self) -> Result<AsyncPgConnection, HistoryError> {
        let Some(tls) = &self.tls else {
            return connect(&self.config, NoTls).await.map_err(to_history_error);
        };
        let error = match connect(&self.config, tls.clone()).await {
            Err(error) if self.allows_plaintext(&error) => to_history_error(error),
            outcome => return outcome.map_err(to_history_error),
        };
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the history database is reached without encryption, as sslmode=prefer allows"
        );
        let mut plain = self.config.as_ref().clone();
        plain.ssl_mode(SslMode::Disable);
        connect(&plain, NoTls).await.map_err(to_history_error)
    }

    /// Whether to try again without encryption. As in libpq: if the TLS handshake fails, or the
    /// server has no rule that admits an encrypted connection.
    fn allows_plaintext(&self, error: &ConnectFailure) -> bool {
        let ConnectFailure::Driver(error) = error else {
            return false;
        };
        self.config.get_ssl_mode() == SslMode::Prefer
            && (tls::find_encryption_error(error).is_some()
                || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION))
    }
}

enum ConnectFailure {
    Driver(tokio_postgres::Error),
    Setup(diesel::ConnectionError),
}

async fn connect<T>(config: &Config, tls: T) -> Result<AsyncPgConnection, ConnectFailure>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: TlsStream + Unpin + Send + 'static,
    T::TlsConnect: TlsConnect<Socket>,
{
    let (client, connection) = config.connect(tls).await.map_err(ConnectFailure::Driver)?;
    AsyncPgConnection::try_from_client_and_connection(client, connection)
        .await
        .map_err(ConnectFailure::Setup)
}

fn to_history_error(failure: ConnectFailure) -> HistoryError {
    match failure {
        ConnectFailure::Driver(error) => match tls::find_encryption_error(&error) {
            Some(fault) => HistoryError::Encryption(fault),
            None => HistoryError::Unreachable(error.into()),
        },
        ConnectFailure::Setup(error) => HistoryError::Unreachable(error.into()),
    }
}
