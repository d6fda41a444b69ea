//! Extracts the text of one page by interpreting its text operators.

use lopdf::{Document, Encoding, Object, ObjectId, content::Content};
use std::{collections::BTreeMap, time::Instant};

/// Wider gaps, in thousandths of the font size, separate words.
const WORD_GAP: f32 = 180.0;
/// The number of operations between two checks of the time limit.
const OPERATIONS_PER_TIME_CHECK: usize = 256;

/// The text of the page in drawing order, with a line break per line and an empty line per wider
/// gap. Ends at `most` bytes or at `until`; undecodable text is left out.
pub(super) fn page_text(
    file: &Document,
    page: ObjectId,
    unpacked: usize,
    most: usize,
    until: Instant,
) -> String {
    let Ok(content) = file.get_page_content_with_limit(page, unpacked) else {
        return String::new();
    };
    let mut pen = TextState {
        fonts: fonts(file, page, unpacked),
        ..TextState::default()
    };
    for (count, operation) in <Content>::decode_iter(&content).enumerate() {
        let is_late = count % OPERATIONS_PER_TIME_CHECK == 0 && Instant::now() >= until;
        let Ok(operation) = operation else { break };
        if is_late || pen.text.len() >= most {
            break;
        }
        pen.apply(&operation.operator, &operation.operands);
    }
    pen.text
}

fn fonts(file: &Document, page: ObjectId, unpacked: usize) -> BTreeMap<Vec<u8>, Encoding<'_>> {
    let fonts = file.get_page_fonts(page).unwrap_or_default();
    fonts
        .into_iter()
        .filter_map(|(name, font)| {
            let encoding = font.get_font_encoding_with_limit(file, unpacked).ok()?;
            Some((name, encoding))
        })
        .collect()
}

/// The state of the text operators, as far as words and lines depend on it.
#[derive(Default)]
struct TextState<'a> {
    fonts: BTreeMap<Vec<u8>, Encoding<'a>>,
    font: Vec<u8>,
    size: f32,
    leading: f32,
    /// The vertical position of the last line.
    y: f32,
    text: String,
}

impl TextState<'_> {
    fn apply(&mut self, operator: &str, operands: &[Object]) {
        let number = |at: usize| operands.get(at).and_then(|it| it.as_float().ok());
        match operator {
            "Tf" => {
                let name = operands.first().and_then(|it| it.as_name().ok());
                self.font = name.unwrap_or_default().to_vec();
                self.size = number(1).unwrap_or_default().abs();
            }
            "TL" => self.leading = number(0).unwrap_or_default(),
            "Td" => self.move_by(number(0), number(1)),
            "TD" => {
                self.leading = -number(1).unwrap_or_default();
                self.move_by(number(0), number(1));
            }
            "T*" => self.move_by(Some(0.0), Some(-self.leading)),
            "Tm" => {
                let y = number(5).unwrap_or_default();
                // The matrix may scale the font.
                let scale = number(3).unwrap_or(1.0).abs().max(0.01);
                self.break_line(y - self.y, self.size.max(1.0) * scale);
                self.y = y;
            }
            "BT" => self.add_space(),
            "Tj" => operands.iter().for_each(|it| self.show_text(it)),
            "'" | "\"" => {
                self.move_by(Some(0.0), Some(-self.leading));
                operands.iter().for_each(|it| self.show_text(it));
            }
            "TJ" => {
                let pieces = operands.first().and_then(|it| it.as_array().ok());
                for piece in pieces.into_iter().flatten() {
                    if piece.as_float().is_ok_and(|gap| gap < -WORD_GAP) {
                        self.add_space();
                    }
                    self.show_text(piece);
                }
            }
            _ => {}
        }
    }

    fn move_by(&mut self, x: Option<f32>, y: Option<f32>) {
        let (x, y) = (x.unwrap_or_default(), y.unwrap_or_default());
        self.y += y;
        self.break_line(y, self.size);
        if x != 0.0 {
            self.add_space();
        }
    }

    /// Handles a move by `y`: to the same line, to the next one, or over a gap.
    fn break_line(&mut self, y: f32, size: f32) {
        let size = size.max(1.0);
        let is_new = y.abs() > size * 0.5;
        // A move upwards starts another column.
        let is_gap = y > size * 0.5 || -y > size * 1.8;
        if self.text.is_empty() {
            return;
        }
        if is_gap {
            self.end_with("\n\n");
        } else if is_new {
            self.end_with("\n");
        } else {
            self.add_space();
        }
    }

    fn end_with(&mut self, end: &str) {
        let bare = self.text.trim_end_matches(' ').len();
        self.text.truncate(bare);
        while !self.text.ends_with(end) {
            self.text.push('\n');
        }
    }

    fn add_space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn show_text(&mut self, shown: &Object) {
        let (Object::String(bytes, _), Some(encoding)) = (shown, self.fonts.get(&self.font)) else {
            return;
        };
        let Ok(piece) = Document::decode_text(encoding, bytes) else {
            return;
        };
        let readable = piece
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .filter(|c| *c != char::REPLACEMENT_CHARACTER);
        self.text.extend(readable);
    }
}
