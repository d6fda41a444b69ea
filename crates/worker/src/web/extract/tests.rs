use super::{html, markdown, plain_text};
use crate::pipeline::{BlockKind::*, Document};
use url::Url;

mod hostile;

fn kinds_and_texts(document: &Document) -> Vec<(crate::pipeline::BlockKind, &str)> {
    document
        .blocks
        .iter()
        .map(|block| (block.kind, block.text.as_str()))
        .collect()
}

fn anchor_of<'a>(document: &'a Document, start: &str) -> Option<&'a str> {
    let block = document
        .blocks
        .iter()
        .find(|block| block.text.starts_with(start));
    block
        .unwrap_or_else(|| panic!("no block starts with {start}"))
        .anchor
        .as_deref()
}

const ARTICLE: &str = r##"<!DOCTYPE html><html lang="en-GB"><head>
<title>Tidal power returns | The Harbour Post</title>
<meta property="article:published_time" content="2024-03-05T08:30:00+01:00">
<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2020-01-01"}</script>
<style>p { color: red }</style></head><body class="has-sidebar">
<div id="cookie-banner"><p>We use cookies to improve your visit. Accept all?</p><button>Accept</button></div>
<header><a href="/">The Harbour Post</a><nav><ul><li>Home<li>Sport</ul></nav></header>
<main><article><header><h1>Tidal power returns</h1><p class="byline">By A. Writer</p></header>
<p>The barrage produced <b>240</b>&nbsp;MW on Monday<sup class="reference"><a href="#n1">[1]</a></sup>, its owner said.
It took 10<sup>3</sup> days.</p>
<div class="share-buttons"><p>Share this on every network</p></div>
<p>Engineers replaced<br>four&#32;turbines.</p><blockquote><p>&ldquo;It works&rdquo;, she said.</p></blockquote>
<ul><li>First: blades</li><li><p>Second: seals</p><p>They leak less.</p></li></ul>
<figure><img src=x alt=photo><figcaption>The barrage at dusk</figcaption></figure>
<p style="display: none">Hidden text</p><p hidden>More hidden text</p>
<aside><h2>Most read</h2><p>Ten harbours to see</p></aside>
</article></main><footer><p>Copyright the Post</p></footer><script>track()</script></body></html>"##;

#[test]
fn an_article_is_read_without_navigation_banners_and_hidden_text() {
    let document = html(ARTICLE, None);
    assert_eq!(document.title, "Tidal power returns");
    assert_eq!(document.language.as_deref(), Some("en"));
    assert_eq!(
        document.published.unwrap().to_rfc3339(),
        "2024-03-05T07:30:00+00:00"
    );
    assert_eq!(
        kinds_and_texts(&document),
        [
            (Heading(1), "Tidal power returns"),
            (
                Paragraph,
                "The barrage produced 240 MW on Monday, its owner said. It took 10^3 days."
            ),
            (Paragraph, "Engineers replaced four turbines."),
            (Quote, "“It works”, she said."),
            (ListItem, "First: blades"),
            (ListItem, "Second: seals"),
            (Paragraph, "They leak less."),
            (Paragraph, "The barrage at dusk"),
        ]
    );
}

const API_PAGE: &str = r##"<html lang="en"><head><title>Queues &#8212; Pond 2.1 documentation</title></head><body>
<div class="related" role="navigation"><ul><li>index</li><li>modules</li></ul></div>
<div class="document"><div class="body" role="main"><section id="queues">
<span id="pond-queues"></span><h1>Queues<a class="headerlink" href="#queues" title="Permalink">¶</a></h1>
<p>Queues carry work.</p><section id="classes"><h2>Classes<a class="headerlink" href="#classes">¶</a></h2>
<dl class="py function"><dt class="sig sig-object py" id="pond.drain">
<em class="property"><span class="pre">async</span> </em><span class="sig-prename"><span class="pre">pond.</span></span><span class="sig-name"><span class="pre">drain</span></span><span class="sig-paren">(</span><em class="sig-param"><span class="n"><span class="pre">queue</span></span></em>, <em class="sig-param"><span class="n"><span class="pre">limit</span></span><span class="o"><span class="pre">=</span></span><span class="default_value"><span class="pre">None</span></span></em><span class="sig-paren">)</span><a class="headerlink" href="#pond.drain">¶</a></dt>
<dd><p>Takes everything out of <em>queue</em>.</p>
<div class="admonition note"><p class="admonition-title">Note</p><p>Never blocks.</p></div>
<div class="highlight"><pre><span></span><span class="k">async</span> <span class="k">def</span> main():
    <span class="k">await</span> drain(q)
</pre></div></dd></dl>
<p>Back in the section.</p>
<table><thead><tr><th>State</th><th><p>Meaning</p></th></tr></thead><tbody><tr><td>open</td><td><p>takes <code>put</code></p></td></tr></tbody></table>
</section><p>Back at the top.</p></section></div></div>
<div class="sphinxsidebar"><h3>Table of contents</h3><ul><li><a>Queues</a></li></ul></div>
<div class="footer">&copy; Pond</div></body></html>"##;

#[test]
fn an_api_page_keeps_its_terms_their_explanations_and_their_anchors() {
    let document = html(API_PAGE, None);
    assert_eq!(document.title, "Queues");
    assert_eq!(
        kinds_and_texts(&document),
        [
            (Heading(1), "Queues"),
            (Paragraph, "Queues carry work."),
            (Heading(2), "Classes"),
            (Term, "async pond.drain(queue, limit=None)"),
            (Paragraph, "Takes everything out of queue."),
            (Paragraph, "Never blocks."),
            (Code, "async def main():\n    await drain(q)"),
            (Paragraph, "Back in the section."),
            (TableRow, "State | Meaning"),
            (TableRow, "open | takes put"),
            (Paragraph, "Back at the top."),
        ]
    );
    assert_eq!(anchor_of(&document, "async pond"), Some("pond.drain"));
    assert_eq!(anchor_of(&document, "Takes"), Some("pond.drain"));
    assert_eq!(anchor_of(&document, "Never"), Some("pond.drain"));
    assert_eq!(anchor_of(&document, "Back in"), Some("classes"));
    assert_eq!(anchor_of(&document, "Back at"), Some("queues"));
}

#[test]
fn a_method_in_rustdoc_is_a_term_that_its_text_follows() {
    let document = html(
        r##"<body><main><section id="main-content"><h1>Struct Pond <button id="copy-path">Copy</button></h1><div class="impl-items">
        <details class="toggle" open><summary><section id="method.drain" class="method"><a class="src rightside" href="s">Source</a><h4 class="code-header">pub fn <a class="fn">drain</a>(&amp;self) -&gt; <a>usize</a><div class="where">where T: Fish</div></h4></section></summary><div class="docblock"><p>Empties it.</p></div></details>
        <details><summary>More</summary><p>Other.</p></details></div></section></main></body>"##,
        None,
    );
    assert_eq!(
        kinds_and_texts(&document),
        [
            (Heading(1), "Struct Pond"),
            (Term, "pub fn drain(&self) -> usize where T: Fish"),
            (Paragraph, "Empties it."),
            (Paragraph, "More"),
            (Paragraph, "Other.")
        ]
    );
    assert_eq!(anchor_of(&document, "Empties"), Some("method.drain"));
    assert_eq!(anchor_of(&document, "Other"), Some("main-content"));
}

#[test]
fn a_heading_in_a_wrapper_still_names_what_follows_it() {
    let document = html(
        r##"<body><div id="content"><div class="mw-heading"><h2 id="History">History</h2><span class="mw-editsection">[edit]</span></div>
        <p>It began early.</p><div class="mw-heading"><h2><span id="Later"></span>Later</h2></div><p>It went on.</p></div></body>"##,
        None,
    );
    assert_eq!(kinds_and_texts(&document)[0], (Heading(2), "History"));
    assert_eq!(anchor_of(&document, "It began"), Some("History"));
    assert_eq!(anchor_of(&document, "It went"), Some("Later"));
}

#[test]
fn every_post_of_a_thread_is_kept() {
    let posts: String = (1..=4)
        .map(|i| format!("<article id='post-{i}'><div class='author'>user{i}</div><div class='post'>Reply number {i} explains the fault.<br><br>Its second part {i}.</div></article>"))
        .collect();
    let page = format!(
        "<html><head><title>Pump fails - Forum</title></head><body><div class='navbar'>Login Register</div><h1>Pump fails</h1><div class='posts'>{posts}</div><div class='pagination'>1 2 3</div></body></html>"
    );
    let document = html(&page, None);
    assert_eq!(document.title, "Pump fails");
    for i in 1..=4 {
        let anchor = format!("post-{i}");
        assert_eq!(
            anchor_of(&document, &format!("Reply number {i}")),
            Some(anchor.as_str())
        );
        assert_eq!(
            anchor_of(&document, &format!("Its second part {i}")),
            Some(anchor.as_str())
        );
    }
    assert!(!document.text().contains("Login") && !document.text().contains("1 2 3"));
}

#[test]
fn a_list_page_keeps_its_entries() {
    let rows: String = (1..=12)
        .map(|i| format!("<tr class='athing'><td>{i}.</td><td><a href='/{i}'>Entry {i} on lakes</a> <span>(site{i}.example)</span></td></tr>"))
        .collect();
    let page = format!(
        "<body><center><table id=outer><tr><td><a>News</a> | <a>New</a></td></tr><tr><td><table>{rows}</table></td></tr></table></center></body>"
    );
    let document = html(&page, None);
    assert!(
        kinds_and_texts(&document).contains(&(TableRow, "7. | Entry 7 on lakes (site7.example)"))
    );
    assert_eq!(
        document
            .blocks
            .iter()
            .filter(|block| block.kind == TableRow)
            .count(),
        12
    );
}

#[test]
fn blocks_are_never_glued_and_inline_elements_never_torn() {
    let document = html(
        "<body><div>one<div>two</div>three</div><p>f<b>o</b>ur <i>fi</i>ve<span> six</span></body>",
        None,
    );
    assert_eq!(
        kinds_and_texts(&document),
        [
            (Paragraph, "one"),
            (Paragraph, "two"),
            (Paragraph, "three"),
            (Paragraph, "four five six")
        ]
    );
}

#[test]
fn a_page_whose_only_text_looks_like_decoration_is_read_all_the_same() {
    let text = "The only text of this page stands here. ".repeat(30);
    let document = html(
        &format!("<body><div class='sidebar'><p>{text}</p></div><p>x</p></body>"),
        None,
    );
    assert!(document.text().contains("only text of this page"));
    assert!(
        html("<body><div class='banner'>Short</div></body>", None)
            .text()
            .contains("Short")
    );
}

#[test]
fn the_date_comes_from_linked_data_or_a_time_element() {
    let linked = html(
        r#"<head><script type="application/ld+json">{"@graph":[{"datePublished": "2023-05-06T10:00:00Z"}]}</script></head><p>x"#,
        None,
    );
    assert_eq!(
        linked.published.unwrap().to_rfc3339(),
        "2023-05-06T10:00:00+00:00"
    );
    let time = html(
        "<article><p>x</p><time datetime='2022-01-02'>2 Jan</time></article>",
        None,
    );
    assert_eq!(
        time.published.unwrap().to_rfc3339(),
        "2022-01-02T00:00:00+00:00"
    );
    assert_eq!(html("<p>x", None).published, None);
}

#[test]
fn markdown_becomes_blocks_with_the_anchors_that_github_gives() {
    let document = markdown(
        "---\ntitle: ignored\n---\n# The `pond` tool!\n\nIt keeps *fish*\nalive.\n\n## Set up\n\n- one\n- two\n\n  more of two\n\n> quoted\n\n```rust\nfn a() {\n    b();\n}\n```\n\n## Set up\n\n| A | B |\n|---|---|\n| 1 | **2** |\n\n<p align=\"center\">From HTML</p>\n",
    );
    assert_eq!(document.title, "The pond tool!");
    assert_eq!(
        kinds_and_texts(&document),
        [
            (Heading(1), "The pond tool!"),
            (Paragraph, "It keeps fish alive."),
            (Heading(2), "Set up"),
            (ListItem, "one"),
            (ListItem, "two"),
            (Paragraph, "more of two"),
            (Quote, "quoted"),
            (Code, "fn a() {\n    b();\n}"),
            (Heading(2), "Set up"),
            (TableRow, "A | B"),
            (TableRow, "1 | 2"),
            (Paragraph, "From HTML"),
        ]
    );
    assert_eq!(anchor_of(&document, "It keeps"), Some("the-pond-tool"));
    assert_eq!(anchor_of(&document, "one"), Some("set-up"));
    assert_eq!(anchor_of(&document, "1 |"), Some("set-up-1"));
}

#[test]
fn plain_text_is_split_at_blank_lines() {
    let document = plain_text("On ponds\r\n\r\nA pond is\na small lake.\n\n\n  It is   still.\n");
    assert_eq!(document.title, "On ponds");
    assert_eq!(
        kinds_and_texts(&document),
        [
            (Paragraph, "On ponds"),
            (Paragraph, "A pond is a small lake."),
            (Paragraph, "It is still.")
        ]
    );
    assert!(plain_text("").is_empty());
}

#[test]
fn a_page_without_any_semantic_markup_is_read_by_the_weight_of_its_text() {
    let paragraph = "The weir was built to hold the spring flood, and it has done so, year after year, without repair. ";
    let text: String = (0..8)
        .map(|i| format!("<p>Part {i}. {}</p>", paragraph.repeat(3)))
        .collect();
    let links: String = (0..40)
        .map(|i| format!("<div><a href='/{i}'>Link {i}</a></div>"))
        .collect();
    let page = format!(
        "<html><body><div class=x1>{links}</div><div class=x2><div><h2><a name=weir></a>The weir</h2>{text}</div></div></body></html>"
    );
    let document = html(&page, None);
    for i in 0..8 {
        assert!(document.text().contains(&format!("Part {i}.")), "{i}");
    }
    assert!(!document.text().contains("Link 7"), "{}", document.text());
    assert_eq!(anchor_of(&document, "Part 0."), Some("weir"));
}

#[test]
fn the_heading_of_a_section_is_never_taken_for_decoration() {
    let text = "<p>Words of this section.</p>";
    let page = format!(
        "<main><div class='section' id='navigation'><h2>Navigation</h2>{text}</div><section id='share'><h2>Share</h2>{text}</section><h2>Last</h2>{}</main>",
        text.repeat(20)
    );
    let document = html(&page, None);
    assert!(document.text().contains("Navigation") && document.text().contains("Share"));
}

#[test]
fn a_page_is_known_by_the_address_that_it_states_on_its_own_site_only() {
    let base = Url::parse("https://www.pond.example/ducks?id=7").unwrap();
    let stated = |href: &str| {
        let html = format!("<html><head><link rel='Canonical' href='{href}'></head><p>Ducks.");
        super::page(&html, Some(&base)).1.map(String::from)
    };
    let own = Some("https://pond.example/ducks".to_owned());
    assert_eq!(stated("https://pond.example/ducks#top"), own);
    assert_eq!(
        stated("/duck").as_deref(),
        Some("https://www.pond.example/duck")
    );
    for foreign in [
        "https://bank.example/",
        "https://pond.example/",
        "https://pond.example:8443/ducks",
        "https://me:secret@pond.example/ducks",
        "javascript:alert(1)",
        "http://[",
    ] {
        assert_eq!(stated(foreign), None, "{foreign}");
    }
}
