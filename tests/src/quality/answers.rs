//! Puts every question to the worker and scores its answers.

use super::{CorpusWorker, Share, dataset::Question};
use serde_json::Value;

/// A search is scored by its first sources only.
const TOP: usize = 5;
/// The highest confidence of an answer that says that there is none.
const DECLINED: f64 = 0.15;

/// Scores of one part's questions in one mode.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerScores {
    /// The passage with the answer is in one of the first five sources.
    pub recall: Share,
    /// The answer contains the expected text.
    pub gold: Share,
    /// Citations that lead to a document with the answer.
    pub precision: Share,
    /// Questions without an answer for which the worker says so.
    pub declined: Share,
    /// Claims that the worker made from sources and then reported as unsupported.
    pub accused: Share,
    /// Confidence of right answers; the next field: of wrong ones.
    pub sure_and_right: Mean,
    pub sure_and_wrong: Mean,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// 0 when empty.
    #[expect(clippy::cast_precision_loss, reason = "a handful of answers")]
    pub fn value(self) -> f64 {
        self.sum / self.count.max(1) as f64
    }
}

/// Asks `questions` in `mode`. With QUALITY_SHOW set, prints the mistakes.
pub fn ask(worker: &CorpusWorker, mode: &str, questions: &[Question]) -> AnswerScores {
    let ends = ask_all(worker, mode, &[], questions);
    let mut scores = AnswerScores::default();
    for (question, end) in questions.iter().zip(&ends) {
        scores.count(mode, question, end);
    }
    scores
}

/// The worker's complete answers with these settings.
pub(super) fn ask_all(
    worker: &CorpusWorker,
    mode: &str,
    settings: &[(&str, String)],
    questions: &[Question],
) -> Vec<Value> {
    worker.side_by_side(questions, |question| {
        let arguments = [
            "ask",
            &question.question,
            "--mode",
            mode,
            "--provider",
            "local",
            "--timeout",
            "60",
            "--json",
        ];
        worker.json_with(settings, &arguments)
    })
}

impl AnswerScores {
    pub(super) fn count(&mut self, mode: &str, question: &Question, end: &Value) {
        let answer = end["answer"].as_str().unwrap_or_default();
        let confidence = end["confidence"].as_f64().unwrap_or(0.0);
        let declined = answer.is_empty() || confidence <= DECLINED;
        let Some(passage) = &question.passage else {
            self.declined.add(declined);
            if !declined {
                print_mistake(mode, "not declined", question, confidence, answer);
            }
            return self.sure(false, declined, confidence);
        };
        let found = has_passage(end, question, passage);
        let right = contains_gold(answer, &question.answers);
        self.recall.add(found);
        self.gold.add(right);
        for mapping in end["citation_mapping"].as_array().into_iter().flatten() {
            let url = mapping["source_url"].as_str().unwrap_or_default();
            self.precision.add(leads_to(url, &question.documents));
        }
        let accused = end["hallucination_count"].as_u64().unwrap_or(0);
        self.accused.add(accused > 0);
        self.sure(right, declined, confidence);
        if !right {
            let what = if found { "other answer" } else { "not found" };
            print_mistake(mode, what, question, confidence, answer);
        }
    }

    fn sure(&mut self, right: bool, declined: bool, confidence: f64) {
        if right {
            self.sure_and_right.add(confidence);
        } else if !declined {
            self.sure_and_wrong.add(confidence);
        }
    }
}

fn has_passage(end: &Value, question: &Question, passage: &str) -> bool {
    let sources = end["sources"].as_array().into_iter().flatten();
    let details = end["source_details"].as_array().into_iter().flatten();
    sources.zip(details).take(TOP).any(|(source, detail)| {
        let passages = detail["passages"].as_array().into_iter().flatten();
        leads_to(
            source["url"].as_str().unwrap_or_default(),
            &question.documents,
        ) && passages
            .filter_map(Value::as_str)
            .any(|text| plain(text).contains(&plain(passage)))
    })
}

fn leads_to(url: &str, documents: &[String]) -> bool {
    let page = url.split('#').next().unwrap_or_default();
    documents
        .iter()
        .any(|document| page.ends_with(document.as_str()))
}

/// Whether the answer contains one of `gold`, for `a&b` both.
fn contains_gold(answer: &str, gold: &[String]) -> bool {
    let answer = plain(answer);
    gold.iter()
        .any(|gold| gold.split('&').all(|part| answer.contains(&plain(part))))
}

/// Lower case, without markup and line breaks, for comparison.
pub(super) fn plain(text: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || "-.:,_".contains(c);
    let text: String = text
        .chars()
        .map(|c| if kept(c) { c } else { ' ' })
        .collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn print_mistake(mode: &str, what: &str, question: &Question, confidence: f64, answer: &str) {
    if std::env::var_os("QUALITY_SHOW").is_some() {
        println!(
            "{mode} {what} {confidence:.2} · {} → {answer}",
            question.question
        );
    }
}
