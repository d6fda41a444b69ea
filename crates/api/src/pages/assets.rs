//! The files of `crates/api/web/`, embedded in the binary.

use super::page_headers;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, EntityTag, Header, IfNoneMatch},
};
use sha2::{Digest, Sha256};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($name:literal: $kind:expr),+ $(,)?) => {
        [$(Asset { name: $name, kind: $kind, text: include_str!(concat!("../../web/", $name)) }),+]
    };
}

static ASSETS: [Asset; 15] = assets![
    "index.html": HTML,
    "app.js": SCRIPT,
    "dom.js": SCRIPT,
    "history.js": SCRIPT,
    "markdown.js": SCRIPT,
    "queue.html": HTML,
    "queue.js": SCRIPT,
    "chart.js": SCRIPT,
    "sign-in.html": HTML,
    "sign-in.js": SCRIPT,
    "sources.js": SCRIPT,
    "stages.js": SCRIPT,
    "stream.js": SCRIPT,
    "style.css": STYLE,
    "icon.svg": IMAGE,
];

/// The HTML page `name`.
pub(super) fn page(request: &HttpRequest, name: &str) -> HttpResponse {
    let page = ASSETS.iter().find(|asset| asset.name == name);
    page.map_or_else(
        || HttpResponse::NotFound().finish(),
        |page| asset_response(request, page),
    )
}

/// The script, style or image `name`; `None` for pages and unknown names.
pub(super) fn find_asset(request: &HttpRequest, name: &str) -> Option<HttpResponse> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    asset
        .filter(|asset| asset.kind != HTML)
        .map(|asset| asset_response(request, asset))
}

/// Browsers cache the file and revalidate it each time, so an upgrade shows at once.
fn asset_response(request: &HttpRequest, asset: &Asset) -> HttpResponse {
    let tag = EntityTag::new_strong(content_hash(asset.text));
    let is_known = matches_etag(request, &tag);
    let mut answer = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    page_headers::add_page_headers(&mut answer);
    answer
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::ETAG, tag.to_string()));
    if asset.kind == HTML {
        answer.insert_header((header::VARY, "accept"));
    }
    if is_known {
        return answer.finish();
    }
    answer.content_type(asset.kind).body(asset.text)
}

fn matches_etag(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

fn content_hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    let half = digest.iter().take(8);
    half.map(|byte| format!("{byte:02x}")).collect()
}
