//! A search's wall time compared with its longest necessary chain of upstream calls.

use crate::figures::{Figure, Goal, Row};
use crate::programs;
use crate::scale::Scale;
use privachat_tests::critical_path::measure;

const BOUND: f64 = 1.05;

pub(crate) async fn pipeline(scale: Scale) -> Row {
    let mut figures: Vec<Figure> = Vec::new();
    for _ in 0..scale.rounds {
        for path in measure(programs::binaries()).await {
            match figures.iter_mut().find(|it| it.side == path.name) {
                Some(figure) => figure.samples.push(path.ratio()),
                None => figures.push(Figure::of(&path.name, "×", vec![path.ratio()])),
            }
        }
    }
    let worst = figures
        .iter()
        .max_by(|a, b| a.median().total_cmp(&b.median()))
        .cloned()
        .expect("a mode");
    Row {
        goals: vec![Goal::at_most(BOUND, &worst)],
        figures,
        notes: vec![
            "The whole pipeline on engine, pages and model over HTTP that take 1 to 1.6 s each; the slowest \
             mode is held against the goal. docs/STAGES.md has the time of each stage."
                .to_owned(),
        ],
        ..Row::default()
    }
}
