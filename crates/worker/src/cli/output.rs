//! Prints results as text or JSON.

use crate::pipeline::{Block, BlockKind, Document, Hit};
use privachat_core::schema::SearchResponse;
use serde::Serialize;
use std::io::{self, Write};

/// Prints pretty JSON and a newline.
pub(super) fn json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// Prints the answer with its numbered sources, or why there is none.
pub(super) fn response(response: &SearchResponse, out: &mut dyn Write) -> io::Result<()> {
    if let Some(error) = &response.error {
        writeln!(out, "No answer: {error}")?;
        if let Some(hint) = &response.error_hint {
            writeln!(out, "{hint}")?;
        }
        return Ok(());
    }
    writeln!(out, "{}\n", response.answer.as_deref().unwrap_or_default())?;
    for (source, number) in response.sources.iter().flatten().zip(1..) {
        writeln!(
            out,
            "[{number}] {} ({:.2})",
            source.title, source.final_score
        )?;
        writeln!(out, "    {}", source.url)?;
    }
    writeln!(
        out,
        "\n{} · {:.1} s · confidence {:.2} · grounding {:.2} · unsupported claims {}",
        response.model_used.as_deref().unwrap_or("no model"),
        response.execution_time.unwrap_or_default(),
        response.confidence.unwrap_or_default(),
        response.grounding_score.unwrap_or_default(),
        response.hallucination_count.unwrap_or_default(),
    )
}

/// Prints the results of one provider.
pub(super) fn hits(hits: &[Hit], out: &mut dyn Write) -> io::Result<()> {
    for hit in hits {
        writeln!(out, "{}. {}\n   {}", hit.position, hit.title, hit.url)?;
        if !hit.snippet.trim().is_empty() {
            writeln!(out, "   {}", hit.snippet.trim().replace('\n', "\n   "))?;
        }
    }
    Ok(())
}

/// Prints a document in a Markdown-like form.
pub(super) fn document(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Title: {}", document.title)?;
    if let Some(published) = document.published {
        writeln!(out, "Published: {}", published.format("%Y-%m-%d"))?;
    }
    if let Some(language) = &document.language {
        writeln!(out, "Language: {language}")?;
    }
    writeln!(out, "Characters: {}\n", document.len())?;
    document.blocks.iter().try_for_each(|part| block(part, out))
}

fn block(block: &Block, out: &mut dyn Write) -> io::Result<()> {
    let text = &block.text;
    match block.kind {
        BlockKind::Heading(level) => {
            writeln!(out, "{} {text}\n", "#".repeat(usize::from(level)))
        }
        BlockKind::Paragraph => writeln!(out, "{text}\n"),
        BlockKind::ListItem => writeln!(out, "- {text}"),
        BlockKind::Term => writeln!(out, "**{text}**"),
        BlockKind::Quote => writeln!(out, "> {text}\n"),
        BlockKind::TableRow => writeln!(out, "| {text} |"),
        BlockKind::Code => writeln!(out, "```\n{text}\n```\n"),
    }
}
