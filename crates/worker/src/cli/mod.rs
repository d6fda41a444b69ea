//! The command line: the daemon, and pieces of the pipeline without Redis for people who tune or
//! debug it; `check-config` looks at Redis and the history, too. Progress goes to stderr, results to stdout, so that results can be piped.

mod ask;
mod check;
mod check_config;
mod progress;
mod read;
mod search;
mod show;
#[cfg(test)]
mod tests;
mod visible;

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

/// Takes searches from the queue and runs them; with a command, runs a piece of it by hand.
#[derive(Debug, Parser)]
#[command(name = "privachat-worker", version = version_and_revision())]
pub struct Cli {
    /// What to run by hand; without a command the worker runs until it is stopped.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Reads the arguments of the process. Prints help or a complaint and exits when they ask for
    /// it or cannot be used.
    #[must_use]
    pub fn from_process() -> Self {
        let command = Self::command().after_help(settings::help());
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// The pieces that can be run by hand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer a question: the whole pipeline once.
    Ask {
        /// The question.
        question: String,
        /// How thorough.
        #[arg(long, value_enum, default_value_t)]
        mode: ModeName,
        /// Where to look.
        #[arg(long, value_enum, default_value_t)]
        provider: EngineName,
        /// Seconds; the mode's unless given.
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
    /// Ask everything that is configured whether it works, and say what to set where not.
    CheckConfig,
    /// Ask the worker at METRICS_PORT of this machine whether it is ready.
    Healthcheck,
    /// Hold an answer against its sources, claim by claim.
    Check {
        /// JSON: {"answer": …, "sources": [{"title": …, "url": …, "text": …}]}
        file: PathBuf,
        /// Print the claims as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The role of the worker's own parser processes.
    #[command(name = parser::ROLE, hide = true)]
    ParseDocuments,
}

/// Runs one command; its result goes to `out`, without a character that a terminal obeys. The code
/// says whether it succeeded.
///
/// # Errors
/// When the command could not be carried out at all, or `out` cannot be written to.
pub async fn run(
    command: Command,
    settings: &PipelineSettings,
    shared: &SharedSettings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    // Whole, so that nothing that a command writes can miss the encoding.
    let mut written = Vec::new();
    let result = carry_out(command, settings, shared, &mut written).await;
    let written = String::from_utf8_lossy(&written);
    out.write_all(visible::visible(&written).as_bytes())?;
    result
}

async fn carry_out(
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
    let port = shared.metrics.as_ref();
    let port = port.context("set METRICS_PORT: without it a worker cannot be asked")?;
    let asked = probe::ready(&port.host, port.port).await;
    asked.map_err(anyhow::Error::msg)?;
    Ok(ExitCode::SUCCESS)
}

/// A mode, as an argument.
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

/// A search engine, as an argument.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum EngineName {
    /// Whatever is configured.
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
