//! Cleans citations in streamed text.
//!
//! A state machine over single characters, so that the result does not depend on how the text is
//! split. It holds back text that may still become a citation (`[…`) or a code span.

use super::{fence::FenceTracker, parse};
use std::collections::VecDeque;

/// With more characters than this, an open bracket is text.
const MAX_CITATION_CHARS: usize = 48;
/// With more characters than this, an open backtick is text.
const MAX_SPAN_CHARS: usize = 400;

/// Cleans text piece by piece; see [`super::clean`].
#[derive(Debug, Default)]
pub struct CitationFilter {
    sources: usize,
    strip: bool,
    output: String,
    cited: Vec<usize>,
    fence: FenceTracker,
    /// An open bracket and what followed it.
    held: String,
    /// Spaces before a possible citation; dropped with it.
    spaces: String,
    /// Open brackets right before `held`.
    nesting: usize,
    /// Closing brackets of a citation that is already written.
    to_drop: usize,
    removed: bool,
    last: Option<char>,
    span: Option<CodeSpan>,
}

/// A run of backticks that may open a code span.
#[derive(Debug, Default)]
struct CodeSpan {
    text: String,
    opening: usize,
    closing: usize,
    open: bool,
    at_line_start: bool,
}

impl CitationFilter {
    /// A filter for an answer from `sources` sources.
    #[must_use]
    pub fn new(sources: usize) -> Self {
        Self {
            sources,
            ..Self::default()
        }
    }

    /// A filter that removes all citations and only collects their numbers.
    #[must_use]
    pub fn stripping(sources: usize) -> Self {
        Self {
            strip: true,
            ..Self::new(sources)
        }
    }

    /// Adds a piece and returns the text that is final.
    pub fn push(&mut self, piece: &str) -> String {
        let mut queue: VecDeque<char> = piece.chars().collect();
        self.drain(&mut queue);
        std::mem::take(&mut self.output)
    }

    /// Ends the text and returns the rest.
    pub fn finish(&mut self) -> String {
        while let Some(span) = self.span.take() {
            if span.closing == span.opening {
                self.verbatim(&span.text);
                break;
            }
            self.not_a_span(&span);
        }
        let held = self.take_held();
        self.literal(&held);
        if !self.removed {
            let spaces = std::mem::take(&mut self.spaces);
            self.output.push_str(&spaces);
        }
        std::mem::take(&mut self.output)
    }

    /// The numbers of the citations so far, in order and with repetitions.
    #[must_use]
    pub fn cited(&self) -> &[usize] {
        &self.cited
    }

    fn drain(&mut self, queue: &mut VecDeque<char>) {
        while let Some(c) = queue.pop_front() {
            self.step(c);
        }
    }

    fn step(&mut self, c: char) {
        if self.span.is_some() {
            return self.span_step(c);
        }
        if self.fence.in_fence() {
            return self.emit(c);
        }
        if !self.held.is_empty() {
            return self.held_step(c);
        }
        if c == '`' {
            self.separate_fence(c);
            self.flush_spaces(c);
            self.span = Some(CodeSpan {
                text: c.to_string(),
                opening: 1,
                at_line_start: self.fence.at_line_start(),
                ..CodeSpan::default()
            });
            return;
        }
        self.plain_step(c);
    }

    fn plain_step(&mut self, c: char) {
        if c == ']' && self.to_drop > 0 {
            self.to_drop -= 1;
            self.removed = true;
            return;
        }
        if c != '[' {
            self.to_drop = 0;
        }
        match c {
            '[' | '【' => self.held.push(c),
            ' ' => self.spaces.push(c),
            _ => {
                self.separate_fence(c);
                self.flush_spaces(c);
                self.emit(c);
            }
        }
    }

    fn held_step(&mut self, c: char) {
        match c {
            ']' | '】' => {
                let held = std::mem::take(&mut self.held);
                self.close(&held, c);
            }
            '[' | '【' => self.nested(c),
            _ if parse::may_continue(&self.held, c)
                && self.held.chars().count() < MAX_CITATION_CHARS =>
            {
                self.held.push(c);
            }
            _ => {
                let held = self.take_held();
                self.literal(&held);
                self.step(c);
            }
        }
    }

    /// A bracket inside a bracket: `[[1]]`, `[1, [2]]`.
    fn nested(&mut self, c: char) {
        let held = std::mem::take(&mut self.held);
        let inner = parse::inner(&held);
        if inner.is_empty() {
            self.nesting += 1;
        } else {
            self.to_drop += 1 + std::mem::take(&mut self.nesting);
            match parse::parse_numbers(inner, self.sources) {
                Some(numbers) => self.cite(&numbers),
                // Drops its bracket, which with later text could look like a citation.
                None => self.literal(inner),
            }
        }
        self.held.push(c);
    }

    /// Takes `held` with the brackets before it.
    fn take_held(&mut self) -> String {
        let nesting = std::mem::take(&mut self.nesting);
        format!("{}{}", "[".repeat(nesting), std::mem::take(&mut self.held))
    }

    fn close(&mut self, held: &str, end: char) {
        match parse::parse_numbers(parse::inner(held), self.sources) {
            Some(numbers) => {
                self.to_drop += std::mem::take(&mut self.nesting);
                self.cite(&numbers);
            }
            None => {
                let nesting = std::mem::take(&mut self.nesting);
                let text = format!("{}{held}{end}", "[".repeat(nesting));
                self.literal(&text);
            }
        }
    }

    fn cite(&mut self, numbers: &[usize]) {
        self.cited.extend(numbers);
        if numbers.is_empty() || self.strip {
            self.removed = true;
            return;
        }
        self.flush_spaces('[');
        for number in numbers {
            for c in format!("[{number}]").chars() {
                self.emit(c);
            }
        }
    }

    fn literal(&mut self, text: &str) {
        for c in text.chars() {
            if c == ' ' {
                self.spaces.push(c);
            } else {
                self.separate_fence(c);
                self.flush_spaces(c);
                self.emit(c);
            }
        }
    }

    fn verbatim(&mut self, text: &str) {
        for c in text.chars() {
            self.emit(c);
        }
    }

    /// Keeps the text around a removed citation from joining to a fence or a code span.
    fn separate_fence(&mut self, c: char) {
        if self.removed
            && self.spaces.is_empty()
            && matches!(c, '`' | '~')
            && self.last != Some(' ')
        {
            self.removed = false;
            self.emit(' ');
        }
    }

    fn flush_spaces(&mut self, next: char) {
        let spaces = std::mem::take(&mut self.spaces);
        let removed = std::mem::take(&mut self.removed);
        if spaces.is_empty() {
            return;
        }
        if removed && matches!(next, '.' | ',' | ';' | ':' | '!' | '?' | ')' | '\n') {
            return;
        }
        let kept = if removed { " " } else { spaces.as_str() };
        self.verbatim(kept);
    }

    fn emit(&mut self, c: char) {
        self.fence.feed(c);
        self.last = Some(c);
        self.output.push(c);
    }

    fn span_step(&mut self, c: char) {
        let Some(mut span) = self.span.take() else {
            return;
        };
        if c == '`' {
            if span.open {
                span.closing += 1;
            } else {
                span.opening += 1;
            }
            span.text.push(c);
            self.span = Some(span);
            return;
        }
        if span.open && span.closing == span.opening {
            self.verbatim(&span.text);
            return self.step(c);
        }
        if !span.open && span.at_line_start && span.opening >= 3 {
            // A fence, not a span.
            self.verbatim(&span.text);
            return self.step(c);
        }
        if c == '\n' || span.text.chars().count() >= MAX_SPAN_CHARS {
            self.not_a_span(&span);
            return self.step(c);
        }
        span.open = true;
        span.closing = 0;
        span.text.push(c);
        self.span = Some(span);
    }

    /// Emits the opening backticks as text and processes the rest of `span` again.
    fn not_a_span(&mut self, span: &CodeSpan) {
        let mut rest: VecDeque<char> = span.text.chars().collect();
        for _ in 0..span.opening {
            if let Some(c) = rest.pop_front() {
                self.emit(c);
            }
        }
        self.drain(&mut rest);
    }
}
