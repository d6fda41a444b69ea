//! Validates single members: each function takes the value as sent and returns the checked value or
//! the fault.

use super::Fault;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use url::Url;

const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];
const FALSE: [&str; 6] = ["0", "off", "f", "false", "n", "no"];

/// The question: a string of 1 to `max` code points that is not blank; returned trimmed.
pub(super) fn query(value: &Value, max: usize) -> Result<String, Fault> {
    let text = string("query", value)?;
    let length = text.chars().count();
    if length == 0 {
        let msg = "String should have at least 1 character";
        return Err(Fault::in_body("query", "string_too_short", msg, value)
            .with_context(json!({ "min_length": 1 })));
    }
    if length > max {
        let msg = format!("String should have at most {max} characters");
        return Err(Fault::in_body("query", "string_too_long", msg, value)
            .with_context(json!({ "max_length": max })));
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        let msg = "Value error, Query cannot be empty or whitespace-only";
        return Err(
            Fault::in_body("query", "value_error", msg, value).with_context(json!({ "error": {} }))
        );
    }
    Ok(trimmed.to_owned())
}

/// A text without NUL. Every text of a body passes through this function.
pub(super) fn string(member: &str, value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(Fault::null_character(&["body", member], value.clone()))
        }
        Value::String(text) => Ok(text.clone()),
        _ => Err(Fault::in_body(
            member,
            "string_type",
            "Input should be a valid string",
            value,
        )),
    }
}

/// An http or https URL of at most `max` characters, without credentials and without a fragment.
pub(super) fn http_url(member: &str, value: &Value, max: usize) -> Result<String, Fault> {
    let text = string(member, value)?;
    if text.chars().count() > max {
        let msg = format!("URL should have at most {max} characters");
        return Err(Fault::in_body(member, "url_too_long", msg, value)
            .with_context(json!({ "max_length": max })));
    }
    let url = Url::parse(text.trim()).map_err(|error| {
        let msg = format!("Input should be a valid URL, {error}");
        Fault::in_body(member, "url_parsing", msg, value)
            .with_context(json!({ "error": error.to_string() }))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        let msg = "URL scheme should be 'http' or 'https'";
        return Err(Fault::in_body(member, "url_scheme", msg, value)
            .with_context(json!({ "expected_schemes": "'http' or 'https'" })));
    }
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    if has_credentials || url.fragment().is_some() {
        let msg = "Value error, URL should have no credentials and no fragment";
        // Credentials are not echoed: responses end up in logs.
        let shown = if has_credentials { &Value::Null } else { value };
        return Err(
            Fault::in_body(member, "value_error", msg, shown).with_context(json!({ "error": {} }))
        );
    }
    Ok(url.into())
}

/// One of a fixed set of words; `expected` lists them for the message.
pub(super) fn choice<T: DeserializeOwned>(
    member: &str,
    value: &Value,
    expected: &str,
) -> Result<T, Fault> {
    serde_json::from_value(value.clone()).map_err(|_unknown| {
        let msg = format!("Input should be {expected}");
        Fault::in_body(member, "literal_error", msg, value)
            .with_context(json!({ "expected": expected }))
    })
}

/// A whole number; also accepts `10.0`, `"10"` and booleans.
pub(super) fn integer(
    member: &str,
    value: &Value,
    bounds: &RangeInclusive<i64>,
) -> Result<i64, Fault> {
    let number = match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole,
            (None, Some(float)) if float.fract() == 0.0 => saturate(float),
            _ => {
                let msg = "Input should be a valid integer, got a number with a fractional part";
                return Err(Fault::in_body(member, "int_from_float", msg, value));
            }
        },
        Value::String(text) => parse_integer(text).ok_or_else(|| {
            let msg = "Input should be a valid integer, unable to parse string as an integer";
            Fault::in_body(member, "int_parsing", msg, value)
        })?,
        Value::Bool(flag) => i64::from(*flag),
        _ => {
            let msg = "Input should be a valid integer";
            return Err(Fault::in_body(member, "int_type", msg, value));
        }
    };
    if number < *bounds.start() {
        let bound = bounds.start();
        let msg = format!("Input should be greater than or equal to {bound}");
        return Err(Fault::in_body(member, "greater_than_equal", msg, value)
            .with_context(json!({ "ge": bound })));
    }
    if number > *bounds.end() {
        let bound = bounds.end();
        let msg = format!("Input should be less than or equal to {bound}");
        return Err(Fault::in_body(member, "less_than_equal", msg, value)
            .with_context(json!({ "le": bound })));
    }
    Ok(number)
}

fn parse_integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.chars().all(|digit| digit == '0') => {
            whole
        }
        Some(_) => return None,
        None => text,
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Digits that do not fit an i64: saturate, so that the bounds report them.
    Some(whole.parse().unwrap_or(if whole.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    }))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and the bounds are checked after it"
)]
fn saturate(float: f64) -> i64 {
    float as i64
}

/// A boolean; also accepts 0, 1 and the words above.
pub(super) fn boolean(member: &str, value: &Value) -> Result<bool, Fault> {
    let unreadable = || {
        let msg = "Input should be a valid boolean, unable to interpret input";
        Fault::in_body(member, "bool_parsing", msg, value)
    };
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Number(number) if number.as_f64() == Some(1.0) => Ok(true),
        Value::Number(number) if number.as_f64() == Some(0.0) => Ok(false),
        Value::Number(_) => Err(unreadable()),
        Value::String(word) => {
            let word = word.to_ascii_lowercase();
            match (
                TRUE.contains(&word.as_str()),
                FALSE.contains(&word.as_str()),
            ) {
                (true, _) => Ok(true),
                (_, true) => Ok(false),
                _ => Err(unreadable()),
            }
        }
        _ => Err(Fault::in_body(
            member,
            "bool_type",
            "Input should be a valid boolean",
            value,
        )),
    }
}
