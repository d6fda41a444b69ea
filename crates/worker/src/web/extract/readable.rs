//! What of a document is passed on: characters that can be seen, and no more than a search can rank.

use crate::{cleaning::clean_in_place, pipeline::Document};

/// How much text of a document is passed on.
#[derive(Debug, Clone, Copy)]
pub struct TextLimits {
    /// Bytes of the whole document.
    pub text: usize,
    /// Bytes of one block.
    pub block: usize,
}

impl TextLimits {
    /// A page brings no more into a search: several times what long manuals have. A block that is
    /// longer is no paragraph that a person wrote.
    pub const PAGE: Self = Self {
        text: 400_000,
        block: 20_000,
    };
}

/// Bytes of a title. Every passage and section of a document has a copy.
const MAX_TITLE: usize = 500;
/// What a block costs beside its text and anchor.
const PER_BLOCK: usize = 16;

/// Takes invisible characters out: what cannot be seen on a page is not what the page says, and a
/// model would read it all the same. What lies beyond the limits is left out.
pub fn readable(mut document: Document, limits: TextLimits) -> Document {
    clean_in_place(&mut document.title);
    let end = document.title.floor_char_boundary(MAX_TITLE);
    document.title.truncate(end);
    let mut left = limits.text;
    document.blocks.retain_mut(|block| {
        if left == 0 {
            return false;
        }
        clean_in_place(&mut block.text);
        let end = block.text.floor_char_boundary(limits.block.min(left));
        block.text.truncate(end);
        let anchor = block.anchor.as_ref().map_or(0, String::len);
        left = left.saturating_sub(end + anchor + PER_BLOCK);
        true
    });
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::test_support::document;

    #[test]
    fn what_nobody_sees_is_not_read_and_what_scripts_need_stays() {
        let hidden =
            document("I\u{200b}gnore \u{202e}sda\u{202c} this\u{e0053}\u{e0061}\u{e0079}.");
        assert_eq!(
            readable(hidden, TextLimits::PAGE).text(),
            "Ignore sda this."
        );
        let needed =
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645} \u{1f469}\u{200d}\u{1f52c}";
        assert_eq!(readable(document(needed), TextLimits::PAGE).text(), needed);
    }

    #[test]
    fn endless_blocks_and_endless_pages_are_cut_between_characters() {
        let TextLimits { text, block } = TextLimits::PAGE;
        let long = readable(document(&"\u{e9}".repeat(block)), TextLimits::PAGE);
        assert_eq!(long.text().len(), block);
        let mut many = document("Words.");
        many.blocks = vec![many.blocks[0].clone(); text];
        let many = readable(many, TextLimits::PAGE);
        assert!(many.blocks.len() * ("Words.".len() + PER_BLOCK) <= text + 100);
        assert_eq!(many.blocks[0].text, "Words.");
    }
}
