//! From a file's text to a [`Document`](crate::pipeline::Document): what a person would read of it,
//! in order, and where each piece can be linked to.
//!
//! HTML takes four steps: `tree` parses it within bounds, `survey` looks at the whole tree once and
//! notes where the text is, `root` picks the element that holds the content, and `blocks` turns
//! that element into blocks. `element` says what each tag means to all of them, `walk` goes
//! through the tree. Markdown takes two: `marks` cuts what would take the parser too much memory.
//! At the end `readable` cleans and bounds what is passed on.

mod blocks;
mod dates;
mod element;
mod html;
mod markdown;
mod marks;
mod metadata;
mod noise;
mod plain;
mod readable;
mod root;
mod survey;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

/// Bytes of an id that a link may name. A longer one is not made for links, and each block below it
/// has a copy.
const MAX_ANCHOR: usize = 256;

pub use html::{html, page};
pub use markdown::markdown;
pub use plain::plain_text;
pub use readable::{TextLimits, readable};
