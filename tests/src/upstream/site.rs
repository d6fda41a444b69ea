//! A web site with good pages and with every kind of bad one.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::{Reply, Request, Step, Upstream};

const MEGABYTE: usize = 1 << 20;

/// Serves `pages`, path to HTML, and, beside them:
/// - `/huge`: 100 MB of text, in a page that does not say how long it is
/// - `/loop`: redirects to itself
/// - `/to?url=…`: redirects there
/// - `/binary`: bytes that are no text, with a content type that says so
/// - `/lying-binary`: the same as `text/html`
/// - `/slow`: a head at once, then a byte each second
/// - `/hang`: no answer
pub fn serving<P: Into<String>, H: Into<String>>(
    pages: impl IntoIterator<Item = (P, H)>,
) -> Upstream {
    let pages: BTreeMap<String, String> = pages
        .into_iter()
        .map(|(path, html)| (path.into(), html.into()))
        .collect();
    Upstream::start(move |request| route(request, &pages))
}

/// A plain article: a title and paragraphs.
pub fn article(title: &str, paragraphs: &[&str]) -> String {
    let body: String = paragraphs
        .iter()
        .map(|text| format!("<p>{text}</p>\n"))
        .collect();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><nav><a href=\"/\">Home</a></nav><main><article><h1>{title}</h1>\n{body}</article></main></body></html>"
    )
}

fn route(request: &Request, pages: &BTreeMap<String, String>) -> Reply {
    if let Some(html) = pages.get(&request.path) {
        return Reply::html(html.clone());
    }
    match request.path.as_str() {
        "/huge" => huge(),
        "/loop" => Reply::redirect("/loop"),
        "/to" => Reply::redirect(request.parameter("url").unwrap_or("/")),
        "/binary" => Reply::new(200, "application/octet-stream", binary()),
        "/lying-binary" => Reply::html(binary()),
        "/slow" => slow(),
        "/hang" => Reply::hang(),
        _ => Reply::new(404, "text/html; charset=utf-8", "<h1>Not found</h1>"),
    }
}

fn huge() -> Reply {
    let block = Bytes::from("<p>Words and more words.</p>\n".repeat(MEGABYTE / 28));
    Reply::steps(
        200,
        "text/html; charset=utf-8",
        vec![Step::Repeat(block, 100)],
    )
}

fn slow() -> Reply {
    let step = [
        Step::Send(Bytes::from_static(b"<")),
        Step::Wait(Duration::from_secs(1)),
    ];
    let steps = step.iter().cloned().cycle().take(600).collect();
    Reply::steps(200, "text/html; charset=utf-8", steps)
}

fn binary() -> Bytes {
    (0..=255_u8).cycle().take(64 * 1024).collect()
}
