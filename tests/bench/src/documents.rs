//! Generated HTML pages with the statistics of real ones; the same on every machine and in every
//! run.

use std::fmt::Write as _;
use std::path::Path;

/// The number of words; the nth is used 1/n as often as the first.
const VOCABULARY: f64 = 60_000.0;
const PER_FOLDER: usize = 500;
const ONSETS: [&str; 16] = [
    "b", "br", "c", "ch", "d", "f", "g", "gr", "l", "m", "n", "p", "r", "s", "st", "t",
];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ea", "ou", "io"];
const ENDS: [&str; 8] = ["", "n", "r", "l", "s", "t", "nd", "ck"];
/// The most common words of English, which connect its sentences.
const COMMON: [&str; 20] = [
    "the", "of", "and", "to", "a", "in", "is", "that", "for", "it", "as", "was", "with", "be",
    "by", "on", "not", "are", "this", "from",
];

/// A stream of words that depends only on its seed.
pub struct Words {
    state: u64,
}

impl Words {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// SplitMix64.
    fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound as u64) as usize
    }

    /// From `least` of the vocabulary on, by Zipf's law.
    fn rank(&mut self, least: f64) -> usize {
        let uniform = (self.number() >> 11) as f64 / (1u64 << 53) as f64;
        (least * (VOCABULARY / least).powf(uniform)) as usize
    }

    fn word(&mut self) -> String {
        let rank = self.rank(1.0);
        spelled(rank)
    }

    fn sentence(&mut self) -> String {
        let words: Vec<String> = (0..8 + self.below(14)).map(|_| self.word()).collect();
        let sentence = words.join(" ");
        let mut letters = sentence.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).chain(['.']).collect()
    }

    fn title(&mut self) -> String {
        let words: Vec<String> = (0..3).map(|_| spelled(self.rank(40.0))).collect();
        words.join(" ")
    }

    /// A question of one common, one medium and up to two rare words.
    pub fn question(mut self) -> String {
        let mut ranks = vec![self.rank(20.0), self.rank(200.0)];
        for _ in 0..self.below(3) {
            ranks.push(self.rank(2000.0));
        }
        let words: Vec<String> = ranks.into_iter().map(spelled).collect();
        words.join(" ")
    }
}

/// The nth word.
fn spelled(rank: usize) -> String {
    if let Some(word) = COMMON.get(rank - 1) {
        return (*word).to_owned();
    }
    let (mut left, mut word) = (rank, String::new());
    loop {
        word.push_str(ONSETS[left % 16]);
        word.push_str(VOWELS[left / 16 % 8]);
        word.push_str(ENDS[left / 128 % 8]);
        left /= 1024;
        if left == 0 {
            return word;
        }
    }
}

/// One page: the usual parts around it, and an article of a few sections.
pub fn page(number: usize) -> String {
    let mut words = Words::new(number as u64 ^ 0x5eed_0000_0000);
    let title = words.title();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"description\" content=\"{title}\"><link rel=\"stylesheet\" href=\"/style.css\"></head>\n\
         <body><nav><ul>"
    );
    for entry in 0..8 {
        let _ = write!(
            page,
            "<li><a href=\"/part/{entry}\">{}</a></li>",
            words.word()
        );
    }
    let _ = write!(page, "</ul></nav>\n<main><article><h1>{title}</h1>\n");
    for section in 0..2 + words.below(4) {
        let _ = writeln!(page, "<h2 id=\"s{section}\">{}</h2>", words.title());
        for _ in 0..2 + words.below(3) {
            let sentences: Vec<String> =
                (0..3 + words.below(4)).map(|_| words.sentence()).collect();
            let link = words.below(100_000);
            let _ = writeln!(
                page,
                "<p class=\"text\">{} See <a href=\"/{link}.html\">{}</a>.</p>",
                sentences.join(" "),
                words.title()
            );
        }
        page.push_str("<ul class=\"points\">");
        for _ in 0..words.below(5) {
            let _ = write!(page, "<li>{}</li>", words.sentence());
        }
        page.push_str("</ul>\n");
    }
    page.push_str(
        "</article></main><footer><p>All of this is made up.</p></footer></body></html>\n",
    );
    page
}

/// Writes this many pages; returns their size in bytes.
///
/// # Panics
/// If the folder is not writable.
pub fn write(folder: &Path, count: usize) -> u64 {
    let mut bytes = 0;
    for number in 0..count {
        let folder = folder.join((number / PER_FOLDER).to_string());
        if number % PER_FOLDER == 0 {
            std::fs::create_dir_all(&folder).expect("a folder of documents");
        }
        let page = page(number);
        bytes += page.len() as u64;
        std::fs::write(folder.join(format!("{number}.html")), page).expect("a document");
    }
    bytes
}
