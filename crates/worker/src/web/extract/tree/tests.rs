use super::*;
use crate::web::extract::walk::{Visitor, walk};
use proptest::prelude::*;

/// How deep a tree is, and how many nodes it has.
#[derive(Default)]
struct Measure {
    depth: usize,
    deepest: usize,
    nodes: usize,
}

impl Visitor for Measure {
    fn enter(&mut self, _id: NodeId) -> bool {
        self.nodes += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        true
    }

    fn leave(&mut self, _id: NodeId) {
        self.depth -= 1;
    }
}

fn measure(html: &str) -> Measure {
    let document = parse(html);
    let mut measure = Measure::default();
    walk(&document.tree, document.tree.root_id(), &mut measure);
    measure
}

fn text(html: &str) -> String {
    parse(html).text().to_string()
}

/// Tags that nest, close each other, are moved or are made again, and texts that hide tags.
fn soup() -> impl Strategy<Value = String> {
    const NAMES: [&str; 26] = [
        "div",
        "p",
        "b",
        "font",
        "a",
        "table",
        "tr",
        "td",
        "path",
        "svg",
        "math",
        "mi",
        "style",
        "title",
        "template",
        "select",
        "option",
        "optgroup",
        "ul",
        "li",
        "h2",
        "body",
        "html",
        "nobr",
        "form",
        "foreignObject",
    ];
    let tag = (0..NAMES.len(), 0..5u8, 0..40u32).prop_map(|(name, form, number)| {
        let name = NAMES[name];
        match form {
            0 => format!("</{name}>"),
            1 => format!("<{name} size={number} id=i{number}>"),
            2 => format!("<{name} a=\"<p\">x"),
            _ => format!("<{name}>"),
        }
    });
    let other = prop_oneof![
        Just("<!-->".to_owned()),
        Just("<!-- x --!>".to_owned()),
        Just("</x>".to_owned()),
        Just("<p =\">".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("&amp; words ".to_owned()),
    ];
    let piece = prop_oneof![8 => tag, 1 => other];
    let pattern = proptest::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat());
    (pattern.clone(), pattern, 1usize..3_000)
        .prop_map(|(start, each, times)| start + &each.repeat(times.min(100_000 / each.len())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_document_makes_a_tree_over_its_bounds(html in soup()) {
        let measured = measure(&html);
        prop_assert!(measured.deepest <= 1 + MAX_DEPTH as usize, "{}", measured.deepest);
        prop_assert!(measured.nodes <= MAX_NODES + CHUNK * MAX_DEPTH as usize);
    }
}

#[test]
fn an_ordinary_page_is_the_same_tree_as_without_bounds() {
    let page = "<!DOCTYPE html><html lang=en><head><title>a < b</title><script>if (a<b) {}</script>\
        <body class=x><p>one<p>two <b>bold<i>both</b>italic</i><table><tr><td>1<td>2</table>\
        <svg><title>t</title><path d=''/></svg><template><p>in</template>é&amp;&eacute;";
    let page = page.repeat(40);
    assert_eq!(
        parse(&page).html(),
        dom_query::Document::from(page.as_str()).html()
    );
}

#[test]
fn what_stands_before_a_bound_is_kept() {
    let deep = format!("<p>start</p>{}end", "<div>".repeat(20_000));
    assert!(text(&deep).contains("start"));
    assert!(!text(&deep).contains("end"));
    let shallow = format!("<p>start</p>{}end", "<div></div>".repeat(20_000));
    assert!(text(&shallow).ends_with("end"));
}

#[test]
fn attributes_are_bounded_by_element_and_by_size() {
    let many: String = (0..500).map(|number| format!(" a{number}=1")).collect();
    let bodies: String = (0..500)
        .map(|number| format!("<body b{number}=1>"))
        .collect();
    let long = "x".repeat(100_000);
    let page = format!("<p{many}>one</p><p title='{long}'>two</p>{bodies}");
    let document = parse(&page);
    let attributes = |selector: &str| document.select(selector).nodes()[0].attrs();
    assert_eq!(attributes("p").len(), MAX_ATTRIBUTES);
    assert_eq!(attributes("p[title]")[0].value.len(), MAX_VALUE);
    assert_eq!(attributes("body").len(), MAX_ATTRIBUTES);
}
