//! The questions and expected answers in `tests/quality/`.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The folder of the set.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("quality")
}

/// The parts: for tuning; for measuring; and written independently of the answerer and the check,
/// never used for tuning.
#[derive(Debug, Deserialize)]
pub struct Parts<T> {
    pub tuned: Vec<T>,
    pub reported: Vec<T>,
    pub blind: Vec<T>,
}

impl<T> Parts<T> {
    /// Each part with its name, in the order of the tables.
    pub fn each(&self) -> [(&'static str, &[T]); 3] {
        [
            ("tuned", &self.tuned),
            ("reported", &self.reported),
            ("blind", &self.blind),
        ]
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    pub kind: String,
    pub question: String,
    /// The documents with the answer; empty when no document answers the question.
    pub documents: Vec<String>,
    /// Words of the passage that holds the answer.
    pub passage: Option<String>,
    /// The expected texts: one of these, and of `a&b` both.
    pub answers: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct PlantedAnswer {
    /// The kind of its false claim, or `paraphrase` when none is false.
    pub kind: String,
    /// Names of its sources, in the order of their numbers.
    pub sources: Vec<String>,
    pub claims: Vec<PlantedClaim>,
}

#[derive(Debug, Deserialize)]
pub struct PlantedClaim {
    /// As in the answer, with its citations.
    pub text: String,
    /// The numbers that it should cite; none when it is false.
    pub carried_by: Vec<usize>,
}

#[derive(Debug, Deserialize)]
pub struct Answers {
    /// Title and text by name.
    pub sources: BTreeMap<String, Value>,
    #[serde(flatten)]
    pub parts: Parts<PlantedAnswer>,
}

pub fn questions() -> Parts<Question> {
    read("questions.json")
}

pub fn answers() -> Answers {
    read("answers.json")
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let file = folder().join(name);
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
