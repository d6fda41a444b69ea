//! [`Place`]: the database of one test.

use super::postgres_server::shared;
use crate::history::{DatabaseUrl, History, migrate, open};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::MigrationHarness;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

/// An SQLite file or a Postgres database of one test.
pub(super) struct TestDatabase {
    pub(super) url: DatabaseUrl,
    address: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub(super) async fn postgres() -> Self {
        let address = shared().database().await;
        Self {
            url: DatabaseUrl::parse(&address).unwrap(),
            address,
            _folder: None,
        }
    }

    #[expect(clippy::unused_async, reason = "called like its sibling")]
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}/data/history.db", folder.path().display());
        Self {
            url: DatabaseUrl::parse(&address).unwrap(),
            address,
            _folder: Some(folder),
        }
    }

    pub(super) async fn open(&self) -> Arc<dyn History> {
        open(&self.url).await.unwrap()
    }

    /// Runs SQL directly on the database, without the history.
    pub(super) async fn execute(&self, sql: &str) {
        let (url, address, sql) = (self.url.clone(), self.address.clone(), sql.to_owned());
        spawn_blocking(move || match &url {
            DatabaseUrl::Sqlite(path) => {
                SqliteConnection::establish(path.as_path().to_str().unwrap())
                    .unwrap()
                    .batch_execute(&sql)
            }
            DatabaseUrl::Postgres(_) => {
                AsyncConnectionWrapper::<AsyncPgConnection>::establish(&address)
                    .unwrap()
                    .batch_execute(&sql)
            }
        })
        .await
        .unwrap()
        .unwrap();
    }

    /// Reverts every migration.
    pub(super) async fn revert(&self) {
        let (url, address) = (self.url.clone(), self.address.clone());
        spawn_blocking(move || match &url {
            DatabaseUrl::Sqlite(path) => {
                SqliteConnection::establish(path.as_path().to_str().unwrap())
                    .unwrap()
                    .revert_all_migrations(migrate::SQLITE_MIGRATIONS)
                    .map(drop)
            }
            DatabaseUrl::Postgres(_) => {
                AsyncConnectionWrapper::<AsyncPgConnection>::establish(&address)
                    .unwrap()
                    .revert_all_migrations(migrate::POSTGRES_MIGRATIONS)
                    .map(drop)
            }
        })
        .await
        .unwrap()
        .unwrap();
    }
}
