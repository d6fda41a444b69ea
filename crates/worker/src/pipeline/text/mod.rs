//! Text as the ranking and the answerer see it: words, stems, sentences, language.

pub mod language;
pub mod sentences;
mod signature;
pub mod stop_words;
pub mod tokens;

pub use language::language;
pub use sentences::{is_code_like, sentence_ranges, sentences};
pub use signature::without_parameters;
pub use tokens::{Analyzer, Token, content_terms, tokens};
