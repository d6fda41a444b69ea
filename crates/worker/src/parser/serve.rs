//! The role of a parser process: it reads documents from its input, one after the other, and
//! writes what it read in them to its output, until the worker closes the pipe or kills it.

use super::{
    confine::{self, Confinement},
    frame,
    job::{Answer, Header, ParseError, ParseJob},
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

/// The parsers of PDF and Markdown go down with nested objects; nothing of ours does.
const STACK: usize = 16 * 1024 * 1024;

/// Runs the role. Returns when the worker has closed the pipe, also in the middle of a document.
#[must_use]
pub fn serve() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_broken_pipe) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    // A message of a panic may quote the document.
    panic::set_hook(Box::new(|_| {}));
    volunteer_for_the_oom_killer();
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    confine::limit_resources();
    confine::drop_files_and_network();
    let (send, documents) = sync_channel(0);
    let mut answers = output.try_clone()?;
    // The C library sets a new thread up with calls that it may not make afterwards.
    let is_set_up = Arc::new(Barrier::new(2));
    let thread_is_set_up = Arc::clone(&is_set_up);
    thread::Builder::new()
        .name("parser".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            thread_is_set_up.wait();
            answer_all(&documents, &mut answers);
        })?;
    is_set_up.wait();
    confine::drop_system_calls();
    frame::write(&mut output, &encoded(&Confinement::tried()))?;
    // The input is read while a document is parsed, so that its end is noticed at once.
    loop {
        let job = match next(&mut input) {
            Ok(job) => job,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        send.send(job).map_err(io::Error::other)?;
    }
}

/// When memory runs out, the kernel takes the document rather than the searches.
fn volunteer_for_the_oom_killer() {
    let _not_linux = std::fs::write("/proc/self/oom_score_adj", "1000");
}

fn next(input: &mut File) -> io::Result<ParseJob> {
    let header = frame::read(input, frame::MAX_HEADER)?;
    let header: Header = postcard::from_bytes(&header).map_err(io::Error::other)?;
    let bytes = frame::read(input, frame::MAX_DOCUMENT)?;
    header
        .with(bytes)
        .ok_or_else(|| io::Error::other("no address"))
}

fn answer_all(documents: &Receiver<ParseJob>, output: &mut File) {
    while let Ok(job) = documents.recv() {
        confine::limit_time();
        let outcome = catch_unwind(AssertUnwindSafe(|| parse(&job)));
        let answer = Answer::of(outcome.unwrap_or(Err(ParseError::Crashed)));
        if frame::write(output, &encoded(&answer)).is_err() {
            return;
        }
    }
}

/// An empty frame stands for what cannot be encoded; the worker takes it for a crash.
fn encoded(value: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}
