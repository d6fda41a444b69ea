//! Finding the JSON in what a model says: it may stand after reasoning, in a fence, between prose.

use crate::json;
use serde::de::DeserializeOwned;

/// Objects that are tried at most: a text of nothing but braces must not cost its square.
const TRIES: usize = 32;
const NO_OBJECT: &str = "there is no JSON object in it";

/// The first object of `text` that is a `T`; what stands before the last end of reasoning does not
/// count.
///
/// # Errors
/// What is wrong with the first object, or that there is none. For the model; it holds no text of
/// the answer but names of members.
pub(super) fn object<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let said = text
        .rsplit_once("</think>")
        .map_or(text, |(_reasoning, said)| said);
    let mut problem: Option<String> = None;
    let mut rest = said;
    for _ in 0..TRIES {
        let Some(start) = rest.find('{') else { break };
        let from_here = rest.get(start..).unwrap_or_default();
        let Some(end) = balanced(from_here) else {
            problem.get_or_insert_with(|| "the JSON object is not closed".to_owned());
            rest = from_here.strip_prefix('{').unwrap_or_default();
            continue;
        };
        let candidate = from_here.get(..end).unwrap_or_default();
        match read(candidate) {
            Ok(value) => return Ok(value),
            Err(error) => {
                problem.get_or_insert(error);
            }
        }
        rest = from_here.strip_prefix('{').unwrap_or_default();
    }
    Err(problem.unwrap_or_else(|| NO_OBJECT.to_owned()))
}

fn read<T: DeserializeOwned>(object: &str) -> Result<T, String> {
    let strict = match serde_json::from_str(object) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match json::read(object.as_bytes()) {
        Ok(parsed) => serde_json::from_value(parsed.value).map_err(|error| error.to_string()),
        Err(_) => Err(strict.to_string()),
    }
}

/// Where the object that `text` starts with ends.
fn balanced(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Thing {
        a: String,
    }

    #[test]
    fn an_object_is_found_in_whatever_stands_around_it() {
        for text in [
            r#"{"a": "x } \" {"}"#,
            "Here it is:\n```json\n{\"a\": \"x } \\\" {\"}\n```\nDone.",
            r#"<think>{"a": "no"} hm</think> {"a": "x } \" {"}"#,
            r#"The set {1, 2} and {"b": 1} are not it: {"a": "x } \" {"} {"a": "later"}"#,
            r#"{ unclosed {"a": "x } \" {"}"#,
            r#"{"plan": {"a": "x } \" {"}}"#,
        ] {
            let found: Result<Thing, String> = object(text);
            assert_eq!(found.unwrap().a, "x } \" {", "{text}");
        }
    }

    #[test]
    fn the_problem_is_named() {
        let problem = |text| object::<Thing>(text).unwrap_err();
        assert_eq!(problem("I cannot do that."), NO_OBJECT);
        assert!(problem(r#"{"b": 1}"#).contains("missing field `a`"));
        assert_eq!(problem(r#"{"a": "cut"#), "the JSON object is not closed");
    }

    proptest! {
        #[test]
        fn an_object_survives_any_prose_without_braces(
            before in "[^{}]{0,40}", value in "\\PC{0,40}", after in "\\PC{0,40}",
        ) {
            prop_assume!(!before.contains('"') && !after.contains("</think>"));
            prop_assume!(!value.contains("</think>"));
            let text = format!("{before}{}{after}", serde_json::json!({"a": value}));
            prop_assert_eq!(object::<Thing>(&text).unwrap().a, value);
        }

        #[test]
        fn no_text_is_too_odd(text in "[{}\"\\\\a:, ]{0,300}") {
            let _ = object::<Thing>(&text);
        }
    }
}
