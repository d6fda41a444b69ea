//! A ranking that is ready when the whole one comes too late. A handful of pages of hundreds of kilobytes each
//! can keep a busy machine at it for longer than a search has, and then none of them would be ranked, those of a
//! few lines neither.

use crate::pipeline::{Candidate, Document};
use std::sync::Arc;

/// Bytes of text that are ranked in good time on any machine.
const MUCH: usize = 400_000;
/// Bytes of each text that then stand for it.
const BEGINNING: usize = 16_000;

/// The candidates with the beginnings of their texts; `None` when they hold so little text that ranking them
/// whole is no risk.
pub(super) fn of(candidates: &[Candidate]) -> Option<Vec<Candidate>> {
    let sizes = candidates.iter().filter_map(|it| it.document.as_ref());
    let size: usize = sizes
        .flat_map(|document| &document.blocks)
        .map(|block| block.text.len())
        .sum();
    (size > MUCH).then(|| {
        let shortened = candidates.iter().map(|candidate| Candidate {
            document: candidate.document.as_deref().map(beginning).map(Arc::new),
            ..candidate.clone()
        });
        shortened.collect()
    })
}

fn beginning(document: &Document) -> Document {
    let mut left = BEGINNING;
    let mut blocks = Vec::new();
    for block in &document.blocks {
        if left == 0 {
            break;
        }
        let mut block = block.clone();
        let end = block.text.floor_char_boundary(left);
        block.text.truncate(end);
        left = left.saturating_sub(end.max(1));
        blocks.push(block);
    }
    Document {
        title: document.title.clone(),
        blocks,
        published: document.published,
        language: document.language.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{answer::fixtures::page, test_support::document};

    #[test]
    fn much_text_is_shortened_fairly_and_little_is_not() {
        let short = page("Tides", "https://a.org/", &["Tides follow the Moon."]);
        assert_eq!(of(&[short.clone(), short.clone()]), None);
        let words = "wörds of a very long page. ".repeat(30_000);
        let long = Candidate {
            document: Some(Arc::new(document(&words))),
            ..short.clone()
        };
        let shortened = of(&[long, short.clone()]).expect("much text");
        let size = |at: usize| shortened[at].document.as_ref().map(|it| it.text().len());
        assert!(size(0).is_some_and(|size| (BEGINNING - 4..=BEGINNING).contains(&size)));
        assert_eq!(shortened[1], short);
    }
}
