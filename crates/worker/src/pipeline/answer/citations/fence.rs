//! Tracks fenced code.

/// Takes a text character by character and tracks whether it is inside a code fence.
#[derive(Debug, Default)]
pub(super) struct FenceTracker {
    /// The open fence: its character and length.
    open: Option<(char, usize)>,
    /// The run of fence characters at the start of the line.
    run: Option<(char, usize)>,
    /// Whether the line so far is only such a run.
    at_start: bool,
    /// Whether the line is not empty.
    line: bool,
}

impl FenceTracker {
    /// Whether the next character is code.
    pub(super) fn in_fence(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the line is empty so far.
    pub(super) fn at_line_start(&self) -> bool {
        !self.line
    }

    pub(super) fn feed(&mut self, c: char) {
        if c == '\n' {
            self.end_line();
            return;
        }
        let first = !self.line;
        self.line = true;
        if first {
            self.at_start = matches!(c, '`' | '~');
            self.run = self.at_start.then_some((c, 1));
        } else if self.at_start {
            match &mut self.run {
                Some((sign, count)) if *sign == c => *count += 1,
                _ => self.at_start = false,
            }
        }
        if let (None, Some((sign, count))) = (self.open, self.run)
            && count >= 3
        {
            self.open = Some((sign, count));
            // The line that opens a fence does not close it.
            self.run = None;
            self.at_start = false;
        }
    }

    fn end_line(&mut self) {
        if let (Some((sign, least)), Some((run, count))) = (self.open, self.run)
            && sign == run
            && count >= least
            && self.at_start
        {
            self.open = None;
        }
        self.line = false;
        self.at_start = false;
        self.run = None;
    }
}
