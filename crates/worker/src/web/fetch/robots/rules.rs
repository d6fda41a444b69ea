//! The rules of one robots.txt that concern us (RFC 9309).

use url::Url;

/// Rules beyond this many are ignored: each costs time for every page.
const MAX_RULES: usize = 5_000;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allows: bool,
    pattern: String,
}

impl Rules {
    /// The groups that name `agent`, or else those for everyone.
    pub(super) fn parse(text: &str, agent: &str) -> Self {
        let mut ours: Option<Vec<Rule>> = None;
        let mut everyones = Vec::new();
        let (mut for_us, mut for_everyone) = (false, false);
        let mut in_names = false;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "user-agent" => {
                    if !in_names {
                        (for_us, for_everyone) = (false, false);
                    }
                    in_names = true;
                    for_everyone |= value == "*";
                    let name = value.split('/').next().unwrap_or_default().trim();
                    if name.eq_ignore_ascii_case(agent) {
                        for_us = true;
                        ours.get_or_insert_default();
                    }
                }
                "allow" | "disallow" => {
                    in_names = false;
                    if value.is_empty() {
                        continue;
                    }
                    let rule = Rule {
                        allows: key == "allow",
                        pattern: normalise(value),
                    };
                    if for_us {
                        ours.get_or_insert_default().push(rule.clone());
                    }
                    if for_everyone {
                        everyones.push(rule);
                    }
                }
                _ => {}
            }
        }
        let mut rules = ours.unwrap_or(everyones);
        rules.truncate(MAX_RULES);
        Self(rules)
    }

    /// The longest matching pattern decides; a tie allows.
    pub(super) fn allow(&self, url: &Url) -> bool {
        let mut target = url.path().to_owned();
        if let Some(query) = url.query() {
            target.push('?');
            target.push_str(query);
        }
        let target = normalise(&target);
        self.0
            .iter()
            .filter(|rule| matches(&rule.pattern, &target))
            .max_by_key(|rule| (rule.pattern.len(), rule.allows))
            .is_none_or(|rule| rule.allows)
    }
}

/// Percent-encodes what is not ASCII, so that both spellings of a path compare equal.
fn normalise(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut after_percent = 0;
    for byte in path.bytes() {
        if byte.is_ascii() {
            // The digits of an escape have no case.
            let digit = after_percent > 0 && byte.is_ascii_hexdigit();
            out.push(char::from(if digit {
                byte.to_ascii_uppercase()
            } else {
                byte
            }));
            after_percent = if byte == b'%' {
                2
            } else {
                i32::max(after_percent - 1, 0)
            };
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `*` stands for anything, `$` at the end for the end. Takes time linear in the path per `*`.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, to_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| path.strip_prefix(start)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(previous) = last.replace(part) {
            match rest.split_once(previous) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        Some(last) if to_end => rest.ends_with(last),
        Some(last) => rest.contains(last),
        None => !to_end || rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, matches};
    use url::Url;

    fn allows(text: &str, path: &str) -> bool {
        let url = Url::parse("https://pond.example")
            .unwrap()
            .join(path)
            .unwrap();
        Rules::parse(text, "PrivaChatSearch").allow(&url)
    }

    #[test]
    fn patterns_match_as_the_standard_says() {
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
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/a", "/b"),
            ("/*.pdf$", "/x.pdf?y"),
            ("/a$", "/ab"),
            ("/a*b*c", "/a1c2b"),
            ("/a/b", "/a"),
            ("/ab*ab$", "/ab"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn the_longest_pattern_decides_and_a_tie_allows() {
        let text =
            "User-agent: *\nDisallow: /docs\nAllow: /docs/public\nDisallow: /tie\nAllow: /tie\n";
        assert!(!allows(text, "/docs/x"));
        assert!(allows(text, "/docs/public/x"));
        assert!(allows(text, "/tie"));
        assert!(allows(text, "/else"));
    }

    #[test]
    fn our_own_group_replaces_that_for_everyone() {
        let text = "User-agent: *\nDisallow: /\n\nuser-agent: other\nUSER-AGENT: privachatsearch/1.0 # us\nDisallow: /private\n";
        assert!(allows(text, "/x"));
        assert!(!allows(text, "/private/x"));
        assert!(!allows("User-agent: *\nDisallow: /", "/x"));
        assert!(allows(
            "User-agent: *\nDisallow: /\nUser-agent: PrivaChatSearch\nDisallow:",
            "/x"
        ));
    }

    #[test]
    fn escapes_and_plain_letters_compare_equal() {
        assert!(!allows(
            "User-agent: *\nDisallow: /größe",
            "/gr%C3%B6%c3%9fe/x"
        ));
        assert!(!allows("User-agent: *\nDisallow: /gr%c3%b6", "/größe"));
    }

    #[test]
    fn what_is_not_a_rule_is_ignored() {
        let text = "\u{feff}<html>\nCrawl-delay: 5\nDisallow: /before\nUser-agent: *\nSitemap: https://x/\nDisallow: /after\nnonsense";
        assert!(allows(text, "/before"));
        assert!(!allows(text, "/after"));
        assert!(allows("", "/"));
    }
}
