//! Documents of strangers are parsed in processes apart.
//!
//! The parsers of HTML, Markdown and PDF are large, and a document can be written to exceed any of
//! them. So the worker starts a few processes of its own program in another role, which can read
//! no file, open no connection and use only so much memory and processor time (`confine`). A
//! document that crashes its process or takes too long costs its own result and nothing else.
//!
//! [`ParserPool`] is the worker's side: it starts processes as they are needed, hands each one
//! document at a time, and kills those that are late. [`serve()`] is the other side, and
//! `parse` is what happens in there. `frame` is what goes over the pipes.

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
pub use job::{Format, Origin, ParseError, ParseJob, Parsed};
pub use pool::ParserPool;
pub(crate) use process::ROLE;
pub use serve::serve;
