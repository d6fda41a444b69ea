//! A web site with good pages and with every kind of bad one.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::{Reply, Request, Step, Upstream};

const MEGABYTE: usize = 1 << 20;

/// Serves `pages`, path to HTML, and in addition:
/// - `/huge`: 100 MB of text, without a length in the head
/// - `/loop`: redirects to itself
/// - `/to?url=…`: redirects there
/// - `/binary`: bytes that are no text, with a matching content type
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

/// Documents that are expensive to parse, after one that is `sound`.
pub fn hostile_documents(sound: &str) -> Vec<Reply> {
    let html = |body: String| Reply::html(format!("<html><title>x</title><body>{body}"));
    let typed = |kind: &str, body: Vec<u8>| Reply::new(200, kind, body);
    let deep = |tag: &str| html(format!("<{tag}>").repeat(150_000));
    let attribute = format!("<p title=\"{}\">Words.</p>", "a".repeat(4_000_000));
    let attributes: String = (0..100_000).map(|at| format!(" a{at}=\"{at}\"")).collect();
    let misnested = "<b><i><a href=x><p>word</b></i>".repeat(30_000);
    let tables = "<table><tr><td>word".repeat(30_000);
    let utf16: Vec<u8> = b"\xff\xfe"
        .iter()
        .copied()
        .chain(0..=255)
        .cycle()
        .take(400_001)
        .collect();
    let pdf_bomb = format!(
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[{}]/Count 99999999>>endobj\ntrailer<</Root 1 0 R>>",
        "2 0 R ".repeat(200_000)
    );
    let mut documents = vec![
        Reply::html(sound.to_owned()),
        deep("div"),
        deep("b"),
        deep("svg"),
        html(attribute),
        html(format!("<p{attributes}>Words.</p>")),
        html(misnested),
        html(tables),
        html(format!("<!--{}", "<!--".repeat(500_000))),
        html("&NotGreaterGreater;&#x110000;&amp".repeat(120_000)),
        html(format!("<p>{}</p>", "a".repeat(4_500_000))),
        typed("text/html; charset=utf-16", utf16),
        typed("text/html; charset=no-such-charset", vec![0xC3; 300_000]),
        typed(
            "text/html; charset=iso-2022-jp",
            b"\x1b$B\x1b(B\x1b$@".repeat(100_000),
        ),
        typed("application/pdf", pdf_bomb.into_bytes()),
        typed(
            "application/pdf",
            [b"%PDF-1.4\n".to_vec(), b"[<<(".repeat(500_000)].concat(),
        ),
        typed("text/markdown", b"> * [a](".repeat(300_000)),
        typed("text/markdown", b"+ ".repeat(2_300_000)),
        Reply::html("x").header("Content-Encoding", "br"),
        Reply::html("x").header("X-Long", "y".repeat(300_000)),
        Reply::steps(200, "text/html", vec![Step::Send("<p>".into()), Step::Cut]),
    ];
    documents.extend(hidden_nesting().into_iter().map(html));
    documents.extend(
        multiplied()
            .into_iter()
            .map(|(kind, body)| typed(kind, body)),
    );
    documents
}

/// Nesting that only the rules of the HTML standard reveal: after what looks like a comment or an
/// attribute, among end tags that close nothing, in elements that elsewhere cannot contain others.
fn hidden_nesting() -> Vec<String> {
    let before = [
        "",
        "<!-->",
        "<!--->",
        "<!-- x --!>",
        "<p =\">",
        "<p b=c=\">",
        "<p 'a='>'>",
        "<svg><foreignObject>",
        "<math><mtext>",
        "<template>",
        "<plaintext",
    ];
    let nested = [
        "<div>",
        "<div></x>",
        "<path>",
        "<optgroup>",
        "<use><rect>",
        "<ruby><rt>",
    ];
    let pairs = before.iter().enumerate();
    pairs
        .map(|(at, before)| format!("{before}{}", nested[at % nested.len()].repeat(40_000)))
        .chain(nested.iter().map(|nested| nested.repeat(40_000)))
        .collect()
}

/// Long parts that repeat with each of many pieces of the document.
fn multiplied() -> Vec<(&'static str, Vec<u8>)> {
    const HTML: &str = "text/html; charset=utf-8";
    const MARKDOWN: &str = "text/markdown";
    let long = "a".repeat(200_000);
    let fonts: String = (0..300).map(|at| format!("<font size={at}></b>")).collect();
    let many = |start: String, each: &str| [start, each.repeat(60_000)].concat().into_bytes();
    vec![
        (
            HTML,
            many(format!("<h1 id='{long}'>H</h1>"), "<p>word text</p>"),
        ),
        (
            HTML,
            many(format!("<title>{long}</title>"), "<h2>x</h2><p>y"),
        ),
        (HTML, many(format!("<p><b class='{long}'>"), "<p>x")),
        (HTML, many(format!("<p>{fonts}"), "<p>x")),
        (MARKDOWN, many(format!("# {long}\n\n"), "x\n\n")),
        (
            MARKDOWN,
            many(format!("# {}\n\n", "a.".repeat(100_000)), "x\n\n"),
        ),
    ]
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
