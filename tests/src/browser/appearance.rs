//! How a page looks: sizes, colours, pictures.

use std::path::Path;

use serde_json::{Value, json};

use super::Browser;

impl Browser {
    /// Emulates another screen, given as DevTools metrics; see [`phone`](super::phone).
    pub async fn screen(&self, metrics: Value) {
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Sets the preferred colour scheme: light or dark.
    pub async fn prefers(&self, colours: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": colours}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// By how many pixels the page is wider than its window.
    pub async fn overflow(&self) -> i64 {
        let body = "const it = document.documentElement; return it.scrollWidth - it.clientWidth";
        let pixels = self.script(body, Value::Null).await;
        pixels.as_i64().expect("a number")
    }

    /// The contrast between an element's text and its background, from 1 to 21.
    /// <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>
    pub async fn contrast(&self, selector: &str) -> f64 {
        let colours = self.script(COLOURS, selector).await;
        let luminance = |colour: &Value| {
            let channel = |at: usize| {
                let share = colour[at].as_f64().expect("a channel") / 255.0;
                match share <= 0.04045 {
                    true => share / 12.92,
                    false => ((share + 0.055) / 1.055).powf(2.4),
                }
            };
            0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
        };
        let (text, behind) = (luminance(&colours[0]), luminance(&colours[1]));
        (text.max(behind) + 0.05) / (text.min(behind) + 0.05)
    }

    /// Writes a screenshot of the window as a PNG file.
    pub async fn picture(&self, file: &Path) {
        let taken = self.driver.screenshot(file).await;
        taken.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// Red, green and blue of the text and of the first opaque background under it. A canvas turns
/// every notation of a colour into bytes.
const COLOURS: &str = r"
    const bytes = (colour) => {
        const brush = new OffscreenCanvas(1, 1).getContext('2d');
        brush.fillStyle = colour;
        brush.fillRect(0, 0, 1, 1);
        return [...brush.getImageData(0, 0, 1, 1).data];
    };
    const text = document.querySelector(arguments[0]);
    let behind = [255, 255, 255, 0];
    for (let it = text; it && behind[3] < 255; it = it.parentElement) {
        behind = bytes(getComputedStyle(it).backgroundColor);
    }
    if (behind[3] < 255) behind = bytes('Canvas');
    return [bytes(getComputedStyle(text).color), behind];
";
