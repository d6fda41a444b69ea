//! [`ParserPool`]: limits how many documents are parsed at once, and for how long.

#[cfg(test)]
use super::job::ParseResult;
use super::{
    confine::Confinement,
    frame::MAX_DOCUMENT,
    job::{Format, Origin, ParseError, ParseJob, ParsedDocument},
    processes::Processes,
};
use crate::{
    pipeline::{Deadline, processor_count},
    web::pdf,
};
use std::{io, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit},
};

/// Bytes of a large page. Parsing the largest page may take 160 MB of memory, one of this size 40
/// MB.
const LARGE_PAGE_BYTES: usize = 128 * 1024;
/// Longest time for one page, even with a later deadline.
const MAX_PAGE_TIME: Duration = Duration::from_secs(30);
/// Longest time for a file of the corpus, which no search waits for. Even on a busy machine, an
/// endless file reaches its limit of processor time first and is marked as crashed, and a sound one
/// is parsed.
const MAX_FILE_TIME: Duration = Duration::from_secs(180);
/// The most processes of each lane; docs/CAPACITY.md has their memory.
const MAX_SMALL: usize = 8;
const MAX_LARGE: usize = 3;
const MAX_FILES: usize = 4;

/// Parses documents in separate processes. Clones share the processes.
#[derive(Debug, Clone)]
pub struct ParserPool(Arc<PoolState>);

#[derive(Debug)]
struct PoolState {
    backend: ParserBackend,
    /// Separate lanes for small pages, large pages and files: a document that is slow on purpose
    /// delays only its own lane, and only until its deadline.
    small: Semaphore,
    large: Semaphore,
    files: Semaphore,
}

#[derive(Debug)]
enum ParserBackend {
    Processes(Processes),
    /// For unit tests, whose program cannot run as a parser process.
    #[cfg(test)]
    InProcess,
}

impl Default for ParserPool {
    /// Starts processes of the running program.
    fn default() -> Self {
        #[cfg(not(test))]
        let runner = ParserBackend::Processes(Processes::new(this_program()));
        #[cfg(test)]
        let runner = ParserBackend::InProcess;
        Self::with_backend(runner)
    }
}

impl ParserPool {
    /// A pool for processes of `program`, a worker of the same version. Starts none yet.
    #[must_use]
    pub fn with_program(program: PathBuf) -> Self {
        Self::with_backend(ParserBackend::Processes(Processes::new(program)))
    }

    fn with_backend(runner: ParserBackend) -> Self {
        let lane = |most| Semaphore::new(processor_count().min(most));
        Self(Arc::new(PoolState {
            backend: runner,
            small: lane(MAX_SMALL),
            large: lane(MAX_LARGE),
            files: lane(MAX_FILES),
        }))
    }

    /// Parses one document. At the deadline, or when the future is dropped, its process is killed.
    ///
    /// # Errors
    /// `NoContent` when the document has no usable text, `TimedOut` at the deadline, `Crashed` when
    /// the parser crashed or reached a limit, `Unavailable` when no process could be started.
    pub async fn parse(
        &self,
        job: ParseJob,
        deadline: Deadline,
    ) -> Result<ParsedDocument, ParseError> {
        if job.bytes.len() > MAX_DOCUMENT {
            return Err(ParseError::Crashed);
        }
        let parsing = async {
            // The lanes are never closed, so this is never `None`.
            let _permit = self.permit(&job).await;
            match &self.0.backend {
                ParserBackend::Processes(processes) => processes.parse(&job).await,
                #[cfg(test)]
                ParserBackend::InProcess => {
                    let job = job.clone();
                    let parsing =
                        move || ParseResult::from_outcome(super::parse::parse(&job)).into_outcome();
                    let parsed = tokio::task::spawn_blocking(parsing).await;
                    parsed.unwrap_or(Err(ParseError::Crashed))
                }
            }
        };
        let deadline = deadline.at_most(match job.origin {
            Origin::File => MAX_FILE_TIME,
            Origin::Page { .. } => MAX_PAGE_TIME,
        });
        let parsed = deadline.limit(parsing).await;
        parsed.unwrap_or(Err(ParseError::TimedOut))
    }

    /// Parses one document from a thread outside of a runtime; `runtime` drives the pipes.
    ///
    /// # Errors
    /// As [`ParserPool::parse`], and `Unavailable` without a runtime.
    pub fn parse_blocking(
        &self,
        job: ParseJob,
        runtime: Option<&Handle>,
    ) -> Result<ParsedDocument, ParseError> {
        #[cfg(test)]
        if matches!(self.0.backend, ParserBackend::InProcess) {
            return ParseResult::from_outcome(super::parse::parse(&job)).into_outcome();
        }
        let runtime = runtime.ok_or(ParseError::Unavailable)?;
        runtime.block_on(async { self.parse(job, Deadline::after(MAX_FILE_TIME)).await })
    }

    /// Starts a process to test how far the kernel confines it.
    ///
    /// # Errors
    /// When no process can be started.
    pub async fn probe(&self) -> io::Result<Confinement> {
        match &self.0.backend {
            ParserBackend::Processes(processes) => processes.probe().await,
            #[cfg(test)]
            ParserBackend::InProcess => Ok(Confinement::detect()),
        }
    }

    async fn permit(&self, job: &ParseJob) -> Option<SemaphorePermit<'_>> {
        let lane = match job.origin {
            Origin::File => &self.0.files,
            Origin::Page { .. } if is_large(job) => &self.0.large,
            Origin::Page { .. } => &self.0.small,
        };
        lane.acquire().await.ok()
    }
}

/// Every PDF is large, as a small one can unpack to a large document.
fn is_large(job: &ParseJob) -> bool {
    job.bytes.len() > LARGE_PAGE_BYTES
        || job.format == Format::Pdf
        || job.bytes.starts_with(pdf::MAGIC)
}

/// The running program, even when another version has been installed over its file.
#[cfg(not(test))]
fn this_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        return PathBuf::from("/proc/self/exe");
    }
    std::env::current_exe().unwrap_or_else(|_unknown| PathBuf::from("privachat-worker"))
}
