//! `check-config`: what is configured, what answers, and what to set where it does not.

use crate::{
    pipeline::Deadline,
    upstream::ProbeError,
    wiring::{self, PipelineSettings, Wiring},
};
use futures_util::future::{BoxFuture, join_all};
use std::{io::Write, process::ExitCode, time::Duration};

/// How long one upstream may take.
const PATIENCE: Duration = Duration::from_secs(20);

type Probe<'a> = BoxFuture<'a, Result<String, ProbeError>>;

pub(super) async fn run(
    settings: &PipelineSettings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let wiring = wiring::context(settings)?;
    let deadline = Deadline::after(PATIENCE);
    let rows = rows(&wiring, deadline);
    let mut broken = 0;
    let mut providers = 0;
    let results = join_all(rows.into_iter().map(async |row| Checked {
        name: row.name,
        setting: row.setting,
        is_provider: row.is_provider,
        result: match row.probe {
            Some(probe) => Some(deadline.cut(probe).await.unwrap_or_else(|| Err(too_slow()))),
            None => None,
        },
    }));
    for row in results.await {
        match row.result {
            None => writeln!(out, "off   {:<11} set {}", row.name, row.setting)?,
            Some(Ok(detail)) => {
                providers += usize::from(row.is_provider);
                writeln!(out, "ok    {:<11} {detail}", row.name)?;
            }
            Some(Err(error)) => {
                broken += 1;
                writeln!(out, "FAIL  {:<11} {}", row.name, error.problem)?;
                if let Some(hint) = error.hint {
                    writeln!(out, "      {:<11} {hint}", "")?;
                }
            }
        }
    }
    if providers == 0 {
        writeln!(
            out,
            "\nNo search provider works: every question would fail."
        )?;
    }
    let all_well = broken == 0 && providers > 0;
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Row<'a> {
    name: &'static str,
    setting: &'static str,
    is_provider: bool,
    /// `None` when it is not configured.
    probe: Option<Probe<'a>>,
}

struct Checked {
    name: &'static str,
    setting: &'static str,
    is_provider: bool,
    result: Option<Result<String, ProbeError>>,
}

fn rows(wiring: &Wiring, deadline: Deadline) -> Vec<Row<'_>> {
    let provider = |name, setting, probe| Row {
        name,
        setting,
        is_provider: true,
        probe,
    };
    let searxng = wiring
        .searxng
        .as_ref()
        .map(|it| Box::pin(it.probe(deadline)) as Probe<'_>);
    let serper = wiring
        .serper
        .as_ref()
        .map(|it| Box::pin(it.probe(deadline)) as Probe<'_>);
    let perplexity = wiring
        .perplexity
        .as_ref()
        .map(|it| Box::pin(it.probe(deadline)) as Probe<'_>);
    let wikipedia = wiring
        .wikipedia
        .as_ref()
        .map(|it| Box::pin(it.probe(deadline)) as Probe<'_>);
    let corpus = wiring
        .corpus
        .as_ref()
        .map(|_| Box::pin(std::future::ready(corpus(wiring))) as Probe<'_>);
    let model = wiring
        .model
        .as_ref()
        .map(|it| Box::pin(it.probe(deadline)) as Probe<'_>);
    let semantics = wiring
        .semantics
        .as_ref()
        .map(|it| Box::pin(it.probe(deadline)) as Probe<'_>);
    vec![
        provider("searxng", "SEARXNG_BASE_URL", searxng),
        provider("serperdev", "SERPER_API_KEY", serper),
        provider("perplexity", "PERPLEXITY_API_KEY", perplexity),
        provider("wikipedia", "WIKIPEDIA_BASE_URL", wikipedia),
        provider("local", "CORPUS_PATHS", corpus),
        Row {
            name: "model",
            setting: "LLM_BASE_URL and LLM_MODEL; without them answers are put together from the sources",
            is_provider: false,
            probe: model,
        },
        Row {
            name: "meaning",
            setting: "EMBEDDING_BASE_URL and EMBEDDING_MODEL, or RERANK_BASE_URL and RERANK_MODEL; without them only words rank",
            is_provider: false,
            probe: semantics,
        },
    ]
}

/// The state of the index; the files of the corpus are read by the worker, not here.
fn corpus(wiring: &Wiring) -> Result<String, ProbeError> {
    let status = wiring
        .corpus
        .as_ref()
        .map(|corpus| corpus.status())
        .unwrap_or_default();
    if status.ready && status.files == 0 {
        return Err(ProbeError {
            problem: "the corpus holds no file that can be read".to_owned(),
            hint: Some("let CORPUS_PATHS name folders of HTML, Markdown or text".to_owned()),
        });
    }
    if !status.ready {
        return Ok("not indexed yet; a worker does that when it starts".to_owned());
    }
    Ok(format!(
        "{} files, {} sections",
        status.indexed, status.sections
    ))
}

fn too_slow() -> ProbeError {
    ProbeError {
        problem: format!("no answer within {} s", PATIENCE.as_secs()),
        hint: None,
    }
}
