//! Plans and sources for tests.

use crate::pipeline::{
    Block, BlockKind, Candidate, Document, Passage, Plan, PlannedQuery, RankedSource,
};
use privachat_core::schema::{Intent, SourceType, SubQuery};
use std::sync::Arc;

pub(crate) fn plan(question: &str) -> Plan {
    Plan {
        question: question.to_owned(),
        language: crate::pipeline::text::language(question),
        queries: vec![PlannedQuery {
            sub_query: SubQuery {
                query: question.to_owned(),
                intent: Intent::Factual,
                priority: 1,
            },
            time_range: None,
        }],
        sub_questions: vec![question.to_owned()],
        ..Plan::default()
    }
}

pub(crate) fn candidate(title: &str, url: &str, text: &str) -> Candidate {
    Candidate {
        url: url.to_owned(),
        title: title.to_owned(),
        snippet: text.to_owned(),
        providers: vec!["local"],
        fusion_score: 1.0 / 61.0,
        found_by_queries: vec![0],
        published: None,
        source_type: SourceType::Web,
        document: None,
    }
}

pub(crate) fn ranked(title: &str, url: &str, text: &str) -> RankedSource {
    RankedSource {
        candidate: candidate(title, url, text),
        relevance: 0.8,
        semantic_score: None,
        final_score: 0.8,
        passages: vec![Passage {
            headings: Vec::new(),
            text: text.to_owned(),
            anchor: None,
            score: 0.8,
            semantic_score: None,
        }],
    }
}

/// A candidate with a document. Lines begin with `# ` or `## ` (heading), `: ` (term), `- ` (list
/// item), `| ` (table row), `` ` `` (code) or are paragraphs.
pub(crate) fn page(title: &str, url: &str, lines: &[&str]) -> Candidate {
    let blocks = lines.iter().map(|line| {
        let (kind, text) = [
            ("# ", BlockKind::Heading(1)),
            ("## ", BlockKind::Heading(2)),
            (": ", BlockKind::Term),
            ("- ", BlockKind::ListItem),
            ("| ", BlockKind::TableRow),
            ("`", BlockKind::Code),
        ]
        .into_iter()
        .find_map(|(mark, kind)| Some((kind, line.strip_prefix(mark)?)))
        .unwrap_or((BlockKind::Paragraph, line));
        Block {
            kind,
            text: text.to_owned(),
            anchor: None,
        }
    });
    let document = Document {
        title: title.to_owned(),
        blocks: blocks.collect(),
        published: None,
        language: None,
    };
    Candidate {
        snippet: String::new(),
        document: Some(Arc::new(document)),
        ..candidate(title, url, "")
    }
}
