//! Reads the record of each search when it ends, so that later changes can be detected.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::time::sleep;

use super::log::{Entry, Log, digest};

/// Ids whose end has been noted.
#[derive(Debug, Clone, Default)]
pub(super) struct EndWatch(Arc<Mutex<HashSet<String>>>);

impl EndWatch {
    /// Follows the announcements of ended searches. Announcements lost with a connection are caught
    /// up at the end with [`note_end`](Self::note_end).
    pub(super) async fn follow(self, redis_url: String, log: Log) {
        let client = redis::Client::open(redis_url).expect("the address of Redis");
        loop {
            let _cut_off = self.follow_once(&client, &log).await;
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn follow_once(&self, client: &redis::Client, log: &Log) -> redis::RedisResult<()> {
        let mut announcements = client.get_async_pubsub().await?;
        announcements.subscribe("search:changed").await?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut messages = announcements.on_message();
        while let Some(message) = messages.next().await {
            let text: String = message.get_payload()?;
            let ended = text
                .strip_suffix(" completed")
                .or(text.strip_suffix(" failed"));
            if let Some(id) = ended {
                self.note_end(id, &mut connection, log).await?;
            }
        }
        Ok(())
    }

    /// Logs the final record of a search, once.
    pub(super) async fn note_end(
        &self,
        id: &str,
        connection: &mut MultiplexedConnection,
        log: &Log,
    ) -> redis::RedisResult<()> {
        let record: Option<Vec<u8>> = connection.get(format!("search_job:{id}")).await?;
        let Some(record) = record else {
            return Ok(());
        };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert(id.to_owned()) {
            let (id, digest) = (id.to_owned(), digest(&record));
            log.note(Entry::Ended { id, digest });
        }
        Ok(())
    }
}
