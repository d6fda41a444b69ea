//! A parser process: reads documents from its input, one after the other, and writes their results
//! to its output, until the worker closes the pipe or kills it.

use super::{
    confine::{self, Confinement},
    frame,
    job::{JobHeader, ParseError, ParseJob, ParseResult},
    parse::parse,
};
use std::{
    fs::File,
    io,
    os::fd::AsFd,
    panic::{self, AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{
        Arc, Barrier,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

/// Bytes; large, because the parsers of PDF and Markdown recurse into nested objects.
const PARSER_STACK_BYTES: usize = 16 * 1024 * 1024;

/// Runs a parser process. Returns when the worker closes the pipe, even during a document.
#[must_use]
pub fn serve() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_broken_pipe) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    // Silences panics: a message may quote the document.
    panic::set_hook(Box::new(|_| {}));
    volunteer_for_the_oom_killer();
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    confine::limit_resources();
    confine::drop_files_and_network();
    let (send, documents) = sync_channel(0);
    let mut answers = output.try_clone()?;
    // The set-up of a thread needs system calls that are dropped afterwards.
    let is_set_up = Arc::new(Barrier::new(2));
    let thread_is_set_up = Arc::clone(&is_set_up);
    thread::Builder::new()
        .name("parser".to_owned())
        .stack_size(PARSER_STACK_BYTES)
        .spawn(move || {
            thread_is_set_up.wait();
            parse_all(&documents, &mut answers);
        })?;
    is_set_up.wait();
    confine::drop_system_calls();
    frame::write(&mut output, &encoded(&Confinement::detect()))?;
    // Reads the input during a document too, so that the process ends as soon as the pipe closes.
    loop {
        let job = match read_job(&mut input) {
            Ok(job) => job,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        send.send(job).map_err(io::Error::other)?;
    }
}

/// When memory runs out, the kernel kills a parser process rather than the worker.
fn volunteer_for_the_oom_killer() {
    let _not_linux = std::fs::write("/proc/self/oom_score_adj", "1000");
}

fn read_job(input: &mut File) -> io::Result<ParseJob> {
    let header = frame::read(input, frame::MAX_HEADER)?;
    let header: JobHeader = postcard::from_bytes(&header).map_err(io::Error::other)?;
    let bytes = frame::read(input, frame::MAX_DOCUMENT)?;
    header
        .into_job(bytes)
        .ok_or_else(|| io::Error::other("no address"))
}

fn parse_all(documents: &Receiver<ParseJob>, output: &mut File) {
    while let Ok(job) = documents.recv() {
        confine::limit_time();
        let outcome = catch_unwind(AssertUnwindSafe(|| parse(&job)));
        let answer = ParseResult::from_outcome(outcome.unwrap_or(Err(ParseError::Crashed)));
        if frame::write(output, &encoded(&answer)).is_err() {
            return;
        }
    }
}

/// An empty frame when the value cannot be encoded; the worker treats it as a crash.
fn encoded(value: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}
