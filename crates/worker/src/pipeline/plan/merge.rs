//! A model's plan, held to the bounds and joined with what the rules are sure of.

use super::{QUERY_LIMIT, words};
use crate::pipeline::{
    plan_types::{Plan, PlannedQuery},
    provider::TimeRange,
};
use chrono::{DateTime, Datelike, Utc};
use privachat_core::{
    mode::Mode,
    schema::{Intent, SubQuery},
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Things that a comparison may have.
const MOST_ENTITIES: usize = 6;
const FIRST_YEAR: i32 = 1500;

/// What a model answers. Only the queries are needed; an odd member costs itself and nothing else.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Made {
    queries: Vec<MadeQuery>,
    #[serde(default, deserialize_with = "lenient")]
    entities: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    language: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    year: Option<i32>,
}

#[derive(Debug, Clone, Deserialize)]
struct MadeQuery {
    query: String,
    #[serde(default, deserialize_with = "lenient")]
    intent: Option<Intent>,
    #[serde(default, deserialize_with = "lenient")]
    priority: Option<u8>,
    #[serde(default, deserialize_with = "lenient")]
    time: Option<Time>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Time {
    Day,
    Week,
    Month,
    Year,
}

fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + serde::de::DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

/// The plan of `made`, where it says something usable, upon that of the rules. `None` when none of
/// its queries can be used.
pub(super) fn merge(rules: &Plan, made: Made, mode: Mode, now: DateTime<Utc>) -> Option<Plan> {
    let year = rules
        .year
        .or(made.year)
        .filter(|year| (FIRST_YEAR..=now.year() + 1).contains(year));
    let entities = entities(rules, &made);
    let mut queries = queries(rules, made.queries, mode);
    if queries.is_empty() {
        return None;
    }
    if !entities.iter().all(|entity| is_searched(entity, &queries)) {
        // A thing that nobody searches for has no sources: the rules search for each.
        if entities == rules.entities {
            queries.clone_from(&rules.queries);
        } else {
            queries = of_entities(&entities, mode);
        }
    }
    Some(Plan {
        question: rules.question.clone(),
        language: rules.language.clone().or_else(|| code(made.language)),
        wants_recent: rules.wants_recent || queries.iter().any(|q| q.time_range.is_some()),
        queries,
        entities,
        year,
        sub_questions: rules.sub_questions.clone(),
        used_model: true,
    })
}

/// The things that are compared. Where the question names them itself, its words count.
fn entities(rules: &Plan, made: &Made) -> Vec<String> {
    if rules.entities.len() >= 2 {
        return rules.entities.clone();
    }
    let mut entities: Vec<String> = Vec::new();
    for entity in &made.entities {
        let entity = words::normalise(entity);
        let known = entities
            .iter()
            .any(|known| known.to_lowercase() == entity.to_lowercase());
        let is_asked = rules
            .question
            .to_lowercase()
            .contains(&entity.to_lowercase());
        if !entity.is_empty() && !known && is_asked {
            entities.push(entity);
        }
    }
    entities.truncate(MOST_ENTITIES);
    if entities.len() < 2 {
        return Vec::new();
    }
    entities
}

fn queries(rules: &Plan, mut made: Vec<MadeQuery>, mode: Mode) -> Vec<PlannedQuery> {
    made.sort_by_key(|query| query.priority.unwrap_or(u8::MAX));
    let first = rules.queries.first();
    let mut texts: Vec<String> = Vec::new();
    let mut queries = Vec::new();
    for query in made {
        let text = words::cut(&words::normalise(&query.query), QUERY_LIMIT);
        let key = text.to_lowercase();
        if !text.contains(char::is_alphanumeric) || texts.contains(&key) {
            continue;
        }
        texts.push(key);
        queries.push(PlannedQuery {
            time_range: first
                .and_then(|first| first.time_range)
                .or(range(query.time)),
            sub_query: SubQuery {
                intent: query
                    .intent
                    .or(first.map(|first| first.sub_query.intent))
                    .unwrap_or(Intent::Factual),
                priority: 0,
                query: text,
            },
        });
    }
    numbered(queries, mode)
}

fn of_entities(entities: &[String], mode: Mode) -> Vec<PlannedQuery> {
    let queries = entities.iter().map(|entity| PlannedQuery {
        sub_query: SubQuery {
            query: words::cut(entity, QUERY_LIMIT),
            intent: Intent::Factual,
            priority: 0,
        },
        time_range: None,
    });
    numbered(queries.collect(), mode)
}

fn numbered(mut queries: Vec<PlannedQuery>, mode: Mode) -> Vec<PlannedQuery> {
    queries.truncate(mode.limits().sub_queries.max(1));
    for (query, priority) in queries.iter_mut().zip(1..) {
        query.sub_query.priority = priority;
    }
    queries
}

fn is_searched(entity: &str, queries: &[PlannedQuery]) -> bool {
    let entity = entity.to_lowercase();
    queries
        .iter()
        .any(|planned| planned.sub_query.query.to_lowercase().contains(&entity))
}

fn range(time: Option<Time>) -> Option<TimeRange> {
    Some(match time? {
        Time::Day => TimeRange::Day,
        Time::Week => TimeRange::Week,
        Time::Month => TimeRange::Month,
        Time::Year => TimeRange::Year,
    })
}

fn code(language: Option<String>) -> Option<String> {
    let language = language?.to_ascii_lowercase();
    let is_code = language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase());
    is_code.then_some(language)
}
