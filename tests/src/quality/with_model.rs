//! The same questions answered with a language model: the scripted one or a configured one.

use super::{
    AnswerScores, CorpusWorker, ScriptedModel, Share, answers, answers::plain, dataset::Question,
    scripted_model::ScriptedSentence,
};
use serde_json::Value;

/// Scores of one part's questions with a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelScores {
    pub answers: AnswerScores,
    /// The passage with the answer was in the prompt. Empty for a configured model.
    pub shown: Share,
    /// Right citations of the model that the answer keeps and does not report as unsupported.
    pub kept: Share,
    /// Sentences with a planted mistake that were reported as unsupported, cited anew or left out.
    pub noticed: Share,
}

/// Asks the scripted model `questions` in balanced mode.
pub fn ask_scripted(
    worker: &CorpusWorker,
    model: &ScriptedModel,
    questions: &[Question],
) -> ModelScores {
    let ends = answers::ask_all(worker, "balanced", &model.settings(), questions);
    let mut scores = ModelScores::default();
    for (question, end) in questions.iter().zip(&ends) {
        scores.answers.count("scripted", question, end);
        let exchange = model.exchange(&question.question);
        if let Some(passage) = &question.passage {
            let prompt = exchange.as_ref().map(|exchange| plain(&exchange.prompt));
            scores
                .shown
                .add(prompt.is_some_and(|prompt| prompt.contains(&plain(passage))));
        }
        scores.count_sentences(
            &exchange
                .map(|exchange| exchange.written)
                .unwrap_or_default(),
            end,
        );
    }
    scores
}

/// Asks the model that LLM_BASE_URL and LLM_MODEL name `questions` in balanced mode.
pub fn ask_model(worker: &CorpusWorker, questions: &[Question]) -> ModelScores {
    let settings: Vec<(&str, String)> = ["LLM_BASE_URL", "LLM_MODEL", "LLM_API_KEY"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect();
    let ends = answers::ask_all(worker, "balanced", &settings, questions);
    let mut scores = ModelScores::default();
    for (question, end) in questions.iter().zip(&ends) {
        scores.answers.count("model", question, end);
    }
    scores
}

impl ModelScores {
    /// An answer's hallucination_count does not name the sentences: it is attributed to the
    /// mistakes that remain first, and the rest counts as false reports.
    fn count_sentences(&mut self, written: &[ScriptedSentence], end: &Value) {
        let answer = end["answer"].as_str().unwrap_or_default();
        let (mistaken, right): (Vec<&ScriptedSentence>, Vec<&ScriptedSentence>) =
            written.iter().partition(|sentence| sentence.mistaken);
        let mut unsupported = end["hallucination_count"].as_u64().unwrap_or(0);
        for (sentence, share) in mistaken
            .into_iter()
            .map(|sentence| (sentence, true))
            .chain(right.into_iter().map(|sentence| (sentence, false)))
        {
            let mut noticed = !stands(answer, sentence);
            if !noticed && unsupported > 0 {
                unsupported -= 1;
                noticed = true;
            }
            if noticed != share && std::env::var_os("QUALITY_SHOW").is_some() {
                let what = if share { "missed" } else { "accused" };
                println!(
                    "scripted {what} · {} [{}] → {answer}",
                    sentence.text, sentence.cites
                );
            }
            if share {
                self.noticed.add(noticed);
            } else {
                self.kept.add(!noticed);
            }
        }
    }
}

/// Whether the answer contains the sentence with the citation that the model gave it.
fn stands(answer: &str, sentence: &ScriptedSentence) -> bool {
    let wanted = format!(
        "{} {}",
        plain(sentence.text.trim_end_matches(['.', '!', '?', ':'])),
        sentence.cites
    );
    plain(answer).contains(&wanted)
}
