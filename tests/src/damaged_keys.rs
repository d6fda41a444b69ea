//! Damaged Redis keys: every key of the key table, with each kind of wrong content.

use privachat_core::keys::KEY_TABLE;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, cmd};
use uuid::Uuid;

/// A text that is no id, no number, no JSON and no UTF-8.
const GARBAGE: &[u8] = b"\xff\x00 garbage \x1b[31m";

/// The wrong content of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Text,
    List,
    Hash,
    Set,
    Sorted,
    Stream,
    /// Of the right type, with meaningless members or numbers.
    Garbage,
    /// Of the right type, as a later version might write it.
    LaterVersion,
}

impl Content {
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::List,
        Self::Hash,
        Self::Set,
        Self::Sorted,
        Self::Stream,
        Self::Garbage,
        Self::LaterVersion,
    ];

    fn command(self, key: &str, kind: &str) -> Cmd {
        let mut command = match (self, kind) {
            (Self::LaterVersion, "STRING") => return set(key, br#"{"version":99,"state":["x"]}"#),
            (Self::LaterVersion, "HASH") => {
                return hash(key, "state", b"postponed-by-a-later-version");
            }
            (Self::Text, _) | (Self::Garbage, "STRING") => {
                return set(key, GARBAGE);
            }
            (Self::Garbage, "HASH") => return hash(key, "state", b"processing"),
            (Self::Hash, _) => return hash(key, "field", GARBAGE),
            (Self::List, _) | (Self::Garbage | Self::LaterVersion, "LIST") => cmd("RPUSH"),
            (Self::Set, _) | (Self::Garbage | Self::LaterVersion, "SET" | "any") => cmd("SADD"),
            (Self::Sorted, _) | (Self::Garbage | Self::LaterVersion, "ZSET") => {
                let mut command = cmd("ZADD");
                command.arg(key).arg("-inf").arg(GARBAGE);
                command.arg("inf").arg("garbage").arg(1.5).arg("");
                return command;
            }
            (Self::Stream | Self::Garbage | Self::LaterVersion, _) => {
                let mut command = cmd("XADD");
                command.arg(key).arg("1-1").arg("field").arg(GARBAGE);
                return command;
            }
        };
        command.arg(key).arg(GARBAGE).arg("garbage");
        command
    }
}

fn set(key: &str, text: &[u8]) -> Cmd {
    let mut command = cmd("SET");
    command.arg(key).arg(text);
    command
}

fn hash(key: &str, field: &str, text: &[u8]) -> Cmd {
    let mut command = cmd("HSET");
    command.arg(key).arg(field).arg(text);
    // Number fields of a job without numbers.
    command.arg("lease").arg(GARBAGE).arg("not_before").arg("x");
    command.arg("mode").arg("speed").arg("created").arg("x");
    command
}

/// The keys of the key table, each with its type; keys of jobs are those of `victim`.
pub fn keys(victim: Uuid) -> Vec<(String, &'static str)> {
    let of_row = |pattern: &str| {
        pattern
            .replace("<id>", &victim.to_string())
            .replace("<mode>", "speed")
            .replace("<digest>", &"0".repeat(32))
            .replace("<process>", &Uuid::nil().to_string())
            .replace("<key>", "live")
    };
    KEY_TABLE
        .iter()
        .map(|row| (of_row(row.pattern), row.kind))
        .collect()
}

/// Replaces the value of `key` with `content`.
pub async fn overwrite(redis: &mut MultiplexedConnection, key: &str, kind: &str, content: Content) {
    let () = cmd("DEL").arg(key).query_async(redis).await.expect("DEL");
    let () = content
        .command(key, kind)
        .query_async::<redis::Value>(redis)
        .await
        .map(drop)
        .unwrap_or_else(|error| panic!("{key}: {content:?}: {error}"));
}

/// Adds the victim to every index of jobs, so that every reader meets it.
pub async fn add_to_indexes(redis: &mut MultiplexedConnection, victim: Uuid) {
    let victim = victim.to_string();
    for list in ["live", "unsaved", "callbacks", "failures", "pending:speed"] {
        // One of these keys may itself have a wrong type.
        let _refused = cmd("ZADD")
            .arg(format!("{{search}}:{list}"))
            .arg(0)
            .arg(&victim)
            .query_async::<i64>(redis)
            .await;
    }
    let _refused = cmd("RPUSH")
        .arg("{search}:queue:speed")
        .arg(&victim)
        .query_async::<i64>(redis)
        .await;
}
