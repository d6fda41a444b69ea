//! Removes invisible characters from untrusted text: readers do not see them, but models and
//! terminals obey them. Applied where text enters.

/// Whether `c` is invisible or changes how others are displayed: controls, tags, overrides and
/// isolates of the reading direction, zero-width spaces, annotation marks. Not tab and line feed,
/// nor the joiners that scripts and emoji need, nor left-to-right and right-to-left marks.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n'))
        || matches!(c,
            '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{202a}'..='\u{202e}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Cleans text of several lines in place.
pub fn clean_in_place(text: &mut String) {
    if text.contains(is_invisible) {
        text.retain(|c| !is_invisible(c));
    }
}

/// Cleans text of several lines and cuts it to `max_bytes`.
#[must_use]
pub fn clean_text(text: &str, max_bytes: usize) -> String {
    let mut cleaned = String::new();
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if cleaned.len() + c.len_utf8() > max_bytes {
            break;
        }
        cleaned.push(c);
    }
    cleaned
}

/// Cleans text of one line, such as a name: joins white space to one blank and cuts the text to
/// `max_chars` characters.
#[must_use]
pub fn clean_line(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::new();
    let mut is_between = false;
    let mut left = max_chars;
    for c in text.chars() {
        // Checked first, as some white space is a control character.
        if c.is_whitespace() {
            is_between = !cleaned.is_empty();
        } else if !is_invisible(c) {
            let needed = 1 + usize::from(is_between);
            if left < needed {
                break;
            }
            if std::mem::take(&mut is_between) {
                cleaned.push(' ');
            }
            cleaned.push(c);
            left -= needed;
        }
    }
    cleaned
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every character to remove, by Unicode block.
    pub(crate) fn unwanted() -> impl Iterator<Item = char> {
        let controls = (0..0x20)
            .chain(0x7f..=0x9f)
            .filter(|c| ![9, 10].contains(c));
        let bidi = (0x202a..=0x202e).chain(0x2066..=0x2069);
        let unseen = [0xad, 0x200b, 0xfeff].into_iter().chain(0x2060..=0x2064);
        let tags = 0xe0000..=0xe007f;
        let all = controls.chain(bidi).chain(unseen).chain(tags);
        all.filter_map(char::from_u32)
    }

    /// Texts whose joiners and marks must stay.
    const NEEDED: [&str; 5] = [
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        "\u{1f469}\u{200d}\u{1f52c}",
        "\u{2764}\u{fe0f}",
        "\u{5d0}\u{200f}!",
        "\u{915}\u{94d}\u{200d}\u{937}",
    ];

    #[test]
    fn every_unwanted_character_is_removed_and_its_neighbours_stay() {
        for c in unwanted() {
            assert!(is_invisible(c), "{c:?}");
            let text = format!("a{c}b");
            assert_eq!(clean_text(&text, 100), "ab", "{c:?}");
            let blank = if c.is_whitespace() { "a b" } else { "ab" };
            assert_eq!(clean_line(&text, 100), blank, "{c:?}");
        }
    }

    #[test]
    fn joiners_and_marks_of_scripts_and_emoji_stay() {
        for text in NEEDED {
            let mut cleaned = text.to_owned();
            clean_in_place(&mut cleaned);
            assert_eq!(cleaned, text);
            assert_eq!(clean_text(text, 100), text);
            assert_eq!(clean_line(text, 100), text);
        }
        assert_eq!(clean_text("a\tb\n c", 100), "a\tb\n c");
        assert_eq!(clean_line(" a\tb\n\u{a0} c ", 100), "a b c");
    }

    proptest! {
        #[test]
        fn cleaning_the_pieces_of_a_text_equals_cleaning_the_whole(
            text in any::<String>(), at in any::<prop::sample::Index>(),
        ) {
            let borders: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let (head, tail) = text.split_at(*at.get(&borders));
            let most = usize::MAX;
            prop_assert_eq!(clean_text(head, most) + &clean_text(tail, most), clean_text(&text, most));
        }

        #[test]
        fn clean_text_is_visible_and_within_its_limit(text in any::<String>(), most in 0_usize..60) {
            prop_assert!(!clean_text(&text, most).contains(is_invisible));
            prop_assert!(clean_text(&text, most).len() <= most);
            let line = clean_line(&text, most);
            prop_assert!(!line.contains(is_invisible));
            prop_assert!(!line.contains(['\n', '\t']) && line.trim() == line);
            prop_assert!(line.chars().count() <= most);
        }
    }
}
