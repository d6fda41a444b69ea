//! One concept, one word: what docs/GLOSSARY.md asks of names, comments and sizes.
//!
//! A word that a test here refuses has a better one in the glossary. A new concept gets a row there first.

use super::assert_none;
use privachat_tests::project_files::{self, SourceFile};
use std::collections::BTreeMap;
use syn::{spanned::Spanned, visit::Visit};

/// Lines of a function, its signature included.
const MAX_FUNCTION_LINES: usize = 60;

/// Functions that are longer, until they are split. None may be added.
const STILL_LONG: [&str; 8] = [
    "crates/worker/src/daemon/mod.rs run",
    "crates/worker/src/daemon/executor.rs run_attempt",
    "crates/worker/src/pipeline/search/mod.rs search",
    "crates/worker/src/pipeline/direct.rs run",
    "crates/worker/src/pipeline/run.rs run_stages",
    "crates/worker/src/cli/check_config/upstreams.rs checks",
    "crates/worker/src/wiring.rs build_observed",
    "crates/api/src/problem.rs body",
];

/// Names that mean a concept of the glossary and are not its word.
const BANNED_TYPES: [(&str, &str); 7] = [
    ("Amnesty", "OutageGrace"),
    ("Bell", "Notifier"),
    ("Board", "JobListing"),
    ("Feed", "EventStream"),
    ("Parts", "TaskSet"),
    ("Patience", "RetryPolicy"),
    ("Flight", "InFlight"),
];

/// Function names that do not say what the function does.
const BANNED_FUNCTIONS: [&str; 13] = [
    "of", "show", "shown", "tell", "told", "look", "said", "says", "hear", "heard", "see", "rung",
    "forget",
];

/// Constants that do not name what they bound.
const BANNED_CONSTANTS: [&str; 16] = [
    "PATIENCE",
    "MOST",
    "LEAST",
    "LONGEST",
    "SHORTEST",
    "LOOK_AGAIN",
    "SAME",
    "SOON",
    "ENOUGH",
    "FEW",
    "KEPT",
    "ROOM",
    "ASKING",
    "LARGEST",
    "WAIT",
    "PAUSE",
];

/// Words that make a reader guess who acts.
const BANNED_PROSE: [&str; 6] = [
    "nobody", "somebody", "whoever", "anybody", "whomever", "amnesty",
];

/// What the text core replaces: read only where the rest meets it.
const REPLACED_SOON: [&str; 7] = [
    "crates/worker/src/pipeline/plan",
    "crates/worker/src/pipeline/rank",
    "crates/worker/src/pipeline/check",
    "crates/worker/src/pipeline/text",
    "crates/worker/src/pipeline/answer/extractive",
    "crates/worker/src/providers/local",
    "crates/worker/src/web/extract",
];

/// A thing with a name: `fn`, `type` (of any kind) or `const`.
struct Named {
    kind: &'static str,
    name: String,
    line: usize,
    lines: usize,
}

/// Everything that a file defines outside of its unit tests.
#[derive(Default)]
struct Definitions {
    named: Vec<Named>,
}

impl Definitions {
    fn read(source: &SourceFile) -> Self {
        let mut found = Self::default();
        let file = syn::parse_file(&source.text)
            .unwrap_or_else(|error| panic!("{}: {error}", source.path));
        found.visit_file(&file);
        found
    }

    /// A name on a line of its own: the lines of a type or constant are not bounded.
    fn add(&mut self, kind: &'static str, name: &syn::Ident) {
        self.named.push(Named {
            kind,
            name: name.to_string(),
            line: name.span().start().line,
            lines: 1,
        });
    }

    fn add_function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let line = signature.span().start().line;
        self.named.push(Named {
            kind: "fn",
            name: signature.ident.to_string(),
            line,
            lines: body.span().end().line - line + 1,
        });
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|name| name == "test")
    })
}

impl<'a> Visit<'a> for Definitions {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add_function(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }
    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add_function(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }
    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        self.add("fn", &item.sig.ident);
    }
    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.add("type", &item.ident);
    }
    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.add("type", &item.ident);
    }
    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.add("type", &item.ident);
        syn::visit::visit_item_trait(self, item);
    }
    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.add("type", &item.ident);
    }
    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.add("const", &item.ident);
    }
    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.add("const", &item.ident);
    }
}

/// The Rust files that keep the glossary.
fn kept() -> impl Iterator<Item = SourceFile> {
    project_files::rust().into_iter().filter(|source| {
        !REPLACED_SOON
            .iter()
            .any(|room| source.is_under(room) || source.path == format!("{room}.rs"))
    })
}

/// Those of the three crates, without unit tests.
fn product() -> impl Iterator<Item = SourceFile> {
    kept().filter(|source| source.is_under("crates") && !source.is_test())
}

fn refused(refuse: impl Fn(&Named) -> Option<String>) -> Vec<String> {
    let mut offenders = Vec::new();
    for source in product() {
        for named in Definitions::read(&source).named {
            if let Some(reason) = refuse(&named) {
                offenders.push(format!(
                    "{}:{} {}: {reason}",
                    source.path, named.line, named.name
                ));
            }
        }
    }
    offenders
}

#[test]
fn names_are_words_of_the_glossary() {
    assert_none(
        "rename by docs/GLOSSARY.md",
        refused(|named| match named.kind {
            "type" => BANNED_TYPES
                .iter()
                .find(|(banned, _)| named.name == *banned)
                .map(|(_, better)| (*better).to_owned()),
            "fn" => BANNED_FUNCTIONS
                .contains(&named.name.as_str())
                .then(|| "say what it does".to_owned()),
            _ => BANNED_CONSTANTS
                .contains(&named.name.as_str())
                .then(|| "say what it bounds".to_owned()),
        }),
    );
}

#[test]
fn no_function_is_longer_than_60_lines() {
    let mut long = Vec::new();
    for source in product() {
        for named in Definitions::read(&source).named {
            if named.lines > MAX_FUNCTION_LINES {
                long.push(format!("{} {}", source.path, named.name));
            }
        }
    }
    let is_known = |name: &String| STILL_LONG.contains(&name.as_str());
    assert_none(
        "split by responsibility",
        long.iter().filter(|name| !is_known(name)).cloned(),
    );
    let split = STILL_LONG
        .iter()
        .filter(|name| !long.iter().any(|long| long == *name));
    assert_none("remove from STILL_LONG", split.map(ToString::to_string));
}

#[test]
fn a_type_name_stands_once_in_a_crate() {
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for source in product() {
        let krate = source.path.split('/').nth(1).unwrap_or_default().to_owned();
        for named in Definitions::read(&source).named {
            if named.kind == "type" {
                let place = format!("{}:{}", source.path, named.line);
                places
                    .entry((krate.clone(), named.name))
                    .or_default()
                    .push(place);
            }
        }
    }
    let twice = places.into_iter().filter(|(_, places)| places.len() > 1);
    assert_none(
        "one name for two types",
        twice.map(|((_, name), places)| format!("{name}: {}", places.join(", "))),
    );
}

/// The comment of a line; an address in a text is none.
fn comment_of(line: &str) -> &str {
    let whole = line.trim_start().strip_prefix("//");
    whole
        .or_else(|| line.split_once(" // ").map(|(_, comment)| comment))
        .unwrap_or_default()
}

#[test]
fn comments_say_who_acts() {
    let mut offenders = Vec::new();
    for source in kept().filter(|source| !source.path.ends_with("language.rs")) {
        for (number, line) in source.text.lines().enumerate() {
            let comment = comment_of(line).to_lowercase();
            let words = comment.split(|c: char| !c.is_alphanumeric());
            for word in words.filter(|word| BANNED_PROSE.contains(word)) {
                offenders.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    assert_none("name the one who acts", offenders);
}
