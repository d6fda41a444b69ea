//! A parser for Server-Sent Events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>).

/// The limit of a line and of an event; no sound server exceeds it.
const MAX_EVENT_BYTES: usize = 1_000_000;

/// An event of the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// Event type; empty when the stream gives none.
    pub event_type: String,
    /// The data lines, joined by line breaks.
    pub data: String,
}

/// A line or an event exceeds the size limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of more than {MAX_EVENT_BYTES} bytes")]
pub struct EventTooLong;

/// Turns bytes into events; chunk boundaries do not matter.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    after_carriage_return: bool,
    past_first_line: bool,
    event: SseEvent,
    has_data: bool,
}

impl SseParser {
    /// Parses the next bytes and appends completed events to `events`.
    ///
    /// # Errors
    /// [`EventTooLong`] when a line or an event exceeds the limit; the parser is then unusable.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), EventTooLong> {
        for &byte in bytes {
            let second_half = self.after_carriage_return && byte == b'\n';
            self.after_carriage_return = byte == b'\r';
            if second_half {
                continue;
            }
            if matches!(byte, b'\r' | b'\n') {
                events.extend(self.end_line()?);
                continue;
            }
            if self.line.len() >= MAX_EVENT_BYTES {
                return Err(EventTooLong);
            }
            self.line.push(byte);
        }
        Ok(())
    }

    /// The event that the end of the stream completes. Unlike browsers, this accepts a last event
    /// without the blank line after it, which some servers omit.
    #[must_use]
    pub fn finish(mut self) -> Option<SseEvent> {
        self.end_line().ok()?.or_else(|| self.dispatch())
    }

    fn end_line(&mut self) -> Result<Option<SseEvent>, EventTooLong> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let mut line = text.as_ref();
        if !self.past_first_line {
            self.past_first_line = true;
            line = line.trim_start_matches('\u{feff}');
        }
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.add_data(value)?,
            "event" => value.clone_into(&mut self.event.event_type),
            // A comment (empty field), `id`, `retry`, or an unknown field.
            _ => {}
        }
        Ok(None)
    }

    fn add_data(&mut self, value: &str) -> Result<(), EventTooLong> {
        if self.event.data.len() + value.len() > MAX_EVENT_BYTES {
            return Err(EventTooLong);
        }
        if self.has_data {
            self.event.data.push('\n');
        }
        self.has_data = true;
        self.event.data.push_str(value);
        Ok(())
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(pieces: &[&[u8]]) -> Result<Vec<SseEvent>, EventTooLong> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser.feed(piece, &mut events)?;
        }
        events.extend(parser.finish());
        Ok(events)
    }

    fn data(stream: &str) -> Vec<String> {
        let events = parse(&[stream.as_bytes()]).unwrap();
        events.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn line_endings_comments_and_multiple_data_lines_are_parsed() {
        assert_eq!(
            data("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata:d\n\n"),
            ["a", "b", "c", "d"]
        );
        assert_eq!(data("data: a\r\ndata: b\r\n\r\n"), ["a\nb"]);
        assert_eq!(data(": keep-alive\n\ndata: a\n: x\ndata: b\n\n"), ["a\nb"]);
        assert_eq!(data("\u{feff}data: a\n\nid: 1\nretry: 5\n\n"), ["a"]);
        assert_eq!(data("data:  two blanks\n\ndata\n\n"), [" two blanks", ""]);
        assert_eq!(data("data: {\"a\": \"b: c\"}\n\n"), ["{\"a\": \"b: c\"}"]);
    }

    #[test]
    fn last_event_needs_no_blank_line() {
        assert_eq!(data("data: a\n\ndata: [DONE]"), ["a", "[DONE]"]);
        assert_eq!(data("data: a\n"), ["a"]);
    }

    #[test]
    fn event_type_is_kept() {
        let events = parse(&[b"event: error\ndata: x\n\ndata: y\n\n"]).unwrap();
        let names: Vec<&str> = events
            .iter()
            .map(|event| event.event_type.as_str())
            .collect();
        assert_eq!(names, ["error", ""]);
    }

    #[test]
    fn too_long_line_or_event_is_an_error() {
        assert_eq!(
            parse(&[&vec![b'x'; MAX_EVENT_BYTES + 1]]),
            Err(EventTooLong)
        );
        let line = format!("data: {}\n", "x".repeat(MAX_EVENT_BYTES / 2));
        assert_eq!(parse(&[line.repeat(3).as_bytes()]), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn chunk_boundaries_do_not_change_events(
            stream in "(data: ?[a-zäß€😀]{0,6}|:[a-z]{0,3}|event: [a-z]{0,3}|[a-z:]{0,5}|(\r\n|\r|\n){1,3}){0,20}",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let bytes = stream.as_bytes();
            let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            borders.extend([0, bytes.len()]);
            borders.sort_unstable();
            let pieces: Vec<&[u8]> = borders
                .windows(2)
                .filter_map(|pair| bytes.get(pair[0]..pair[1]))
                .collect();
            prop_assert_eq!(parse(&pieces), parse(&[bytes]));
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&[&bytes]);
        }
    }
}
