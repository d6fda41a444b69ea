//! The process: settings, logging, runtime, and then the daemon or one command.

use crate::{
    cli::{self, Cli},
    daemon,
    settings::WorkerSettings,
    wiring,
};
use privachat_core::{jobs::Jobs, settings};
use std::{io::Write, process::ExitCode, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Runs the process. A failure is printed once, with all its causes.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::from_process();
    start(cli).unwrap_or_else(|error| {
        // Logging may not have been started: settings are read before it.
        let _unwritable = writeln!(std::io::stderr(), "privachat-worker: {error:#}");
        ExitCode::FAILURE
    })
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    let settings = WorkerSettings::read(&settings::from_process)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let Some(command) = cli.command else {
        settings.shared.log.start();
        runtime.block_on(serve(settings))?;
        return Ok(ExitCode::SUCCESS);
    };
    settings.shared.log.quieter().start();
    let code = runtime.block_on(cli::run(
        command,
        &settings.pipeline,
        &mut std::io::stdout(),
    ));
    // A search that was cut may have left work on the blocking threads; nobody waits for it.
    runtime.shutdown_background();
    code
}

async fn serve(settings: WorkerSettings) -> anyhow::Result<()> {
    let wiring = wiring::context(&settings.pipeline)?;
    let stop = CancellationToken::new();
    let corpus = wiring
        .corpus
        .map(|corpus| tokio::spawn(Arc::clone(&corpus).keep_fresh(stop.clone())));
    let jobs = Jobs::new(settings.shared.redis.clone());
    jobs.warn_of_bad_setup().await;
    let served = daemon::run(settings.daemon(), jobs, wiring.context).await;
    stop.cancel();
    if let Some(corpus) = corpus {
        corpus.await?;
    }
    served
}
