//! The worker's end of one parser process.

use super::{
    confine::Confinement,
    frame,
    job::{JobHeader, ParseJob, ParseResult},
};
use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
};
use tokio::{
    io::BufReader,
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// The command that runs the program as a parser process.
pub(crate) const PARSER_COMMAND: &str = "parse-documents";

/// A running parser process. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct ParserProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    documents: usize,
}

impl ParserProcess {
    /// Starts `program` and waits until it has confined itself. It inherits no settings, which may
    /// be secrets, and no terminal.
    pub(super) async fn start(program: &Path) -> io::Result<(Self, Confinement)> {
        let mut command = Command::new(program);
        command
            .arg(PARSER_COMMAND)
            .env_clear()
            // Reserved memory counts against the limit.
            .env("MIMALLOC_ARENA_RESERVE", "64M")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // Ctrl-C must reach the worker only, which then finishes its searches.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("no pipes"))?;
        let mut process = Self {
            child,
            input,
            output: BufReader::new(output),
            documents: 0,
        };
        let hello = frame::receive(&mut process.output, frame::MAX_HEADER).await?;
        let confinement = postcard::from_bytes(&hello).map_err(io::Error::other)?;
        Ok((process, confinement))
    }

    /// Parses one document. After an error, or when the future is dropped, the process must be
    /// dropped: it may be in the middle of a document.
    pub(super) async fn parse(&mut self, job: &ParseJob) -> io::Result<ParseResult> {
        self.documents += 1;
        let header = postcard::to_allocvec(&JobHeader::from_job(job)).map_err(io::Error::other)?;
        frame::send(&mut self.input, &header).await?;
        frame::send(&mut self.input, &job.bytes).await?;
        let answer = frame::receive(&mut self.output, frame::MAX_RESULT).await?;
        postcard::from_bytes(&answer).map_err(io::Error::other)
    }

    /// How many documents it has received.
    pub(super) fn documents(&self) -> usize {
        self.documents
    }

    /// Whether the process has exited.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the process if it still runs, and returns its exit status.
    pub(super) async fn kill(mut self) -> io::Result<ExitStatus> {
        drop(self.input);
        self.child.start_kill()?;
        self.child.wait().await
    }
}
