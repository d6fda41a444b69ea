//! The processes of a pool: started on demand, reused, and replaced when they fail.

use super::{
    confine::Confinement,
    job::{ParseError, ParseJob, ParsedDocument},
    process::ParserProcess,
};
use std::{
    io,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Documents after which a process is replaced, so that memory leaks of the parsers stay small.
const MAX_DOCUMENTS_PER_PROCESS: usize = 500;
/// Size of a document, in bytes, after which a process is replaced, to free its memory.
const MAX_REUSE_BYTES: usize = 512 * 1024;

#[derive(Debug)]
pub(super) struct Processes {
    program: PathBuf,
    idle: Mutex<Vec<ParserProcess>>,
    /// Whether the missing confinement has been logged.
    has_warned: AtomicBool,
}

impl Processes {
    pub(super) fn new(program: PathBuf) -> Self {
        Self {
            program,
            idle: Mutex::default(),
            has_warned: AtomicBool::new(false),
        }
    }

    pub(super) async fn parse(&self, job: &ParseJob) -> Result<ParsedDocument, ParseError> {
        let mut process = self.acquire().await.map_err(|error| {
            tracing::error!(%error, "no parser process can be started");
            ParseError::Unavailable
        })?;
        match process.parse(job).await {
            Ok(answer) => {
                self.release(process, job.bytes.len());
                answer.into_outcome()
            }
            Err(error) => {
                let status = process.kill().await;
                let status = status.map_or_else(|error| error.to_string(), |it| it.to_string());
                tracing::warn!(
                    %error,
                    status,
                    format = ?job.format,
                    bytes = job.bytes.len(),
                    "a document crashed its parser process"
                );
                Err(ParseError::Crashed)
            }
        }
    }

    pub(super) async fn probe(&self) -> io::Result<Confinement> {
        let (process, confinement) = ParserProcess::start(&self.program).await?;
        process.kill().await?;
        Ok(confinement)
    }

    async fn acquire(&self) -> io::Result<ParserProcess> {
        while let Some(mut process) = self.idle().pop() {
            if !process.has_ended() {
                return Ok(process);
            }
        }
        let (process, confinement) = ParserProcess::start(&self.program).await?;
        if !confinement.is_complete() && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                no_files = confinement.no_files,
                no_network = confinement.no_network,
                "this kernel does not confine parser processes (Landlock, seccomp): only their memory and time are limited"
            );
        }
        Ok(process)
    }

    fn release(&self, process: ParserProcess, bytes: usize) {
        if bytes <= MAX_REUSE_BYTES && process.documents() < MAX_DOCUMENTS_PER_PROCESS {
            self.idle().push(process);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<ParserProcess>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
