//! Where fenced code begins and ends.

/// Follows a text character by character and knows whether it is inside a code fence.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// The fence that is open: its sign and how many of it.
    open: Option<(char, usize)>,
    /// The run of fence signs that the line began with.
    run: Option<(char, usize)>,
    /// Whether only such a run stands in the line so far.
    at_start: bool,
    line: bool,
}

impl Code {
    /// Whether what comes next is code.
    pub(super) fn in_fence(&self) -> bool {
        self.open.is_some()
    }

    /// Whether nothing stands in the line so far.
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
