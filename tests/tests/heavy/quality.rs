//! The quality of answers: minimum scores, and the figures of `make quality`.

use privachat_tests::binaries;
use privachat_tests::quality::{
    CorpusWorker, Figures, ScriptedModel, ask, ask_model, ask_scripted, check_claims, dataset,
    write,
};
use std::path::Path;

#[test]
#[ignore = "takes a minute or two: make quality"]
fn figures_of_every_mode() {
    let _alone = crate::alone_blocking();
    let worker = CorpusWorker::new(binaries!().worker);
    let (questions, answers) = (dataset::questions(), dataset::answers());
    let scripted = ScriptedModel::start();
    let configured = std::env::var_os("LLM_BASE_URL").and(std::env::var("LLM_MODEL").ok());
    let mut figures = Figures::default();
    for (part, questions) in questions.each() {
        for mode in ["speed", "balanced", "deep"] {
            let scores = ask(&worker, mode, questions);
            figures.answers.push((part, mode, scores));
        }
        let scores = ask_scripted(&worker, &scripted, questions);
        figures.with_model.push((part, "scripted".into(), scores));
        if let Some(model) = &configured {
            let scores = ask_model(&worker, questions);
            figures.with_model.push((part, model.clone(), scores));
        }
    }
    for (part, planted) in answers.parts.each() {
        figures
            .held
            .push((part, check_claims(&worker, &answers, planted)));
    }
    println!("{figures}");
    if std::env::var_os("QUALITY_WRITE").is_some() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        write(&docs.join("QUALITY.md"), &figures);
    }
}

/// Slightly below the measured scores of both halves: docs/QUALITY.md.
#[test]
fn answers_and_claim_check_reach_their_floors() {
    let _alone = crate::alone_blocking();
    let worker = CorpusWorker::new(binaries!().worker);
    let questions = dataset::questions();
    let all = [questions.tuned, questions.reported].concat();
    let scores = ask(&worker, "balanced", &all);
    assert!(scores.recall.hits >= 74, "found: {}", scores.recall);
    assert!(scores.gold.hits >= 60, "answered: {}", scores.gold);
    assert!(
        scores.precision.hits * 100 >= 92 * scores.precision.of,
        "cited: {}",
        scores.precision
    );
    assert!(scores.declined.hits >= 9, "declined: {}", scores.declined);
    assert!(scores.accused.hits <= 1, "accused: {}", scores.accused);
    let (right, wrong) = (scores.sure_and_right.value(), scores.sure_and_wrong.value());
    assert!(
        right > wrong + 0.08,
        "sure when right {right}, when wrong {wrong}"
    );

    let answers = dataset::answers();
    let parts = [&answers.parts.tuned, &answers.parts.reported];
    let [tuned, reported] = parts.map(|part| check_claims(&worker, &answers, part));
    let found = tuned.found.hits + reported.found.hits;
    let accused = tuned.accused.hits + reported.accused.hits;
    assert!(
        found >= 37,
        "false claims found: {} and {}",
        tuned.found,
        reported.found
    );
    assert!(
        accused <= 6,
        "true claims accused: {} and {}",
        tuned.accused,
        reported.accused
    );
}

/// The blind part is never used for tuning, so its floors are low.
#[test]
fn blind_answers_reach_their_floors() {
    let _alone = crate::alone_blocking();
    let worker = CorpusWorker::new(binaries!().worker);
    let scores = ask(&worker, "balanced", &dataset::questions().blind);
    assert!(scores.recall.hits >= 20, "found: {}", scores.recall);
    assert!(scores.gold.hits >= 7, "answered: {}", scores.gold);
    assert!(scores.declined.hits >= 3, "declined: {}", scores.declined);
    assert!(scores.accused.hits <= 1, "accused: {}", scores.accused);

    let answers = dataset::answers();
    let held = check_claims(&worker, &answers, &answers.parts.blind);
    assert!(held.found.hits >= 4, "false claims found: {}", held.found);
    assert!(
        held.accused.hits <= 4,
        "true claims accused: {}",
        held.accused
    );
}

#[test]
fn a_model_receives_the_passage_and_its_mistakes_are_found() {
    let _alone = crate::alone_blocking();
    let worker = CorpusWorker::new(binaries!().worker);
    let scores = ask_scripted(
        &worker,
        &ScriptedModel::start(),
        &dataset::questions().blind,
    );
    assert!(scores.shown.hits >= 20, "shown: {}", scores.shown);
    let (kept, noticed) = (scores.kept, scores.noticed);
    assert!(kept.hits * 100 >= 95 * kept.of, "kept: {kept}");
    assert!(noticed.hits * 100 >= 65 * noticed.of, "noticed: {noticed}");
}
