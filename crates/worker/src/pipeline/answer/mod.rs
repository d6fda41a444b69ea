//! The answer stage: a language model writes the answer ([`write`](mod@write)), or it is extracted
//! from the sentences of the sources ([`extractive`](mod@extractive)).

pub mod citations;
pub mod extractive;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod prompt;
pub mod write;

pub use extractive::{abstention_text, extract_text};
pub use prompt::{PromptBudget, build_prompt};
pub use write::{Answer, EXTRACTIVE, write};
