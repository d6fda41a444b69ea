//! `read`: the main content of one page or file.

use super::show;
use crate::{
    pipeline::{BlockKind, Deadline, Document},
    web::{charset, extract, pdf},
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
        None => (source.to_owned(), file(Path::new(source))?),
    };
    if json {
        show::json(&as_json(&address, &document), out)?;
    } else {
        show::document(&document, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn web_address(source: &str) -> Option<Url> {
    Url::parse(source)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

async fn page(settings: &PipelineSettings, url: &Url) -> anyhow::Result<(String, Document)> {
    let wiring = wiring::context(&PipelineSettings {
        fetch: settings.fetch.clone(),
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

fn file(path: &Path) -> anyhow::Result<Document> {
    let bytes =
        std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if bytes.starts_with(pdf::MAGIC) {
        return pdf::pdf(&bytes, pdf::Limits::default())
            .with_context(|| format!("{} cannot be read", path.display()));
    }
    let text = charset::decode(&bytes, None);
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase();
    Ok(match extension.as_str() {
        "html" | "htm" | "xhtml" => extract::html(&text, None),
        "md" | "markdown" => extract::markdown(&text),
        _ => extract::plain_text(&text),
    })
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
