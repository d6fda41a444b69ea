//! A quick look at Markdown before it is parsed. Its parser keeps up to 300 bytes for each character
//! that may mean something: 5 MB of nothing but such would take 700 MB, of prose 34.

/// What 2 MB of a real file have, whose every tenth byte is one; 5 MB of prose have no more.
const MAX_MARKS: usize = 200_000;

/// The part of `text` that can be parsed in reasonable memory; as a rule all of it.
pub(super) fn bounded(text: &str) -> &str {
    let mut previous = b'\n';
    let mut marks = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        marks += usize::from(is_mark(previous, byte));
        if marks > MAX_MARKS {
            // A mark is a whole character, so this is the border of one.
            return text.get(..at).unwrap_or(text);
        }
        previous = byte;
    }
    text
}

/// Whether the parser may make a piece of its own of it: a sign of formatting, what opens a block, the
/// end of a line.
fn is_mark(previous: u8, byte: u8) -> bool {
    match byte {
        b'\n' | b'\r' | b'*' | b'_' | b'~' | b'&' | b'\\' | b'[' | b']' | b'<' | b'!' | b'`'
        | b'|' | b'>' | b'-' | b'+' | b'#' | b':' => true,
        // The number of an item.
        b'.' | b')' => previous.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_files_are_left_alone() {
        let line =
            "It costs 3.50 (or so), and more – of “this”; see [the list](https://a.example/b-c).\n";
        let prose = line.repeat(2_000_000 / line.len());
        assert_eq!(bounded(&prose), prose);
    }

    #[test]
    fn text_of_nothing_but_marks_is_cut() {
        for mark in [
            "+ ", "1. ", "1) é\n", "[é]\n", "> ", "`é", "é&", "| ", "# a\r",
        ] {
            let text = mark.repeat(1_000_000);
            let kept = bounded(&text);
            assert!(kept.len() <= (MAX_MARKS + 1) * mark.len(), "{mark:?}");
            assert!(text.starts_with(kept) && !kept.is_empty(), "{mark:?}");
        }
    }
}
