//! Which elements decorate a page: navigation, banners, link marks. The tag says it for some, for
//! the others there are only class names and ids.

use dom_query::{Element, local_name};

const EXACT: [&str; 50] = [
    "ad",
    "ads",
    "advert",
    "advertisement",
    "alert-banner",
    "author-bio",
    "banner",
    "byline",
    "copyright",
    "edit-link",
    "footer",
    "header-nav",
    "jump-to-nav",
    "mobile-nav",
    "masthead",
    "menu",
    "navbar",
    "navbox",
    "navigation",
    "newsletter",
    "noprint",
    "page-footer",
    "pager",
    "pagination",
    "paywall",
    "popup",
    "printfooter",
    "promo",
    "recommended",
    "rightbar",
    "rightside",
    "screen-reader-text",
    "share",
    "sharing",
    "sidebar",
    "site-footer",
    "site-header",
    "skip-link",
    "skiplink",
    "social",
    "sphinxsidebar",
    "sphinxfooter",
    "subscribe",
    "tag-list",
    "toast",
    "toc",
    "toolbar",
    "topnav",
    "catlinks",
    "vector-toc",
];
const PREFIXES: [&str; 13] = [
    "breadcrumb",
    "cookie",
    "consent",
    "gdpr",
    "onetrust",
    "nav-",
    "related-",
    "share-",
    "sidebar-",
    "social-",
    "newsletter-",
    "advert",
    "mw-jump",
];
const SUFFIXES: [&str; 13] = [
    "-sidebar",
    "-nav",
    "-navigation",
    "-menu",
    "-breadcrumbs",
    "-breadcrumb",
    "-toc",
    "-ad",
    "-ads",
    "-share",
    "-newsletter",
    "-cookie",
    "-pagination",
];
const NAVIGATION_ROLES: [&str; 9] = [
    "navigation",
    "banner",
    "contentinfo",
    "search",
    "dialog",
    "alertdialog",
    "menu",
    "menubar",
    "complementary",
];

/// Whether a block element looks like decoration.
pub(super) fn is_decoration(element: &Element) -> bool {
    let name = &*element.name.local;
    if matches!(name, "html" | "body" | "main" | "article") {
        return false;
    }
    if let Some(role) = element.attr_ref(local_name!("role")) {
        if NAVIGATION_ROLES.contains(&role) {
            return true;
        }
        if matches!(role, "main" | "note" | "article") {
            return false;
        }
    }
    if name == "aside" && !is_remark(element) {
        return true;
    }
    let class = element.attr_ref(local_name!("class")).unwrap_or_default();
    let id = element.attr_ref(local_name!("id")).unwrap_or_default();
    if is_local_contents(class) {
        return true;
    }
    // The id of a heading's section is a word of the text ("sharing", "navigation").
    let is_section = matches!(name, "section" | "dt" | "li") || class == "section";
    let id = if is_section { "" } else { id };
    class
        .split_ascii_whitespace()
        .chain(std::iter::once(id))
        .any(names_decoration)
}

/// Marks inside a line: link anchors, edit links, reference numbers.
pub(super) fn is_inline_mark(element: &Element) -> bool {
    let Some(class) = element.attr_ref(local_name!("class")) else {
        return false;
    };
    let is_reference = &*element.name.local == "sup";
    class.split_ascii_whitespace().any(|token| {
        matches!(
            token,
            "headerlink"
                | "anchorjs-link"
                | "doc-anchor"
                | "hash-link"
                | "header-anchor"
                | "linenos"
                | "lineno"
                | "mw-editsection"
                | "footnote-reference"
                | "footnote-ref"
                | "footnote-backref"
                | "viewcode-link"
                | "sr-only"
                | "visually-hidden"
                | "screen-reader-text"
                | "heading-link"
                | "permalink"
                | "copybtn"
                | "skip-link"
                | "rightside"
        ) || is_reference && token == "reference"
    })
}

fn names_decoration(token: &str) -> bool {
    if token.is_empty() {
        return false;
    }
    let lower = token.to_ascii_lowercase();
    let lower = lower.as_str();
    if ["has-", "with-", "no-", "is-", "without-"]
        .iter()
        .any(|p| lower.starts_with(p))
    {
        return false;
    }
    EXACT.contains(&lower)
        || PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| lower.ends_with(suffix))
}

/// An aside that belongs to the text: a note, a warning, a footnote.
fn is_remark(element: &Element) -> bool {
    let class = element.attr_ref(local_name!("class")).unwrap_or_default();
    [
        "note",
        "admonition",
        "callout",
        "tip",
        "warning",
        "caution",
        "starlight",
        "topic",
    ]
    .iter()
    .any(|word| class.contains(word))
}

/// The table of contents that docutils puts into the text.
fn is_local_contents(class: &str) -> bool {
    let has = |wanted: &str| class.split_ascii_whitespace().any(|token| token == wanted);
    has("contents") && (has("local") || has("topic"))
}
