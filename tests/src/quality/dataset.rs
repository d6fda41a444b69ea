//! What is asked and what would be right, as it stands in `tests/quality/`.

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

/// What is for tuning, what is for telling how good it became, and what was written by somebody who
/// knew neither the answerer nor the check, and is tuned by nobody.
#[derive(Debug, Deserialize)]
pub struct Parts<T> {
    pub tuned: Vec<T>,
    pub reported: Vec<T>,
    pub blind: Vec<T>,
}

impl<T> Parts<T> {
    /// Each with its name, in the order of the tables.
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
    /// Where the answer stands; nowhere when the documents do not answer it.
    pub documents: Vec<String>,
    /// Words of the passage that holds the answer.
    pub passage: Option<String>,
    /// What an answer has to say: one of these, and of `a&b` both.
    pub answers: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct PlantedAnswer {
    /// What is wrong with its false claim, or `paraphrase` when none is false.
    pub kind: String,
    /// Names of its sources, in the order of their numbers.
    pub sources: Vec<String>,
    pub claims: Vec<PlantedClaim>,
}

#[derive(Debug, Deserialize)]
pub struct PlantedClaim {
    /// As the answer says it, with its citations.
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
