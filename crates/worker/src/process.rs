//! Starts the process: reads the settings, starts logging and the runtime, then runs the daemon or
//! one command.

use crate::{
    cli::{self, Cli, Command},
    daemon,
    metrics::Metrics,
    page_cache::PageCache,
    parser,
    settings::WorkerSettings,
    traced::CallObserver,
    wiring,
};
use privachat_core::{cache::Cache, jobs::Jobs, settings::Environment, supervisor::TaskSet};
use std::{io::Write, process::ExitCode, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Runs the process. A failure is printed once, with all its causes.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::from_process();
    start(cli).unwrap_or_else(|error| {
        // To stderr, since logging starts after the settings are read.
        let _unwritable = writeln!(std::io::stderr(), "privachat-worker: {error:#}");
        ExitCode::FAILURE
    })
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    // Before the settings are read: a parser process gets none.
    if matches!(cli.command, Some(Command::ParseDocuments)) {
        return Ok(parser::serve());
    }
    let environment = Environment::from_process()?;
    let settings = WorkerSettings::read(&|name| environment.get(name))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let Some(command) = cli.command else {
        let shared = &settings.shared;
        let traces = shared
            .log
            .start_traced(shared.otlp_endpoint.as_ref(), "privachat-worker")?;
        let served = runtime.block_on(serve(settings));
        // Work on the blocking threads is not awaited: it could hang.
        runtime.shutdown_background();
        traces.stop();
        return served.map(|()| ExitCode::SUCCESS);
    };
    settings.shared.log.for_commands().start();
    let code = runtime.block_on(cli::run(
        command,
        &settings.pipeline,
        &settings.shared,
        &mut std::io::stdout(),
    ));
    // A cut search may have left work on the blocking threads; it is not awaited.
    runtime.shutdown_background();
    code
}

async fn serve(settings: WorkerSettings) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::default());
    let calls = Arc::clone(&metrics) as Arc<dyn CallObserver>;
    let wiring = wiring::build_observed(&settings.pipeline, Some(&calls))?;
    let mut context = wiring.context;
    if !settings.page_cache_ttl.is_zero() {
        context.fetcher = Arc::new(PageCache {
            inner: context.fetcher,
            cache: Cache::new(settings.shared.redis.clone()),
            ttl: settings.page_cache_ttl,
            excluded: Arc::clone(&context.excluded_domains),
        });
    }
    let stopped = CancellationToken::new();
    let mut parts = TaskSet::default();
    if let Some(corpus) = wiring.corpus {
        parts.spawn("the corpus indexer", corpus.keep_fresh(stopped.clone()));
    }
    let jobs = Jobs::new(settings.shared.redis.clone());
    jobs.log_config_issues().await;
    let look_after = daemon::Observability {
        metrics,
        metrics_address: settings.shared.metrics_address.clone(),
    };
    daemon::run(settings.daemon(), jobs, context, look_after, parts, stopped).await
}
