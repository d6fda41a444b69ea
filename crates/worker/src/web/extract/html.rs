//! HTML pages.

use super::{
    blocks, metadata,
    root::{self, Root},
    survey::{Survey, survey},
    tree,
};
use crate::pipeline::{Block, Document};
use dom_query::{NodeId, Tree};
use dom_smoothie::{Config, Readability};
use std::collections::HashSet;
use url::Url;

/// Readability scores every element; beyond this many it takes too long.
const MAX_SCORED_ELEMENTS: usize = 30_000;

/// Some of its patterns need quadratic time for long runs of punctuation; in bytes.
const MAX_SCORED_TEXT: usize = 150_000;

/// Reads the main content of an HTML page. `base` is its address, if it has one.
///
/// Never fails: a page without text gives a document without blocks. Takes time linear in the
/// length of `html`, whatever it holds.
#[must_use]
pub fn html(html: &str, base: Option<&Url>) -> Document {
    page(html, base).0
}

/// Like [`html`], and the address that the page wants to be known by, when that is on its own site.
#[must_use]
pub fn page(html: &str, base: Option<&Url>) -> (Document, Option<Url>) {
    let page = tree::parse(html);
    let mut wanted = HashSet::new();
    let mut seen = survey(&page.tree, &wanted);
    if let Some(id) = wrongly_dropped(&seen) {
        wanted.insert(id);
        seen = survey(&page.tree, &wanted);
    }
    let mut blocks = match root::choose(&seen, &page.tree) {
        Root::Element(id) => blocks::read(&page.tree, id, &wanted),
        Root::Unknown => {
            by_score(&page, base, seen.length).unwrap_or_else(|| whole(&page.tree, &wanted))
        }
    };
    if blocks.is_empty() {
        wanted.extend(seen.decoration.iter().map(|(id, _)| *id));
        blocks = whole(&page.tree, &wanted);
    }
    let title = metadata::title(&page.tree, &blocks);
    let address = base.and_then(|base| metadata::address(&page.tree, base));
    let document = Document {
        title,
        published: metadata::published(&page.tree, &seen),
        language: metadata::language(&page.tree),
        blocks,
    };
    (document, address)
}

/// The element that looks like decoration by its name but holds most of the page's text.
fn wrongly_dropped(seen: &Survey) -> Option<NodeId> {
    let (id, length) = seen.decoration.iter().max_by_key(|(_, length)| *length)?;
    let all: usize = seen.decoration.iter().map(|(_, length)| length).sum();
    (*length > 2 * seen.length && *length > 500 && *length * 2 > all).then_some(*id)
}

fn whole(tree: &Tree, wanted: &HashSet<NodeId>) -> Vec<Block> {
    let body = tree.body().map_or(tree.root_id(), |body| body.id);
    blocks::read(tree, body, wanted)
}

/// The content by readability's scores, when it finds a fair share of the page.
fn by_score(
    page: &dom_query::Document,
    base: Option<&Url>,
    readable_length: usize,
) -> Option<Vec<Block>> {
    const WORTHWHILE: usize = 1_000;
    if !(WORTHWHILE..MAX_SCORED_TEXT).contains(&readable_length) {
        return None;
    }
    let config = Config {
        max_elements_to_parse: MAX_SCORED_ELEMENTS,
        disable_json_ld: true,
        keep_classes: true,
        ..Config::default()
    };
    let base = base.filter(|url| url.has_host()).map(Url::as_str);
    let page = page.clone();
    name_headings(&page);
    let article = Readability::with_document(page, base, Some(config))
        .ok()?
        .parse()
        .ok()?;
    let content = tree::parse(&article.content);
    let blocks = whole(&content.tree, &HashSet::new());
    let length: usize = blocks.iter().map(|block| block.text.len()).sum();
    // A thread or a list has no single article: then everything is kept.
    (length * 2 >= readable_length).then_some(blocks)
}

/// Readability drops empty anchors, so the name of one in a heading moves to the heading.
fn name_headings(page: &dom_query::Document) {
    for heading in page.select("h1,h2,h3,h4,h5,h6").nodes() {
        if heading.has_attr("id") {
            continue;
        }
        let name = heading
            .descendants_it()
            .find_map(|inside| inside.attr("id").or_else(|| inside.attr("name")));
        if let Some(name) = name {
            heading.set_attr("id", &name);
        }
    }
}
