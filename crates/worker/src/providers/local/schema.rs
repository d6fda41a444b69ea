//! The fields of the index. One entry per section, and one per file that says what was read.

use tantivy::{
    Index,
    schema::{
        Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
    },
    tokenizer::{TextAnalyzer, WhitespaceTokenizer},
};

/// Goes up when fields or words change: an index of another version is not read but built anew.
pub(super) const VERSION: u32 = 4;

const WORDS: &str = "words";

/// The fields by role.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// The `file://` address of the file: the key of all its entries.
    pub(super) file: Field,
    /// The language whose stems the words of a section are.
    pub(super) language: Field,
    /// [`FILE`] or [`SECTION`].
    pub(super) kind: Field,
    /// Size of the file in bytes.
    pub(super) size: Field,
    /// Its modification time, in nanoseconds since 1970.
    pub(super) modified: Field,
    /// Why a file has no sections, when it could not be parsed.
    pub(super) fault: Field,
    /// Title of the page.
    pub(super) title: Field,
    /// Headings above the section, outermost first.
    pub(super) path: Field,
    /// The section's own heading or term.
    pub(super) heading: Field,
    /// Names that the section defines, whole and lower-cased.
    pub(super) name: Field,
    /// What the section says.
    pub(super) body: Field,
    /// The section as [`super::sections::Section`], in JSON.
    pub(super) stored: Field,
}

/// Kind of an entry for a file.
pub(super) const FILE: u64 = 0;
/// Kind of an entry for a section.
pub(super) const SECTION: u64 = 1;

impl Fields {
    /// The schema and its fields.
    pub(super) fn schema() -> (Schema, Self) {
        let words = |option| {
            TextOptions::default().set_indexing_options(
                TextFieldIndexing::default()
                    .set_tokenizer(WORDS)
                    .set_index_option(option),
            )
        };
        let mut schema = Schema::builder();
        let fields = Self {
            file: schema.add_text_field("file", STRING | STORED),
            language: schema.add_text_field("language", STRING),
            kind: schema.add_u64_field("kind", INDEXED),
            size: schema.add_u64_field("size", STORED),
            modified: schema.add_i64_field("modified", STORED),
            fault: schema.add_text_field("fault", STORED),
            title: schema.add_text_field("title", words(IndexRecordOption::WithFreqs)),
            path: schema.add_text_field("path", words(IndexRecordOption::WithFreqs)),
            heading: schema.add_text_field("heading", words(IndexRecordOption::WithFreqs)),
            name: schema.add_text_field("name", STRING),
            body: schema.add_text_field("body", words(IndexRecordOption::WithFreqs)),
            stored: schema.add_bytes_field("stored", STORED),
        };
        (schema.build(), fields)
    }
}

/// Tells tantivy how to take the words of this index apart. They come as words already, each by its own
/// language: all that is left to do is to split them.
pub(super) fn register_words(index: &Index) {
    index
        .tokenizers()
        .register(WORDS, TextAnalyzer::from(WhitespaceTokenizer::default()));
}
