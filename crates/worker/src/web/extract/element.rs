//! What an element means for reading, from its tag, its classes and its attributes.

use super::noise;
use dom_query::{Element, LocalName, local_name};

/// How an element takes part in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Never read: scripts, controls, navigation, what is hidden.
    Hidden,
    /// Probably decoration, by its class; read only when too little is left without it.
    Decoration,
    /// Part of the line around it.
    Inline,
    /// `<br>`.
    LineBreak,
    /// `<sup>`.
    Superscript,
    /// A heading of that level.
    Heading(u8),
    /// `<li>`.
    Item,
    /// `<dt>`, or what renders as one.
    Term,
    /// `<blockquote>`.
    Quote,
    /// `<pre>`.
    Code,
    /// `<table>`.
    Table,
    /// `<tr>`.
    Row,
    /// A paragraph or another block that is not a part of the outline.
    Paragraph,
    /// Anything that groups blocks.
    Container,
}

pub(super) fn role(element: &Element) -> Role {
    let role = by_tag(&element.name.local);
    match role {
        Role::Hidden => Role::Hidden,
        _ if is_hidden(element) => Role::Hidden,
        Role::Inline | Role::Superscript if noise::is_inline_mark(element) => Role::Hidden,
        Role::Heading(_) if element.has_class("code-header") => Role::Term,
        Role::Inline | Role::Superscript | Role::LineBreak | Role::Heading(_) | Role::Row => role,
        _ if noise::is_decoration(element) => Role::Decoration,
        _ => role,
    }
}

fn by_tag(name: &LocalName) -> Role {
    match &**name {
        "script" | "style" | "noscript" | "template" | "nav" | "footer" | "svg" | "iframe"
        | "object" | "embed" | "canvas" | "video" | "audio" | "picture" | "img" | "button"
        | "select" | "input" | "textarea" | "datalist" | "dialog" | "head" | "map" | "menu"
        | "annotation" | "annotation-xml" => Role::Hidden,
        "br" => Role::LineBreak,
        "sup" => Role::Superscript,
        "h1" => Role::Heading(1),
        "h2" => Role::Heading(2),
        "h3" => Role::Heading(3),
        "h4" => Role::Heading(4),
        "h5" => Role::Heading(5),
        "h6" => Role::Heading(6),
        "li" => Role::Item,
        "dt" => Role::Term,
        "blockquote" => Role::Quote,
        "pre" | "listing" | "xmp" => Role::Code,
        "table" => Role::Table,
        "tr" => Role::Row,
        "p" | "summary" | "figcaption" | "caption" | "address" | "hr" | "legend" => Role::Paragraph,
        "html" | "body" | "main" | "article" | "section" | "div" | "ul" | "ol" | "dl" | "dd"
        | "aside" | "header" | "hgroup" | "form" | "fieldset" | "details" | "figure" | "center"
        | "tbody" | "thead" | "tfoot" | "td" | "th" | "dir" | "search" => Role::Container,
        _ => Role::Inline,
    }
}

fn is_hidden(element: &Element) -> bool {
    element.attrs.iter().any(|attr| match attr.name.local {
        local_name!("hidden") => &*attr.value != "until-found",
        local_name!("aria-hidden") => attr.value.eq_ignore_ascii_case("true"),
        local_name!("style") => {
            let style: String = attr.value.split_whitespace().collect();
            style.contains("display:none") || style.contains("visibility:hidden")
        }
        _ => false,
    })
}
