//! The command line. Without a command the daemon runs. The commands run parts of the pipeline
//! without Redis, for tuning and debugging; `check-config` also checks Redis and the history.
//! Results go to stdout and progress to stderr, so that results can be piped.

mod ask;
mod check;
mod check_config;
mod escape;
mod output;
mod progress;
mod read;
mod search;
#[cfg(test)]
mod tests;

use crate::{parser, wiring::PipelineSettings};
use anyhow::Context as _;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use privachat_core::{
    mode::Mode,
    probe,
    schema::SearchEngine,
    settings::{self, SharedSettings},
    version::version_and_revision,
};
use std::{io::Write, path::PathBuf, process::ExitCode};

/// Takes searches from the queue and runs them; with a command, runs a part of the pipeline by
/// hand.
#[derive(Debug, Parser)]
#[command(name = "privachat-worker", version = version_and_revision())]
pub struct Cli {
    /// The part to run by hand; without a command the worker runs until it is stopped.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Reads the arguments of the process. Prints help, the version or an error and exits when they
    /// ask for it or are invalid.
    #[must_use]
    pub fn from_process() -> Self {
        let command = Self::command().after_help(settings::help());
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer a question: the whole pipeline once.
    Ask {
        /// The question.
        question: String,
        /// How thorough the search is.
        #[arg(long, value_enum, default_value_t)]
        mode: ModeName,
        /// Which provider to search.
        #[arg(long, value_enum, default_value_t)]
        provider: EngineName,
        /// Time limit in seconds; that of the mode by default.
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=300))]
        timeout: Option<u64>,
        /// Print the response as the HTTP API would.
        #[arg(long)]
        json: bool,
    },
    /// Ask one provider and show its results as they come.
    Search {
        /// Which provider.
        #[arg(long, value_enum)]
        provider: EngineName,
        /// What to search for.
        query: String,
        /// How many results.
        #[arg(long, default_value_t = 10)]
        limit: usize,
        /// Print the results as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the main content of a page or file, as the pipeline sees it.
    Read {
        /// An http(s) address, or a file of HTML, Markdown or text.
        #[arg(value_name = "URL|FILE")]
        source: String,
        /// Print the blocks as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check everything that is configured, and say what to set where it does not work.
    CheckConfig,
    /// Check that the worker at METRICS_PORT of this machine is ready.
    Healthcheck,
    /// Check an answer against its sources, claim by claim.
    Check {
        /// JSON: {"answer": …, "sources": [{"title": …, "url": …, "text": …}]}
        file: PathBuf,
        /// Print the claims as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run as a parser process of the worker.
    #[command(name = parser::PARSER_COMMAND, hide = true)]
    ParseDocuments,
}

/// Runs one command and writes its result to `out`, with invisible characters escaped. The exit
/// code says whether it succeeded.
///
/// # Errors
/// When the command could not run, or `out` cannot be written to.
pub async fn run(
    command: Command,
    settings: &PipelineSettings,
    shared: &SharedSettings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    // Buffered, so that everything that a command writes is escaped.
    let mut written = Vec::new();
    let result = dispatch(command, settings, shared, &mut written).await;
    let written = String::from_utf8_lossy(&written);
    out.write_all(escape::escape_invisible(&written).as_bytes())?;
    result
}

async fn dispatch(
    command: Command,
    settings: &PipelineSettings,
    shared: &SharedSettings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Ask {
            question,
            mode,
            provider,
            timeout,
            json,
        } => {
            let request = ask::request(&question, mode.into(), provider.into(), timeout)?;
            ask::run(settings, &request, json, out).await
        }
        Command::Search {
            provider,
            query,
            limit,
            json,
        } => search::run(settings, provider.into(), &query, limit, json, out).await,
        Command::Read { source, json } => read::run(settings, &source, json, out).await,
        Command::CheckConfig => check_config::run(settings, shared, out).await,
        Command::Healthcheck => healthcheck(shared).await,
        Command::Check { file, json } => check::run(&file, json, out),
        Command::ParseDocuments => Ok(parser::serve()),
    }
}

async fn healthcheck(shared: &SharedSettings) -> anyhow::Result<ExitCode> {
    let port = shared.metrics_address.as_ref();
    let port = port.context("set METRICS_PORT: without it a worker has no health check")?;
    let asked = probe::check_ready(&port.host, port.port).await;
    asked.map_err(anyhow::Error::msg)?;
    Ok(ExitCode::SUCCESS)
}

/// The argument form of a mode.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum ModeName {
    /// Snippets only.
    Speed,
    /// Reads the best pages.
    #[default]
    Balanced,
    /// Several sub-queries, reads every page.
    Deep,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Speed => Self::Speed,
            ModeName::Balanced => Self::Balanced,
            ModeName::Deep => Self::Deep,
        }
    }
}

/// The argument form of a search engine.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum EngineName {
    /// The providers that are configured.
    #[default]
    Auto,
    /// SEARXNG_BASE_URL.
    Searxng,
    /// SERPER_API_KEY.
    Serperdev,
    /// PERPLEXITY_API_KEY.
    Perplexity,
    /// No key needed.
    Wikipedia,
    /// CORPUS_PATHS.
    Local,
}

impl From<EngineName> for SearchEngine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Auto => Self::Auto,
            EngineName::Searxng => Self::Searxng,
            EngineName::Serperdev => Self::Serperdev,
            EngineName::Perplexity => Self::Perplexity,
            EngineName::Wikipedia => Self::Wikipedia,
            EngineName::Local => Self::Local,
        }
    }
}
