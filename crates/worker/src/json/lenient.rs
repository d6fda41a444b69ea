//! Parses text that `serde_json` rejects. It takes time linear in the text and nests no deeper than
//! [`MAX_DEPTH`].

use super::{Half, Parsed, Unreadable};
use serde_json::{Map, Value};

/// The nesting limit, which is that of `serde_json`.
const MAX_DEPTH: usize = 127;

pub(super) fn parse(text: &str, half: &mut Option<Half>) -> Result<Parsed, Unreadable> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        dropped: 0,
        before: half.and_then(|half| half.0),
        keeps_half: half.is_some(),
        after: None,
    };
    parser.blanks();
    if !matches!(parser.peek(), Some(b'{' | b'[')) {
        return Err(Unreadable::NotJson);
    }
    let value = match parser.value() {
        Ok(Some(value)) => value,
        Ok(None) | Err(End) => return Err(Unreadable::NotJson),
    };
    parser.blanks();
    if parser.peek().is_some() {
        return Err(Unreadable::NotJson);
    }
    *half = half.map(|_| Half(parser.after));
    Ok(Parsed {
        value,
        dropped: parser.dropped,
    })
}

/// The text ends inside a value.
struct End;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    dropped: usize,
    /// The first half of a surrogate pair that the previous chunk ended with.
    before: Option<u16>,
    /// Whether such a half at the end of a string is kept for the next chunk.
    keeps_half: bool,
    after: Option<u16>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte <= b' ') {
            self.at += 1;
        }
    }

    /// `None` when no value can be read here; then nothing is consumed.
    fn value(&mut self) -> Result<Option<Value>, End> {
        self.blanks();
        match self.peek().ok_or(End)? {
            b'{' | b'[' if self.depth >= MAX_DEPTH => Ok(None),
            b'{' => self.nested(Self::object).map(Some),
            b'[' => self.nested(Self::list).map(Some),
            b'"' => Ok(Some(Value::String(self.string()?))),
            _ => Ok(self.token()),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, End>) -> Result<Value, End> {
        self.at += 1;
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Value, End> {
        let mut items = Vec::new();
        loop {
            self.blanks();
            match self.peek().ok_or(End)? {
                b']' => break,
                b',' | b'}' => self.at += 1,
                _ => match self.whole_value(b']')? {
                    Some(item) => items.push(item),
                    None => self.dropped += 1,
                },
            }
        }
        self.at += 1;
        Ok(Value::Array(items))
    }

    fn object(&mut self) -> Result<Value, End> {
        let mut members = Map::new();
        loop {
            self.blanks();
            match self.peek().ok_or(End)? {
                b'}' => break,
                b',' | b']' => self.at += 1,
                b'"' => {
                    let name = self.string()?;
                    self.blanks();
                    if !self.take(b':') {
                        self.skip()?;
                    } else if let Some(value) = self.whole_value(b'}')? {
                        members.insert(name, value);
                    }
                }
                _ => self.skip()?,
            }
        }
        self.at += 1;
        Ok(Value::Object(members))
    }

    /// A value followed by a comma or `end`; anything else is skipped.
    fn whole_value(&mut self, end: u8) -> Result<Option<Value>, End> {
        let value = self.value()?;
        self.blanks();
        let next = self.peek().ok_or(End)?;
        if value.is_some() && (next == b',' || next == end) {
            return Ok(value);
        }
        self.skip()?;
        Ok(None)
    }

    /// Skips to the comma or bracket that ends the item.
    fn skip(&mut self) -> Result<(), End> {
        let mut open = 0_usize;
        loop {
            match self.peek().ok_or(End)? {
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
            self.at += 1;
        }
    }

    /// A number or a literal. Unknown ones, such as `NaN`, are null.
    fn token(&mut self) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        let belongs = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let token = rest.get(..end).filter(|token| !token.is_empty())?;
        self.at += end;
        Some(serde_json::from_str(token).unwrap_or(Value::Null))
    }

    fn string(&mut self) -> Result<String, End> {
        self.at += 1;
        let mut string = String::new();
        let mut is_first = true;
        loop {
            let rest = self.text.get(self.at..).ok_or(End)?;
            let plain = rest.find(['"', '\\']).ok_or(End)?;
            string.push_str(rest.get(..plain).unwrap_or_default());
            is_first &= plain == 0;
            self.at += plain;
            if self.take(b'"') {
                return Ok(string);
            }
            self.at += 1;
            self.escape(is_first, &mut string)?;
            is_first = false;
        }
    }

    /// Reads the escape after a backslash.
    fn escape(&mut self, is_first: bool, string: &mut String) -> Result<(), End> {
        let rest = self.text.get(self.at..).ok_or(End)?;
        let escaped = rest.chars().next().ok_or(End)?;
        self.at += escaped.len_utf8();
        string.push(match escaped {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match self.unit() {
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
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unit = u16::from_str_radix(digits, 16).ok();
        let unit = unit.filter(|_| are_digits)?;
        self.at += 4;
        Some(unit)
    }

    /// The character of `unit`, joined with the other half of its surrogate pair if that follows or
    /// ended the previous chunk. `None` when the next chunk may hold it.
    fn character(&mut self, unit: u16, is_first: bool) -> Option<char> {
        let alone = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
        match unit {
            0xd800..=0xdbff => {
                let here = self.at;
                let rest = self.text.get(here..).unwrap_or_default();
                if rest.starts_with("\\u") {
                    self.at += 2;
                    if let Some(c) = self.unit().and_then(|low| pair(unit, low)) {
                        return Some(c);
                    }
                    self.at = here;
                }
                if self.keeps_half && rest.starts_with('"') {
                    self.after = Some(unit);
                    return None;
                }
                Some(alone)
            }
            0xdc00..=0xdfff => {
                let high = self.before.filter(|_| is_first);
                high.and_then(|high| pair(high, unit)).or(Some(alone))
            }
            _ => Some(alone),
        }
    }
}

fn pair(high: u16, low: u16) -> Option<char> {
    char::decode_utf16([high, low]).next()?.ok()
}
