//! `search`: the unranked results of one provider.

use super::{ask, output, progress};
use crate::{
    pipeline::{Deadline, Hit, ProgressSink, ProviderQuery},
    wiring::{self, PipelineSettings},
};
use anyhow::{Context as _, ensure};
use privachat_core::{mode::Mode, schema::SearchEngine};
use serde_json::json;
use std::{io::Write, process::ExitCode};

pub(super) async fn run(
    settings: &PipelineSettings,
    engine: SearchEngine,
    query: &str,
    limit: usize,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    ensure!(
        engine != SearchEngine::Auto,
        "name one provider; only `ask` supports auto"
    );
    let wiring = wiring::build(settings)?;
    if let (SearchEngine::Local, Some(corpus)) = (engine, &wiring.corpus) {
        ask::refresh_index(corpus).await?;
    }
    let provider = wiring
        .context
        .providers
        .get(engine)
        .with_context(|| format!("{} is not configured", engine.as_str()))?;
    let query = ProviderQuery {
        text: query.trim().to_owned(),
        language: None,
        time_range: None,
        year: None,
        limit,
    };
    let deadline = Deadline::after(Mode::Speed.limits().timeout);
    let found = match provider.search(&query, deadline).await {
        Ok(found) => found,
        Err(error) => {
            let hint = error.hint().map(|hint| format!(": {hint}"));
            anyhow::bail!("{error}{}", hint.unwrap_or_default());
        }
    };
    let shown = progress::stderr();
    found.notices.iter().for_each(|notice| {
        let sink: &dyn ProgressSink = shown.as_sink();
        sink.warn(notice);
    });
    shown.finish();
    if json {
        let hits: Vec<_> = found.hits.iter().map(as_json).collect();
        output::json(&hits, out)?;
    } else if found.hits.is_empty() {
        writeln!(out, "Nothing was found.")?;
    } else {
        output::hits(&found.hits, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(hit: &Hit) -> serde_json::Value {
    json!({
        "position": hit.position,
        "title": hit.title,
        "url": hit.url,
        "snippet": hit.snippet,
        "provider": hit.provider,
        "published": hit.published,
        "source_type": hit.source_type,
        "characters": hit.document.as_ref().map(|document| document.len()),
    })
}
