//! What a page says about itself: title, date, language, address.

use super::{dates, survey::Survey};
use crate::pipeline::{Block, BlockKind};
use chrono::{DateTime, Utc};
use dom_query::{Element, LocalName, NodeData, NodeId, Tree, local_name};
use url::Url;

/// The title: the first heading when `<title>` only adds the site's name to it.
pub(super) fn title(tree: &Tree, blocks: &[Block]) -> String {
    let heading = blocks
        .iter()
        .find(|block| block.kind == BlockKind::Heading(1))
        .map(|block| block.text.as_str());
    let stated = element_text(tree, "title").or_else(|| meta(tree, &["og:title", "twitter:title"]));
    match (stated, heading) {
        (Some(stated), Some(heading))
            if heading.chars().count() > 3 && stated.contains(heading) =>
        {
            heading.to_owned()
        }
        (Some(stated), _) => stated,
        (None, Some(heading)) => heading.to_owned(),
        (None, None) => String::new(),
    }
}

/// When it was published: meta tags first, then JSON-LD, then the first `<time>`.
pub(super) fn published(tree: &Tree, seen: &Survey) -> Option<DateTime<Utc>> {
    const NAMES: [&str; 13] = [
        "article:published_time",
        "datepublished",
        "date",
        "pubdate",
        "publishdate",
        "publish-date",
        "dc.date",
        "dc.date.issued",
        "dcterms.created",
        "citation_publication_date",
        "parsely-pub-date",
        "sailthru.date",
        "og:published_time",
    ];
    meta_values(tree, &NAMES)
        .into_iter()
        .find_map(|value| dates::parse(&value))
        .or_else(|| {
            seen.linked_data
                .iter()
                .find_map(|id| linked_date(tree, *id))
        })
        .or_else(|| {
            seen.times
                .iter()
                .take(3)
                .find_map(|id| time_element(tree, *id))
        })
}

/// The address in `<link rel=canonical>`. Only one on the page's own site counts: a page must not
/// pass itself off as another's. Nor does a home page, which some sites name on all their pages.
pub(super) fn address(tree: &Tree, base: &Url) -> Option<Url> {
    let stated = tree.descendant_ids_of_it(&tree.root_id()).find_map(|id| {
        tree.query_node_or(&id, None, |node| {
            let element = node.as_element()?;
            let is_link = element.name.local == local_name!("link");
            let relation = attribute(element, "rel").filter(|_| is_link)?;
            relation
                .split_ascii_whitespace()
                .any(|word| word.eq_ignore_ascii_case("canonical"))
                .then(|| attribute(element, "href").map(str::to_owned))?
        })
    })?;
    let mut address = base.join(stated.trim()).ok()?;
    address.set_fragment(None);
    let is_web = matches!(address.scheme(), "http" | "https");
    let is_plain = address.username().is_empty() && address.password().is_none();
    let is_own = site(&address)? == site(base)? && address.port() == base.port();
    let is_home = address.path() == "/" && address.query().is_none();
    (is_web && is_plain && is_own && (!is_home || base.path() == "/")).then_some(address)
}

fn site(url: &Url) -> Option<&str> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host))
}

/// Two-letter code of the language that the page says it is in.
pub(super) fn language(tree: &Tree) -> Option<String> {
    let html = tree
        .child_ids_of(&tree.root_id())
        .into_iter()
        .find_map(|id| {
            tree.query_node_or(&id, None, |node| {
                let element = node.as_element()?;
                element
                    .attr_ref(local_name!("lang"))
                    .or_else(|| attribute(element, "xml:lang"))
                    .map(str::to_owned)
            })
        });
    let tag = html.or_else(|| meta(tree, &["content-language", "og:locale", "language"]))?;
    let code = tag
        .split(['-', '_', ','])
        .next()?
        .trim()
        .to_ascii_lowercase();
    (code.len() == 2 && code.chars().all(|c| c.is_ascii_lowercase())).then_some(code)
}

fn meta(tree: &Tree, names: &[&str]) -> Option<String> {
    meta_values(tree, names).into_iter().next()
}

/// The contents of the meta elements of these names, in the order of the names.
fn meta_values(tree: &Tree, names: &[&str]) -> Vec<String> {
    let mut found: Vec<(usize, String)> = head_elements(tree)
        .into_iter()
        .filter_map(|id| {
            tree.query_node_or(&id, None, |node| {
                let element = node.as_element()?;
                let name = ["name", "property", "itemprop", "http-equiv"]
                    .iter()
                    .find_map(|key| attribute(element, key))?
                    .to_ascii_lowercase();
                let rank = names.iter().position(|wanted| *wanted == name)?;
                let content = attribute(element, "content")?.trim();
                (!content.is_empty()).then(|| (rank, collapse(content)))
            })
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, value)| value).collect()
}

fn head_elements(tree: &Tree) -> Vec<NodeId> {
    tree.head()
        .map(|head| tree.child_ids_of(&head.id))
        .unwrap_or_default()
}

fn element_text(tree: &Tree, name: &str) -> Option<String> {
    let id = head_elements(tree).into_iter().find(|id| {
        tree.query_node_or(id, false, |node| {
            node.as_element()
                .is_some_and(|element| &*element.name.local == name)
        })
    })?;
    let text = collapse(&text_of(tree, id));
    (!text.is_empty()).then_some(text)
}

fn linked_date(tree: &Tree, id: NodeId) -> Option<DateTime<Utc>> {
    let text = text_of(tree, id);
    let (_, after) = text
        .split_once("\"datePublished\"")
        .or_else(|| text.split_once("\"dateCreated\""))?;
    let (_, quoted) = after.split_once('"')?;
    let (value, _) = quoted.split_once('"')?;
    dates::parse(value)
}

fn time_element(tree: &Tree, id: NodeId) -> Option<DateTime<Utc>> {
    let stated = tree.query_node_or(&id, None, |node| {
        attribute(node.as_element()?, "datetime").map(str::to_owned)
    });
    dates::parse(&stated.unwrap_or_else(|| text_of(tree, id)))
}

fn text_of(tree: &Tree, id: NodeId) -> String {
    tree.descendant_ids_of_it(&id)
        .filter_map(|inside| {
            tree.query_node_or(&inside, None, |node| match &node.data {
                NodeData::Text { contents } => Some(contents.to_string()),
                _ => None,
            })
        })
        .collect()
}

fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attr_ref(LocalName::from(name))
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
