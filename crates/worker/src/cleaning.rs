//! Text of strangers without what a reader cannot see and a model or a terminal would obey: the one
//! place that says which characters those are. Used where text enters.

/// Whether `c` shows nothing, or controls what shows others: controls, tags, overrides and isolates
/// of the reading direction, zero-width spaces, marks of annotations. Tab and line feed are none of
/// them, nor are the joiners that scripts and emoji need and the marks that only hint at a direction.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n'))
        || matches!(c,
            '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{202a}'..='\u{202e}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Cleans text that may have lines, in place.
pub fn clean(text: &mut String) {
    if text.contains(is_invisible) {
        text.retain(|c| !is_invisible(c));
    }
}

/// Text that may have lines, cleaned, at most `max_bytes` of it.
#[must_use]
pub fn lines(text: &str, max_bytes: usize) -> String {
    let mut cleaned = String::new();
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if cleaned.len() + c.len_utf8() > max_bytes {
            break;
        }
        cleaned.push(c);
    }
    cleaned
}

/// Text of one line, such as a name: cleaned, every run of white space one blank, at most
/// `max_chars` characters.
#[must_use]
pub fn line(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::new();
    let mut is_between = false;
    let mut left = max_chars;
    for c in text.chars() {
        // Before the class is asked: some white space is a control character.
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

    /// Every character that must not pass, from the blocks that Unicode gives them.
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

    /// What writing in some script, or an emoji, needs.
    const NEEDED: [&str; 5] = [
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        "\u{1f469}\u{200d}\u{1f52c}",
        "\u{2764}\u{fe0f}",
        "\u{5d0}\u{200f}!",
        "\u{915}\u{94d}\u{200d}\u{937}",
    ];

    #[test]
    fn each_unwanted_character_goes_and_its_neighbours_stay() {
        for c in unwanted() {
            assert!(is_invisible(c), "{c:?}");
            let text = format!("a{c}b");
            assert_eq!(lines(&text, 100), "ab", "{c:?}");
            let blank = if c.is_whitespace() { "a b" } else { "ab" };
            assert_eq!(line(&text, 100), blank, "{c:?}");
        }
    }

    #[test]
    fn what_scripts_and_emoji_need_stays() {
        for text in NEEDED {
            let mut cleaned = text.to_owned();
            clean(&mut cleaned);
            assert_eq!(cleaned, text);
            assert_eq!(lines(text, 100), text);
            assert_eq!(line(text, 100), text);
        }
        assert_eq!(lines("a\tb\n c", 100), "a\tb\n c");
        assert_eq!(line(" a\tb\n\u{a0} c ", 100), "a b c");
    }

    proptest! {
        #[test]
        fn however_text_is_cut_the_pieces_come_out_as_the_whole(
            text in any::<String>(), at in any::<prop::sample::Index>(),
        ) {
            let borders: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let (head, tail) = text.split_at(*at.get(&borders));
            let most = usize::MAX;
            prop_assert_eq!(lines(head, most) + &lines(tail, most), lines(&text, most));
        }

        #[test]
        fn nothing_unwanted_and_not_too_much_passes(text in any::<String>(), most in 0_usize..60) {
            prop_assert!(!lines(&text, most).contains(is_invisible));
            prop_assert!(lines(&text, most).len() <= most);
            let line = line(&text, most);
            prop_assert!(!line.contains(is_invisible));
            prop_assert!(!line.contains(['\n', '\t']) && line.trim() == line);
            prop_assert!(line.chars().count() <= most);
        }
    }
}
