//! After the load: waits until the stack is idle, then logs what Redis holds.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::StreamRangeReply;
use redis::{AsyncCommands, FromRedisValue, RedisResult};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::end_watch::EndWatch;
use super::log::{Entry, Event, Log, digest};

const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// One search in this many is read in two parts at each of its events, the others at one event.
const THOROUGH: usize = 20;

/// Waits up to `within` until all searches have ended and the indexes are empty; returns what is
/// left.
pub(super) async fn wait_until_empty(
    redis: &mut MultiplexedConnection,
    within: Duration,
) -> Vec<String> {
    let until = Instant::now() + within;
    loop {
        let left = not_empty(redis)
            .await
            .unwrap_or(vec!["no answer".to_owned()]);
        if left.is_empty() || Instant::now() >= until {
            return left;
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Queues and indexes that are not empty, with their sizes.
async fn not_empty(redis: &mut MultiplexedConnection) -> RedisResult<Vec<String>> {
    let mut keys: Vec<String> = redis.keys("{search}:*").await?;
    keys.retain(|key| !key.starts_with("{search}:workers"));
    // Groups of jointly lost searches are remembered for an hour.
    keys.retain(|key| !key.starts_with("{search}:lost:"));
    keys.retain(|key| !["{search}:seq", "{search}:failures"].contains(&key.as_str()));
    let mut left = Vec::new();
    for key in keys {
        let list: RedisResult<Vec<String>> = redis.lrange(&key, 0, 9).await;
        let ids: Vec<String> = match list {
            Ok(ids) => ids,
            Err(_not_a_list) => redis.zrange(&key, 0, 9).await?,
        };
        left.push(format!("{key}: {}", ids.join(" ")));
    }
    Ok(left)
}

/// Logs every search. All final records are read once more before any is logged, so that a later
/// change is noticed.
pub(super) async fn jobs(
    redis: &mut MultiplexedConnection,
    watch: &EndWatch,
    log: &Log,
) -> RedisResult<()> {
    let keys: Vec<String> = redis.keys("search_job:*").await?;
    let ids: Vec<&str> = keys
        .iter()
        .filter_map(|key| key.strip_prefix("search_job:"))
        .collect();
    for id in &ids {
        watch.note_end(id, redis, log).await?;
    }
    for (number, id) in ids.iter().enumerate() {
        let events = job(redis, id, log).await?;
        let points: Vec<&Event> = match number % THOROUGH {
            0 => events.iter().collect(),
            _ => events.iter().cycle().skip(number).take(1).collect(),
        };
        for point in points {
            parts(redis, id, &point.id, log).await?;
        }
    }
    Ok(())
}

async fn job(redis: &mut MultiplexedConnection, id: &str, log: &Log) -> RedisResult<Vec<Event>> {
    let (record, control, stream) = (
        format!("search_job:{id}"),
        format!("{{search_job:{id}}}:ctl"),
        format!("{{search_job:{id}}}:ev"),
    );
    let mut questions = redis::pipe();
    questions.get(&record).hgetall(&control);
    questions.ttl(&record).ttl(&control).ttl(&stream);
    questions.xrange_all(&stream);
    let (bytes, mut fields, record_ttl, control_ttl, stream_ttl, entries): (
        Vec<u8>,
        BTreeMap<String, String>,
        i64,
        i64,
        i64,
        StreamRangeReply,
    ) = questions.query_async(redis).await?;
    // The request is not checked.
    fields.remove("request");
    let events = events(entries);
    log.note(Entry::Job {
        id: id.to_owned(),
        record: serde_json::from_slice(&bytes).unwrap_or_default(),
        digest: digest(&bytes),
        ttls: [record_ttl, control_ttl, stream_ttl],
        control: fields,
        events: events.clone(),
    });
    Ok(events)
}

async fn parts(
    redis: &mut MultiplexedConnection,
    id: &str,
    after: &str,
    log: &Log,
) -> RedisResult<()> {
    let stream = format!("{{search_job:{id}}}:ev");
    let first = redis.xrange(&stream, "-", after).await.map(ids)?;
    let second = redis
        .xrange(&stream, format!("({after}"), "+")
        .await
        .map(ids)?;
    log.note(Entry::Parts {
        id: id.to_owned(),
        after: after.to_owned(),
        first,
        second,
    });
    Ok(())
}

fn ids(reply: StreamRangeReply) -> Vec<String> {
    reply.ids.into_iter().map(|entry| entry.id).collect()
}

fn events(reply: StreamRangeReply) -> Vec<Event> {
    let event = |entry: redis::streams::StreamId| {
        let text = |name| {
            let value = entry.map.get(name).cloned()?;
            String::from_redis_value(value).ok()
        };
        Event {
            kind: text("type").unwrap_or_default(),
            data: text("data")
                .and_then(|json| serde_json::from_str::<Value>(&json).ok())
                .unwrap_or_default(),
            id: entry.id,
        }
    };
    reply.ids.into_iter().map(event).collect()
}
