//! [`Database`]: the [`History`] over SQLite and Postgres.

use super::connect::DatabaseTarget;
use super::listing::{self, SessionListRow, listing};
use super::pool::Pools;
use super::retention::Retention;
use super::search_words::words;
use super::statement::{run_uncancellable, with_connection};
use super::table::{SessionRow, sessions};
use super::{DatabaseUrl, History, HistoryError, Page, Session, SessionFilter, migrate};
use chrono::{DateTime, Utc};
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use uuid::Uuid;

/// Bounds the wait for the migration, including its connection.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the history. If the database does not answer yet, it logs a warning and each call tries
/// again.
///
/// # Errors
/// Only errors that are not transient: a file that cannot be written, certificates that cannot be
/// read.
pub async fn open(url: &DatabaseUrl) -> Result<Arc<dyn History>, HistoryError> {
    let target = DatabaseTarget::new(url)?;
    let database = Database {
        pools: Arc::new(Pools::new(&target)?),
        target,
        migrated: OnceCell::new(),
    };
    match database.ready().await {
        Ok(_) => {}
        Err(error) if error.is_transient() => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "history is not available yet; finished sessions wait in Redis"
            );
        }
        Err(error) => return Err(error),
    }
    Ok(Arc::new(database))
}

pub(super) struct Database {
    target: DatabaseTarget,
    pools: Arc<Pools>,
    migrated: OnceCell<()>,
}

impl Database {
    /// The pools, after the migration. Concurrent callers share one attempt.
    pub(super) async fn ready(&self) -> Result<Arc<Pools>, HistoryError> {
        let migrated = self.migrated.get_or_try_init(|| async {
            migrate::run(&self.target).await?;
            tracing::info!("history is available and its schema up to date");
            Ok(())
        });
        timeout(SCHEMA_TIMEOUT, migrated)
            .await
            .map_err(|_elapsed| HistoryError::Timeout(SCHEMA_TIMEOUT))??;
        Ok(Arc::clone(&self.pools))
    }
}

#[async_trait::async_trait]
impl History for Database {
    async fn save(&self, session: &Session) -> Result<(), HistoryError> {
        use diesel::query_dsl::methods::FilterDsl;
        let row = SessionRow::try_from(session)?;
        let summary = row.summary();
        let pools = self.ready().await?;
        run_uncancellable(async move {
            with_connection!(pools, |connection: _Db| diesel::insert_into(
                sessions::table
            )
            .values(&row)
            .on_conflict(sessions::id)
            .do_update()
            .set(&row)
            // A later session with the same id: its idempotency key was used again after the record
            // had expired. A repeated save of the same session changes nothing.
            .filter(sessions::created_at.lt(excluded(sessions::created_at)))
            .execute(&mut connection))
        })
        .await?;
        // If this fails, the caller retries, or `summarise` writes it later.
        self.save_summary(summary).await
    }

    async fn get(&self, id: Uuid) -> Result<Option<Session>, HistoryError> {
        let pools = self.ready().await?;
        let row = run_uncancellable(async move {
            with_connection!(pools, |connection: _Db| async {
                sessions::table
                    .filter(sessions::id.eq(id.to_string()))
                    .first::<SessionRow>(&mut connection)
                    .await
                    .optional()
            })
        })
        .await?;
        row.map(Session::try_from).transpose()
    }

    async fn page(&self, wanted: &SessionFilter) -> Result<Page, HistoryError> {
        let words = wanted.text.as_deref().map(words);
        if words.as_ref().is_some_and(BTreeSet::is_empty) {
            return Ok(Page {
                sessions: Vec::new(),
                next: None,
            });
        }
        let asked = wanted.clone();
        let pools = self.ready().await?;
        let rows = run_uncancellable(async move {
            with_connection!(pools, |connection: Db| listing!(Db, &asked, words.as_ref())
                .load::<SessionListRow>(&mut connection))
        });
        listing::page_of(wanted, rows.await?)
    }

    async fn delete(&self, id: Uuid) -> Result<bool, HistoryError> {
        let was_there = self.delete_ids(vec![id.to_string()]).await? > 0;
        if was_there && let Err(error) = self.truncate_wal().await {
            // The session is deleted; the workers empty the log in their maintenance rounds.
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the write-ahead log of the history file could not be emptied"
            );
        }
        Ok(was_there)
    }

    async fn prune(&self, keep: Retention, now: DateTime<Utc>) -> Result<usize, HistoryError> {
        let mut ids = Vec::new();
        if let Some(oldest) = keep.cutoff(now) {
            ids = self.oldest_before(oldest, String::new()).await?;
        }
        if ids.is_empty()
            && keep.max_sessions > 0
            && let Some((at, id)) = self.beyond_newest(keep.max_sessions).await?
        {
            // The position right after this session: no id sorts between `id` and `id` + U+0001.
            ids = self.oldest_before(at, format!("{id}\u{1}")).await?;
        }
        if ids.is_empty() {
            return Ok(0);
        }
        self.delete_ids(ids).await
    }

    async fn summarise(&self) -> Result<usize, HistoryError> {
        let bare = self.missing_summaries().await?;
        let found = bare.len();
        for row in bare {
            self.save_summary(row).await?;
        }
        Ok(found)
    }

    async fn scrub(&self) -> Result<bool, HistoryError> {
        self.truncate_wal().await
    }

    async fn ping(&self) -> Result<(), HistoryError> {
        let pools = self.ready().await?;
        run_uncancellable(async move {
            with_connection!(pools, |connection: _Db| diesel::sql_query("SELECT 1")
                .execute(&mut connection))
        })
        .await
        .map(drop)
    }
}
