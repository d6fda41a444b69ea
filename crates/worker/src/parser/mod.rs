//! Parses untrusted documents in separate processes.
//!
//! The parsers of HTML, Markdown and PDF are large, and a hostile document can exploit or exhaust
//! them. So the worker starts its own program again as parser processes, which can open no file and
//! no connection and have limits of memory and processor time (`confine`). A document that crashes
//! its process or takes too long loses its own result and nothing else.
//!
//! [`ParserPool`] is the worker's side: it starts processes on demand, gives each one document at a
//! time, and kills those that miss the deadline. [`serve()`] is the process's side; it calls
//! `parse`. `frame` is the format of the pipes.

mod confine;
mod frame;
mod job;
mod parse;
mod pool;
mod process;
mod processes;
mod serve;
#[cfg(test)]
mod tests;

pub use confine::Confinement;
pub use job::{Format, Origin, ParseError, ParseJob, ParsedDocument};
pub use pool::ParserPool;
pub(crate) use process::PARSER_COMMAND;
pub use serve::serve;
