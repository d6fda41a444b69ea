//! Builds the pipeline's dependencies from the settings. This is the only module that chooses the
//! providers, the fetcher and the models behind the pipeline's traits.

use crate::{
    llm::{LlmConfig, OpenAiClient},
    parser::ParserPool,
    pipeline::{
        Context, CpuPool, LanguageModel, PageFetcher, Providers, SearchProvider, Semantics,
    },
    providers::{
        Perplexity, Searxng, Serper, Wikipedia,
        local::{CorpusSettings, LocalCorpus},
    },
    semantics::{SimilarityClient, SimilarityConfig},
    traced::{CallObserver, Traced},
    upstream,
    web::fetch::{FetchRules, WebFetcher},
};
use anyhow::Context as _;
use privachat_core::{secret::Secret, tls::CaFile};
use std::{path::PathBuf, sync::Arc};
use url::Url;

/// Settings of the pipeline; `None` turns a part off.
#[derive(Debug, Clone, Default)]
pub struct PipelineSettings {
    /// A SearXNG instance.
    pub searxng: Option<Url>,
    /// serper.dev or a compatible server.
    pub serper: Option<KeyedUpstream>,
    /// Perplexity or a compatible server.
    pub perplexity: Option<KeyedUpstream>,
    /// Wikipedia or another MediaWiki.
    pub wikipedia: Option<WikipediaSettings>,
    /// The operator's own documents.
    pub corpus: Option<CorpusSettings>,
    /// A language model.
    pub llm: Option<LlmConfig>,
    /// Embeddings or a reranker.
    pub semantics: Option<SimilarityConfig>,
    /// The limits of the page fetcher.
    pub fetch: FetchRules,
    /// Certificate authorities of the upstreams, beside the public ones.
    pub authorities: Option<CaFile>,
    /// The program of the parser processes; the running program when `None`.
    pub parser_program: Option<PathBuf>,
}

impl PipelineSettings {
    /// A pool of parser processes; starts none yet.
    #[must_use]
    pub fn parsers(&self) -> ParserPool {
        let program = self.parser_program.clone();
        program.map_or_else(ParserPool::default, ParserPool::with_program)
    }
}

/// An upstream that needs a key.
#[derive(Debug, Clone)]
pub struct KeyedUpstream {
    /// The API key.
    pub key: Secret,
    /// The address; the public one when `None`.
    pub base: Option<Url>,
}

/// Settings of the wiki.
#[derive(Debug, Clone, Default)]
pub struct WikipediaSettings {
    /// The address; the Wikipedia in the question's language when `None`.
    pub base: Option<Url>,
}

/// The pipeline's dependencies. The parts that are configured are also kept by themselves, because
/// `check-config` probes them and the corpus needs a background task.
#[derive(Clone)]
pub struct Wiring {
    /// Runs searches.
    pub context: Context,
    pub searxng: Option<Searxng>,
    pub serper: Option<Serper>,
    pub perplexity: Option<Perplexity>,
    pub wikipedia: Option<Wikipedia>,
    /// The caller must run its `keep_fresh`.
    pub corpus: Option<Arc<LocalCorpus>>,
    pub model: Option<OpenAiClient>,
    pub semantics: Option<SimilarityClient>,
}

/// Builds the dependencies. Sends no request and reads no document.
///
/// # Errors
/// When an HTTP client cannot be set up or the folder of the index cannot be written to.
pub fn build(settings: &PipelineSettings) -> anyhow::Result<Wiring> {
    build_observed(settings, None)
}

/// As [`build`], and reports every call to an upstream to `calls`.
///
/// # Errors
/// As [`build`].
pub fn build_observed(
    settings: &PipelineSettings,
    calls: Option<&Arc<dyn CallObserver>>,
) -> anyhow::Result<Wiring> {
    let authorities = settings.authorities.as_ref();
    let clients =
        upstream::UpstreamClients::new(authorities).context("the HTTP clients cannot be set up")?;
    let searxng = settings
        .searxng
        .as_ref()
        .map(|base| Searxng::new(base, clients.client_for(Some(base))));
    let serper = settings.serper.as_ref().map(|it| {
        Serper::new(
            it.base.as_ref(),
            it.key.clone(),
            clients.client_for(it.base.as_ref()),
        )
    });
    let perplexity = settings.perplexity.as_ref().map(|it| {
        Perplexity::new(
            it.base.as_ref(),
            it.key.clone(),
            clients.client_for(it.base.as_ref()),
        )
    });
    let wikipedia = settings
        .wikipedia
        .as_ref()
        .map(|it| Wikipedia::new(it.base.clone(), clients.client_for(it.base.as_ref())));
    let parsers = settings.parsers();
    let corpus = settings.corpus.clone();
    let corpus = corpus
        .map(|corpus| LocalCorpus::open(corpus, parsers.clone()))
        .transpose()?;
    let model = settings.llm.clone().map(|config| {
        let client = clients.client_for(Some(&config.base_url));
        OpenAiClient::new(config, client)
    });
    let semantics = settings.semantics.clone().map(|settings| {
        let client = clients.client_for(Some(&settings.server().base_url));
        SimilarityClient::new(settings, client)
    });

    let local = corpus
        .clone()
        .map(|corpus| corpus as Arc<dyn SearchProvider>);
    let providers = [
        local,
        as_provider(searxng.as_ref()),
        as_provider(serper.as_ref()),
        as_provider(perplexity.as_ref()),
        as_provider(wikipedia.as_ref()),
    ];
    let providers = providers
        .into_iter()
        .flatten()
        .map(|provider| Arc::new(Traced::new(provider, calls.cloned())) as Arc<dyn SearchProvider>);
    let providers = Providers::new(providers.collect());
    let fetcher: Arc<dyn PageFetcher> = Arc::new(WebFetcher::new(settings.fetch.clone(), parsers)?);
    let fetcher = Arc::new(Traced::new(fetcher, calls.cloned()));
    let context = Context {
        excluded_domains: Arc::new(settings.fetch.excluded_domains.clone()),
        semantics: semantics
            .clone()
            .map(|semantics| Arc::new(semantics) as Arc<dyn Semantics>)
            .map(|semantics| {
                Arc::new(Traced::new(semantics, calls.cloned())) as Arc<dyn Semantics>
            }),
        model: model
            .clone()
            .map(|model| Arc::new(model) as Arc<dyn LanguageModel>)
            .map(|model| Arc::new(Traced::new(model, calls.cloned())) as Arc<dyn LanguageModel>),
        cpu_pool: CpuPool::apart(),
        ..Context::new(providers, fetcher)
    };
    Ok(Wiring {
        context,
        searxng,
        serper,
        perplexity,
        wikipedia,
        corpus,
        model,
        semantics,
    })
}

fn as_provider<P: SearchProvider + Clone + 'static>(
    provider: Option<&P>,
) -> Option<Arc<dyn SearchProvider>> {
    provider.map(|provider| Arc::new(provider.clone()) as Arc<dyn SearchProvider>)
}
