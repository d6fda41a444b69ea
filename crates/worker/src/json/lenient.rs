//! Parses text that `serde_json` rejects. It takes time linear in the text and nests no deeper than
//! [`MAX_DEPTH`].

use super::{JsonError, ParsedJson, PendingSurrogate};
use serde_json::{Map, Value};

/// The nesting limit, which is that of `serde_json`.
const MAX_DEPTH: usize = 127;

pub(super) fn parse(
    text: &str,
    half: &mut Option<PendingSurrogate>,
) -> Result<ParsedJson, JsonError> {
    let mut parser = Parser {
        text,
        position: 0,
        depth: 0,
        dropped: 0,
        pending_high: half.and_then(|half| half.0),
        keeps_trailing_high: half.is_some(),
        trailing_high: None,
    };
    parser.skip_blanks();
    if !matches!(parser.peek(), Some(b'{' | b'[')) {
        return Err(JsonError::NotJson);
    }
    let value = match parser.value() {
        Ok(Some(value)) => value,
        Ok(None) | Err(UnexpectedEnd) => return Err(JsonError::NotJson),
    };
    parser.skip_blanks();
    if parser.peek().is_some() {
        return Err(JsonError::NotJson);
    }
    *half = half.map(|_| PendingSurrogate(parser.trailing_high));
    Ok(ParsedJson {
        value,
        dropped: parser.dropped,
    })
}

/// The text ends inside a value.
struct UnexpectedEnd;

struct Parser<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    dropped: usize,
    /// The first half of a surrogate pair that the previous chunk ended with.
    pending_high: Option<u16>,
    /// Whether such a half at the end of a string is kept for the next chunk.
    keeps_trailing_high: bool,
    trailing_high: Option<u16>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn consume(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte <= b' ') {
            self.position += 1;
        }
    }

    /// `None` when no value can be read here; then nothing is consumed.
    fn value(&mut self) -> Result<Option<Value>, UnexpectedEnd> {
        self.skip_blanks();
        match self.peek().ok_or(UnexpectedEnd)? {
            b'{' | b'[' if self.depth >= MAX_DEPTH => Ok(None),
            b'{' => self.nested(Self::object).map(Some),
            b'[' => self.nested(Self::array).map(Some),
            b'"' => Ok(Some(Value::String(self.string()?))),
            _ => Ok(self.literal()),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, UnexpectedEnd>,
    ) -> Result<Value, UnexpectedEnd> {
        self.position += 1;
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Result<Value, UnexpectedEnd> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek().ok_or(UnexpectedEnd)? {
                b']' => break,
                b',' | b'}' => self.position += 1,
                _ => match self.delimited_value(b']')? {
                    Some(item) => items.push(item),
                    None => self.dropped += 1,
                },
            }
        }
        self.position += 1;
        Ok(Value::Array(items))
    }

    fn object(&mut self) -> Result<Value, UnexpectedEnd> {
        let mut members = Map::new();
        loop {
            self.skip_blanks();
            match self.peek().ok_or(UnexpectedEnd)? {
                b'}' => break,
                b',' | b']' => self.position += 1,
                b'"' => {
                    let name = self.string()?;
                    self.skip_blanks();
                    if !self.consume(b':') {
                        self.skip_item()?;
                    } else if let Some(value) = self.delimited_value(b'}')? {
                        members.insert(name, value);
                    }
                }
                _ => self.skip_item()?,
            }
        }
        self.position += 1;
        Ok(Value::Object(members))
    }

    /// A value followed by a comma or `end`; anything else is skipped.
    fn delimited_value(&mut self, end: u8) -> Result<Option<Value>, UnexpectedEnd> {
        let value = self.value()?;
        self.skip_blanks();
        let next = self.peek().ok_or(UnexpectedEnd)?;
        if value.is_some() && (next == b',' || next == end) {
            return Ok(value);
        }
        self.skip_item()?;
        Ok(None)
    }

    /// Skips to the comma or bracket that ends the item.
    fn skip_item(&mut self) -> Result<(), UnexpectedEnd> {
        let mut open = 0_usize;
        loop {
            match self.peek().ok_or(UnexpectedEnd)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b',' if open == 0 => return Ok(()),
                b'}' | b']' if open == 0 => return Ok(()),
                b'}' | b']' => open -= 1,
                b'{' | b'[' => open += 1,
                _ => {}
            }
            self.position += 1;
        }
    }

    /// A number or a literal. Unknown ones, such as `NaN`, are null.
    fn literal(&mut self) -> Option<Value> {
        let rest = self.text.get(self.position..)?;
        let belongs = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let token = rest.get(..end).filter(|token| !token.is_empty())?;
        self.position += end;
        Some(serde_json::from_str(token).unwrap_or(Value::Null))
    }

    fn string(&mut self) -> Result<String, UnexpectedEnd> {
        self.position += 1;
        let mut string = String::new();
        let mut is_first = true;
        loop {
            let rest = self.text.get(self.position..).ok_or(UnexpectedEnd)?;
            let plain = rest.find(['"', '\\']).ok_or(UnexpectedEnd)?;
            string.push_str(rest.get(..plain).unwrap_or_default());
            is_first &= plain == 0;
            self.position += plain;
            if self.consume(b'"') {
                return Ok(string);
            }
            self.position += 1;
            self.escape(is_first, &mut string)?;
            is_first = false;
        }
    }

    /// Reads the escape after a backslash.
    fn escape(&mut self, is_first: bool, string: &mut String) -> Result<(), UnexpectedEnd> {
        let rest = self.text.get(self.position..).ok_or(UnexpectedEnd)?;
        let escaped = rest.chars().next().ok_or(UnexpectedEnd)?;
        self.position += escaped.len_utf8();
        string.push(match escaped {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match self.code_unit() {
                None => char::REPLACEMENT_CHARACTER,
                Some(unit) => match self.character(unit, is_first) {
                    Some(c) => c,
                    None => return Ok(()),
                },
            },
            other => other,
        });
        Ok(())
    }

    /// Reads the four digits of a `\u` escape.
    fn code_unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.position..self.position + 4)?;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unit = u16::from_str_radix(digits, 16).ok();
        let unit = unit.filter(|_| are_digits)?;
        self.position += 4;
        Some(unit)
    }

    /// The character of `unit`, joined with the other half of its surrogate pair if that follows or
    /// ended the previous chunk. `None` when the next chunk may hold it.
    fn character(&mut self, unit: u16, is_first: bool) -> Option<char> {
        let alone = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
        match unit {
            0xd800..=0xdbff => {
                let here = self.position;
                let rest = self.text.get(here..).unwrap_or_default();
                if rest.starts_with("\\u") {
                    self.position += 2;
                    if let Some(c) = self.code_unit().and_then(|low| join_surrogates(unit, low)) {
                        return Some(c);
                    }
                    self.position = here;
                }
                if self.keeps_trailing_high && rest.starts_with('"') {
                    self.trailing_high = Some(unit);
                    return None;
                }
                Some(alone)
            }
            0xdc00..=0xdfff => {
                let high = self.pending_high.filter(|_| is_first);
                high.and_then(|high| join_surrogates(high, unit))
                    .or(Some(alone))
            }
            _ => Some(alone),
        }
    }
}

fn join_surrogates(high: u16, low: u16) -> Option<char> {
    char::decode_utf16([high, low]).next()?.ok()
}
