//! Checks the search providers, the parser and the models.

use super::{Check, Finding, Probe, ProviderOrigin};
use crate::{
    parser::ParserPool,
    pipeline::Deadline,
    providers::local::{CorpusSettings, LocalCorpus},
    semantics::SimilarityConfig,
    upstream::ProbeError,
    wiring::{PipelineSettings, Wiring},
};

pub(super) fn checks<'a>(
    wiring: &'a Wiring,
    settings: &'a PipelineSettings,
    deadline: Deadline,
) -> Vec<Check<'a>> {
    let row = |provider, name, setting, probe| Check {
        name,
        setting,
        provider,
        probe,
    };
    let configured = Some(ProviderOrigin::Configured);
    let searxng = wiring
        .searxng
        .as_ref()
        .map(|it| single_finding(it.probe(deadline)));
    let serper = wiring
        .serper
        .as_ref()
        .map(|it| single_finding(it.probe(deadline)));
    let perplexity = wiring
        .perplexity
        .as_ref()
        .map(|it| single_finding(it.probe(deadline)));
    let wikipedia = wiring
        .wikipedia
        .as_ref()
        .map(|it| single_finding(it.probe(deadline)));
    let is_chosen = settings
        .wikipedia
        .as_ref()
        .is_some_and(|it| it.base.is_some());
    let wikipedia_is = if is_chosen {
        configured
    } else {
        Some(ProviderOrigin::Default)
    };
    let local = settings.corpus.clone();
    let local = local.map(|it| -> Probe<'a> { Box::pin(corpus(it, settings.parsers(), deadline)) });
    let model = wiring
        .model
        .as_ref()
        .map(|it| single_finding(it.probe(deadline)));
    let meaning = wiring
        .semantics
        .as_ref()
        .map(|it| single_finding(it.probe(deadline)));
    let meaning_name = match settings.semantics {
        Some(SimilarityConfig::Embeddings(_)) => "embeddings",
        Some(SimilarityConfig::Rerank(_)) => "rerank",
        None => "meaning",
    };
    vec![
        row(configured, "searxng", "SEARXNG_BASE_URL", searxng),
        row(configured, "serperdev", "SERPER_API_KEY", serper),
        row(configured, "perplexity", "PERPLEXITY_API_KEY", perplexity),
        row(wikipedia_is, "wikipedia", "WIKIPEDIA_BASE_URL", wikipedia),
        row(configured, "local", "CORPUS_PATHS", local),
        row(
            None,
            "parser",
            "",
            Some(Box::pin(parser(settings.parsers()))),
        ),
        row(
            None,
            "model",
            "LLM_BASE_URL and LLM_MODEL; without them answers are extracted from the sources",
            model,
        ),
        row(
            None,
            meaning_name,
            "EMBEDDING_BASE_URL and EMBEDDING_MODEL, or RERANK_BASE_URL and RERANK_MODEL; without them sources are ranked by words only",
            meaning,
        ),
    ]
}

fn single_finding<'a>(
    probe: impl Future<Output = Result<String, ProbeError>> + Send + 'a,
) -> Probe<'a> {
    Box::pin(async { vec![Finding::from(probe.await)] })
}

/// Checks the corpus without indexing: the worker does that.
async fn corpus(settings: CorpusSettings, parsers: ParserPool, deadline: Deadline) -> Vec<Finding> {
    let index_dir = settings.index_dir.clone();
    let corpus = match LocalCorpus::open(settings, parsers) {
        Ok(corpus) => corpus,
        Err(error) => {
            return vec![Finding::Failed(ProbeError {
                problem: format!(
                    "the index in {} cannot be opened: {error}",
                    index_dir.display()
                ),
                hint: Some(
                    "set DATA_DIR to a folder that the worker's user may write to".to_owned(),
                ),
            })];
        }
    };
    let look = corpus.probe(deadline).await;
    let doubts = look.doubts.into_iter().map(Finding::Warning);
    std::iter::once(Finding::from(look.state))
        .chain(doubts)
        .collect()
}

/// Checks that parser processes start, and that the kernel confines them.
async fn parser(parsers: ParserPool) -> Vec<Finding> {
    let problem = match parsers.probe().await {
        Ok(confinement) if confinement.is_complete() => {
            let detail = "documents are parsed without access to files and network";
            return vec![Finding::Passed(detail.to_owned())];
        }
        Ok(_partly) => "this kernel does not take files and network away from parser processes",
        Err(error) => {
            return vec![Finding::Failed(ProbeError {
                problem: format!("no parser process can be started: {error}"),
                hint: Some("allow the worker to execute its own program".to_owned()),
            })];
        }
    };
    vec![Finding::Warning(ProbeError {
        problem: problem.to_owned(),
        hint: Some(
            "use a kernel with Landlock and seccomp, and a container profile that allows both"
                .to_owned(),
        ),
    })]
}
