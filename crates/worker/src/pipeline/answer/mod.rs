//! The answer: written by a model, or put together from the best sentences of the sources.

pub mod citations;
pub mod extractive;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod prompt;
pub mod write;

pub use extractive::{extractive, not_answered};
pub use prompt::{PromptBudget, prompt};
pub use write::{Answer, EXTRACTIVE, write};
