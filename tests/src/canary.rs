//! Searches outputs for secrets. It remembers each secret that a test gives to a process and each
//! question that a test sends. When a process is dropped, its log is searched for them; every
//! answer is searched when it arrives.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::process::Process;
use crate::programs::Environment;

/// Shorter ones may be in a log by chance.
const MIN_LENGTH: usize = 12;
/// Texts that reveal internals or internal errors.
const INTERNAL_MARKERS: [&str; 7] = [
    "redis://",
    "rediss://",
    "redis+unix://",
    "unix://",
    "postgres://",
    "postgresql://",
    "panicked at",
];

#[derive(Default)]
struct Canaries {
    secrets: BTreeSet<String>,
    questions: BTreeSet<String>,
}

static CANARIES: Mutex<Option<Canaries>> = Mutex::new(None);

fn canaries() -> MutexGuard<'static, Option<Canaries>> {
    CANARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers the secrets among the settings of a process.
pub fn plant_secrets(environment: &Environment) {
    let mut planted = canaries();
    let secrets = &mut planted.get_or_insert_default().secrets;
    for (name, value) in environment {
        let entries = value.split(',').map(str::trim);
        match name.as_str() {
            "API_KEYS" | "API_ADMIN_KEYS" => {
                secrets.extend(entries.map(|it| key_of(it).to_owned()));
            }
            name if name.ends_with("_KEY") || name.ends_with("_SECRET") => {
                secrets.extend(entries.map(str::to_owned));
            }
            name if name.ends_with("_URL") => secrets.extend(password(value)),
            _ => {}
        }
    }
    secrets.retain(|secret| secret.len() >= MIN_LENGTH);
}

/// The key in `key` or `name:key`.
fn key_of(entry: &str) -> &str {
    entry.split_once(':').map_or(entry, |(_, key)| key)
}

fn password(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    url.password().map(str::to_owned)
}

/// Remembers the question of a request, if it has several words: such a text is in no log by
/// chance.
pub fn plant_question(body: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let Some(query) = body.get("query").and_then(Value::as_str) else {
        return;
    };
    if query.len() >= MIN_LENGTH && query.trim().contains(' ') {
        let mut planted = canaries();
        let questions = &mut planted.get_or_insert_default().questions;
        questions.insert(query.trim().to_owned());
    }
}

/// The first line of `log` that contains a secret or a question, and its number.
pub fn find_leak(log: &str) -> Option<(usize, String)> {
    let planted = canaries();
    let planted = planted.as_ref()?;
    let private = planted.secrets.iter().chain(&planted.questions);
    let found = private.filter_map(|it| log.find(it.as_str()).map(|at| (at, it)));
    let (at, private) = found.min()?;
    let number = log.get(..at)?.matches('\n').count();
    let line = log.lines().nth(number)?;
    Some((number + 1, format!("{private:?} in: {line}")))
}

/// Ends the process; panics when its log contains a secret or a question. Does not panic when the
/// test has failed already: that failure says more.
pub(crate) fn assert_log_clean(process: &mut Process) {
    if std::thread::panicking() {
        return;
    }
    process.kill();
    if let Some((number, what)) = find_leak(&process.output()) {
        panic!("{}:{number}: {what}", process.log().display());
    }
}

/// Panics when an answer contains a secret or reveals internals.
pub(crate) fn assert_answer_clean(answer: &str) {
    let planted = canaries();
    let secrets = planted.iter().flat_map(|planted| &planted.secrets);
    let private = secrets.map(String::as_str).chain(INTERNAL_MARKERS);
    for private in private {
        assert!(
            !answer.contains(private),
            "{private:?} in an answer: {answer}"
        );
    }
}
