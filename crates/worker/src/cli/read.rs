//! `read`: the main content of one page or file.

use super::output;
use crate::{
    parser::{Format, Origin, ParseJob},
    pipeline::{BlockKind, Deadline, Document},
    wiring::{self, PipelineSettings},
};
use anyhow::Context as _;
use privachat_core::mode::Mode;
use serde_json::json;
use std::{io::Write, path::Path, process::ExitCode};
use url::Url;

pub(super) async fn run(
    settings: &PipelineSettings,
    source: &str,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let (address, document) = match web_address(source) {
        Some(url) => page(settings, &url).await?,
        None => (source.to_owned(), file(settings, Path::new(source)).await?),
    };
    if json {
        output::json(&as_json(&address, &document), out)?;
    } else {
        output::document(&document, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn web_address(source: &str) -> Option<Url> {
    Url::parse(source)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

async fn page(settings: &PipelineSettings, url: &Url) -> anyhow::Result<(String, Document)> {
    let wiring = wiring::build(&PipelineSettings {
        fetch: settings.fetch.clone(),
        parser_program: settings.parser_program.clone(),
        ..PipelineSettings::default()
    })?;
    let deadline = Deadline::after(Mode::Speed.limits().timeout);
    let page = wiring
        .context
        .fetcher
        .fetch(url, None, deadline)
        .await
        .context("the page cannot be read")?;
    Ok((page.url.into(), page.document))
}

async fn file(settings: &PipelineSettings, path: &Path) -> anyhow::Result<Document> {
    let unread = || format!("{} cannot be read", path.display());
    let bytes = std::fs::read(path).with_context(unread)?;
    let job = ParseJob {
        format: Format::from_path(path).unwrap_or(Format::Text),
        content_type: None,
        origin: Origin::File,
        bytes,
    };
    let deadline = Deadline::after(Mode::Speed.limits().timeout);
    let parsed = settings.parsers().parse(job, deadline).await;
    Ok(parsed.with_context(unread)?.document)
}

fn as_json(address: &str, document: &Document) -> serde_json::Value {
    let blocks: Vec<_> = document
        .blocks
        .iter()
        .map(|block| json!({"kind": kind(block.kind), "text": block.text, "anchor": block.anchor}))
        .collect();
    json!({
        "url": address,
        "title": document.title,
        "published": document.published,
        "language": document.language,
        "characters": document.len(),
        "blocks": blocks,
    })
}

fn kind(kind: BlockKind) -> String {
    match kind {
        BlockKind::Heading(level) => format!("heading {level}"),
        BlockKind::Paragraph => "paragraph".to_owned(),
        BlockKind::ListItem => "list item".to_owned(),
        BlockKind::Term => "term".to_owned(),
        BlockKind::Quote => "quote".to_owned(),
        BlockKind::TableRow => "table row".to_owned(),
        BlockKind::Code => "code".to_owned(),
    }
}
