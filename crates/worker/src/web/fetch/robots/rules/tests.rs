use super::*;
use proptest::prelude::*;

const AGENT: &str = "PrivaChatSearch";

fn allows(file: impl AsRef<[u8]>, path: &str) -> bool {
    let url = Url::parse("https://pond.example").unwrap();
    let url = url.join(path).unwrap();
    RobotsRules::parse(file.as_ref(), AGENT).allows(&url)
}

/// Whether a rule for all agents that forbids `pattern` matches `path`.
fn forbids(pattern: &str, path: &str) -> bool {
    !allows(format!("User-agent: *\nDisallow: {pattern}\n"), path)
}

#[test]
fn patterns_match_by_the_standard() {
    for (pattern, path) in [
        ("/", "/x"),
        ("/a", "/abc"),
        ("/a/*/c", "/a/b/c/d"),
        ("/*.pdf$", "/x/y.pdf"),
        ("/a$", "/a"),
        ("*", "/"),
        ("/a*", "/a"),
        ("/a*b*c", "/a1b2c3"),
        ("/x*$", "/xyz"),
        ("/*?", "/a?b"),
    ] {
        assert!(forbids(pattern, path), "{pattern} {path}");
    }
    for (pattern, path) in [
        ("/a", "/b"),
        ("/*.pdf$", "/x.pdf?y"),
        ("/a$", "/ab"),
        ("/a*b*c", "/a1c2b"),
        ("/a/b", "/a"),
        ("/ab*ab$", "/ab"),
    ] {
        assert!(!forbids(pattern, path), "{pattern} {path}");
    }
}

#[test]
fn escape_equals_its_character_unless_reserved() {
    for (one, other) in [
        ("/%7Ejoe", "/~joe"),
        ("/%7ejoe/", "/%7Ejoe/x"),
        ("/bar/%62%61%7A", "/bar/baz"),
        ("/größe", "/gr%C3%B6%c3%9fe"),
        ("/file-%2A.html", "/file-*.html"),
        ("/price-%24", "/price-$"),
        ("/%E3%83%84", "/ツ"),
    ] {
        assert!(forbids(one, other), "{one} {other}");
    }
    for (one, other) in [("/bar/baz", "/bar/%62%61%7A"), ("/~joe", "/%7Ejoe")] {
        assert!(forbids(one, other), "{one} {other}");
    }
    for (pattern, path) in [("/a%2Fb", "/a/b"), ("/a%2Ab", "/axxb"), ("/a%24", "/a")] {
        assert!(!forbids(pattern, path), "{pattern} {path}");
    }
}

#[test]
fn longest_pattern_wins_and_a_tie_allows() {
    let text = "User-agent: *\nDisallow: /docs\nAllow: /docs/public\nDisallow: /tie\nAllow: /tie\n";
    assert!(!allows(text, "/docs/x"));
    assert!(allows(text, "/docs/public/x"));
    assert!(allows(text, "/tie"));
    assert!(allows(text, "/else"));
}

#[test]
fn group_for_this_service_replaces_the_one_for_all() {
    let text = "User-agent: *\nDisallow: /\n\nuser-agent: other\nUSER-AGENT: privachatsearch/1.0 # us\nDisallow: /private\n";
    assert!(allows(text, "/x"));
    assert!(!allows(text, "/private/x"));
    assert!(!allows("User-agent: *\nDisallow: /", "/x"));
    assert!(allows(
        "User-agent: *\nDisallow: /\nUser-agent: PrivaChatSearch\nDisallow:",
        "/x"
    ));
    let other = "User-agent: PrivaChat\nDisallow: /\n";
    assert!(allows(other, "/x"));
}

#[test]
fn other_lines_are_ignored() {
    let text = "\u{feff}<html>\nCrawl-delay: 5\nDisallow: /before\nUser-agent: *\nSitemap: https://x/\nDisallow: /after\nnonsense";
    assert!(allows(text, "/before"));
    assert!(!allows(text, "/after"));
    assert!(allows("", "/"));
}

#[test]
fn common_typos_are_tolerated() {
    for line in [
        "Dissallow: /x",
        "disalow:/x",
        "Disallow /x",
        "DISALLOW : /x",
    ] {
        assert!(!allows(format!("User-agent: *\n{line}\n"), "/x"), "{line}");
    }
    assert!(!allows("user agent *\nDisallow: /x", "/x"));
}

/// The lines in all encodings and line endings, with a zero byte inserted at `zero`.
fn variants(lines: &[&str], zero: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for end in ["\n", "\r", "\r\n"] {
        let text = lines.join(end) + end;
        let marked = format!("\u{feff}{text}");
        all.push(text.clone().into_bytes());
        all.push(marked.clone().into_bytes());
        all.push(marked.encode_utf16().flat_map(u16::to_le_bytes).collect());
        all.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        let mut with_zero = text.into_bytes();
        with_zero.insert(zero % (with_zero.len() + 1), 0);
        all.push(with_zero);
    }
    all
}

proptest! {
    // Each case reads large files.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rule_applies_in_every_encoding(
        path in "/[a-z]{1,8}", before in "(# [a-zäöü ]{0,12})?", zero in any::<usize>(),
    ) {
        let rule = format!("Disallow: {path}");
        for file in variants(&[&before, "User-agent: *", &rule], zero) {
            prop_assert!(!allows(&file, &path), "{:?}", String::from_utf8_lossy(&file));
        }
    }

    #[test]
    fn rule_applies_whatever_follows_it(
        behind in prop::collection::vec(any::<u8>(), 0..64), times in 1_usize..20_000,
    ) {
        // A group for this service would replace the one for all agents.
        prop_assume!(!behind.to_ascii_lowercase().windows(4).any(|four| four == b"priv"));
        let mut file = b"User-agent: *\nDisallow: /closed\n#".to_vec();
        file.extend(behind.repeat(times));
        prop_assert!(!allows(&file, "/closed"));
    }

    #[test]
    fn every_rule_within_the_limit_applies(rules in 5_000_usize..12_000) {
        let lines: String = (0..rules).map(|n| format!("Disallow: /{n}/\n")).collect();
        let file = format!("User-agent: *\n{lines}");
        let last = format!("/{}/x", rules - 1);
        prop_assert!(!allows(file, &last));
    }
}

#[test]
fn rule_cut_by_the_limit_is_dropped() {
    let rule = "User-agent: *\nDisallow: /\nAllow: /only/this\n";
    for wide in [false, true] {
        let unit = if wide { 2 } else { 1 };
        let room = MAX_BYTES / unit;
        let padding = "#".repeat(room - rule.len() + 8);
        let text = format!("{padding}\n{rule}");
        let cut: Vec<u8> = if wide {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            text.into_bytes()
        };
        let file = &cut[..=MAX_BYTES];
        assert!(!allows(file, "/only/other"), "{wide}");
    }
}

#[test]
fn many_wildcards_are_matched_in_linear_time() {
    // Backtracking would not end here.
    let stars = "*a".repeat(MAX_BYTES / 2 - 50);
    let path = format!("/{}", "a".repeat(MAX_TARGET_BYTES - 1));
    assert!(!forbids(&format!("/{stars}b"), &path));
    let many = format!("Disallow: /{}b\n", "*a".repeat(100)).repeat(2_000);
    assert!(allows(format!("User-agent: *\n{many}"), &path));
}

#[test]
fn too_long_address_is_refused_if_there_are_rules() {
    let path = format!("/{}", "a".repeat(MAX_TARGET_BYTES));
    assert!(forbids("/else", &path));
    assert!(allows("# no rules\n", &path));
}
