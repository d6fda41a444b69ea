//! Words that turn a claim into its opposite.

use crate::pipeline::text::Analyzer;
use std::collections::{HashMap, HashSet};

/// Opposites, as terms of one language.
pub(super) struct Antonyms {
    opposites: HashMap<String, HashSet<String>>,
}

impl Antonyms {
    pub(super) fn new(analyzer: &Analyzer) -> Self {
        let mut opposites: HashMap<String, HashSet<String>> = HashMap::new();
        let side = |words: &str| -> HashSet<String> { analyzer.terms(words).into_iter().collect() };
        for (one, other) in PAIRS {
            let (one, other) = (side(one), side(other));
            for (from, to) in [(&one, &other), (&other, &one)] {
                for term in from.difference(to) {
                    let entry = opposites.entry(term.clone()).or_default();
                    entry.extend(to.difference(from).cloned());
                }
            }
        }
        Self { opposites }
    }

    /// What says the opposite of `term`.
    pub(super) fn of(&self, term: &str) -> Option<&HashSet<String>> {
        self.opposites.get(term)
    }
}

const PAIRS: [(&str, &str); 54] = [
    (
        "open opened opens opening reopen reopened",
        "close closed closes closing",
    ),
    (
        "hot hotter hottest warm warmer warmest",
        "cold colder coldest cool cooler coolest",
    ),
    ("heat heats heated boil boils boiled", "cool cools cooled"),
    (
        "freeze freezes frozen froze",
        "melt melts melted thaw boil boils",
    ),
    ("wet wetter damp", "dry drier dried"),
    (
        "increase increases increased grow grew grows",
        "decrease decreases decreased shrink shrank fall fell",
    ),
    (
        "rise rises rose risen",
        "fall falls fell fallen drop drops dropped",
    ),
    ("fast faster fastest quick quicker", "slow slower slowest"),
    (
        "speed accelerate accelerates",
        "slow slows decelerate decelerates",
    ),
    ("more", "less fewer"),
    ("most", "least fewest"),
    ("high higher highest", "low lower lowest"),
    (
        "large larger largest big bigger biggest",
        "small smaller smallest",
    ),
    ("long longer longest", "short shorter shortest"),
    ("first", "last"),
    ("before", "after"),
    ("above over", "below under"),
    ("early earlier earliest", "late later latest"),
    (
        "allow allows allowed permit permits permitted",
        "forbid forbids forbidden prohibit prohibited ban banned",
    ),
    (
        "accept accepts accepted approve approves approved",
        "reject rejects rejected refuse refuses refused",
    ),
    (
        "strengthen strengthens strengthened",
        "weaken weakens weakened",
    ),
    ("strong stronger strongest", "weak weaker weakest"),
    (
        "arrive arrives arrived",
        "leave leaves left depart departs departed",
    ),
    (
        "begin begins began start starts started",
        "end ends ended stop stops stopped finish finished",
    ),
    ("enable enables enabled", "disable disables disabled"),
    ("buy buys bought", "sell sells sold"),
    ("win wins won", "lose loses lost"),
    ("gain gains gained", "lose loses lost"),
    ("succeed succeeds succeeded", "fail fails failed"),
    ("cheap cheaper cheapest", "expensive dear costly"),
    ("safe safer safest", "dangerous unsafe"),
    ("include includes included", "exclude excludes excluded"),
    ("heavy heavier heaviest", "light lighter lightest"),
    ("loud louder loudest", "quiet quieter quietest"),
    ("good better best", "bad worse worst"),
    ("add adds added", "remove removes removed"),
    (
        "create creates created",
        "delete deletes deleted destroy destroyed",
    ),
    ("mutable", "immutable"),
    ("synchronous", "asynchronous"),
    ("encrypt encrypted", "decrypt decrypted unencrypted"),
    ("import imports imported", "export exports exported"),
    ("north northern", "south southern"),
    ("east eastern", "west western"),
    ("minimum", "maximum"),
    (
        "old older oldest",
        "young younger youngest new newer newest",
    ),
    ("warm wärmer", "kalt kälter"),
    ("hoch höher", "tief niedrig niedriger"),
    ("groß größer", "klein kleiner"),
    ("lang länger", "kurz kürzer"),
    ("früh früher", "spät später"),
    ("nass feucht", "trocken"),
    ("offen geöffnet", "geschlossen"),
    ("schnell schneller", "langsam langsamer"),
    ("leicht leichter", "schwer schwerer"),
];
