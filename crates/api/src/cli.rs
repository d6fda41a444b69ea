//! The command line. Settings come from the environment.

use crate::{server, settings::ApiSettings};
use clap::{Parser, Subcommand};
use privachat_core::{
    probe,
    settings::{self, Environment},
    version::version_and_revision,
};
use std::{io::Write, process::ExitCode};

/// The HTTP API of PrivaChat Search.
#[derive(Parser)]
#[command(name = "privachat-api", version = version_and_revision(), about, after_help = settings::help())]
struct Arguments {
    /// Without a command the API runs until it is stopped.
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ask the API at API_PORT of this machine whether it is ready.
    Healthcheck,
}

/// Runs the process. Prints a failure once, with all its causes.
#[must_use]
pub fn main() -> ExitCode {
    let started = match Arguments::parse().command {
        Some(Command::Healthcheck) => healthcheck(),
        None => start(),
    };
    match started {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not a log line: settings are read before logging starts.
            let _unwritable = writeln!(std::io::stderr(), "privachat-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    let settings = read_settings()?;
    let shared = &settings.shared;
    let traces = shared
        .log
        .start_traced(shared.otlp_endpoint.as_ref(), "privachat-api")?;
    let served = serve(settings);
    traces.stop();
    served
}

fn read_settings() -> anyhow::Result<ApiSettings> {
    let environment = Environment::from_process()?;
    Ok(ApiSettings::read(&|name| environment.get(name))?)
}

fn healthcheck() -> anyhow::Result<()> {
    let settings = read_settings()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let asked = runtime.block_on(probe::check_ready(&settings.host, settings.port));
    // A thread may still be resolving a host name; do not wait for it.
    runtime.shutdown_background();
    asked.map_err(anyhow::Error::msg)
}

fn serve(settings: ApiSettings) -> anyhow::Result<()> {
    // The database drivers need a multi-threaded runtime; actix runs single-threaded ones.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let _entered = runtime.enter();
    actix_web::rt::System::new().block_on(server::run(settings))
}
