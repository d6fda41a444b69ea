use super::*;

fn block(kind: BlockKind, text: &str, anchor: Option<&str>) -> Block {
    Block {
        kind,
        text: text.to_owned(),
        anchor: anchor.map(str::to_owned),
    }
}

fn page(title: &str, blocks: Vec<Block>) -> Document {
    Document {
        title: title.to_owned(),
        blocks,
        ..Document::default()
    }
}

#[test]
fn each_page_of_a_pdf_is_a_section_that_a_link_leads_to() {
    let block = |page: usize, text: &str| Block {
        kind: BlockKind::Paragraph,
        text: text.to_owned(),
        anchor: Some(format!("page={page}")),
    };
    let document = Document {
        title: "Ponds".to_owned(),
        blocks: vec![
            block(1, "Ducks live on ponds."),
            block(1, "They eat weed."),
            block(2, "Ponds freeze in winter."),
        ],
        ..Document::default()
    };
    let sections = split(&document, "ponds");
    let shown: Vec<_> = sections
        .iter()
        .map(|section| (section.anchor.as_deref(), section.blocks.len()))
        .collect();
    assert_eq!(shown, [(Some("page=1"), 2), (Some("page=2"), 1)]);
}

#[test]
fn sections_begin_at_headings_and_terms() {
    let document = page(
        "",
        vec![
            block(BlockKind::Heading(1), "Tasks", Some("tasks")),
            block(BlockKind::Paragraph, "About tasks.", Some("tasks")),
            block(BlockKind::Heading(2), "Running", Some("running")),
            block(
                BlockKind::Term,
                "asyncio.gather(*aws)",
                Some("asyncio.gather"),
            ),
            block(BlockKind::Paragraph, "Run them.", Some("asyncio.gather")),
            block(BlockKind::Heading(2), "Ending", Some("ending")),
            block(BlockKind::Paragraph, "Stop.", Some("ending")),
        ],
    );
    let sections = split(&document, "file");
    let seen: Vec<(&str, Vec<&str>, &str)> = sections
        .iter()
        .map(|section| {
            let path = section.path.iter().map(|(_, text)| text.as_str()).collect();
            (
                section.heading.as_str(),
                path,
                section.anchor.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("Tasks", vec![], "tasks"),
            (
                "asyncio.gather(*aws)",
                vec!["Tasks", "Running"],
                "asyncio.gather"
            ),
            ("Ending", vec!["Tasks"], "ending"),
        ]
    );
    assert_eq!(sections[1].names, ["asyncio.gather", "gather"]);
    assert_eq!(sections[1].body(), "Run them.");
    assert_eq!(sections[0].title, "Tasks");
}

#[test]
fn terms_in_a_row_share_their_explanation() {
    let document = page(
        "",
        vec![
            block(BlockKind::Term, "a.first()", Some("a.first")),
            block(BlockKind::Term, "a.second()", Some("a.second")),
            block(BlockKind::Paragraph, "Both.", None),
        ],
    );
    let sections = split(&document, "file");
    assert_eq!(sections.len(), 1);
    assert_eq!(
        sections[0].names,
        ["a.first", "a.second", "first", "second"]
    );
    assert_eq!(sections[0].anchor.as_deref(), Some("a.first"));
}

#[test]
fn a_long_section_is_cut_between_blocks() {
    let text = "word ".repeat(300);
    let blocks = vec![
        block(BlockKind::Heading(2), "Long", Some("long")),
        block(BlockKind::Paragraph, &text, Some("long")),
        block(BlockKind::Paragraph, &text, Some("later")),
    ];
    let sections = split(&page("Page", blocks), "file");
    assert_eq!(sections.len(), 2);
    assert_eq!(sections[1].heading, "Long");
    assert_eq!(sections[1].anchor.as_deref(), Some("later"));
}

#[test]
fn the_site_name_leaves_the_title_only_when_a_heading_is_left() {
    let tasks = || vec![block(BlockKind::Heading(1), "Coroutines and Tasks", None)];
    let of = |text: &str, blocks| title(&page(text, blocks), "file");
    assert_eq!(
        of(
            "Coroutines and Tasks — Python 3.11.2 documentation",
            tasks()
        ),
        "Coroutines and Tasks"
    );
    assert_eq!(of("Speed - a study", tasks()), "Speed - a study");
    assert_eq!(of(" — Python", tasks()), "— Python");
    assert_eq!(of("", tasks()), "Coroutines and Tasks");
    assert_eq!(of("", vec![]), "file");
}

#[test]
fn text_after_the_terms_belongs_to_the_heading_again() {
    let document = page(
        "",
        vec![
            block(BlockKind::Heading(1), "Copying", Some("copying")),
            block(BlockKind::Term, "exception copy.Error", Some("copy.Error")),
            block(BlockKind::Paragraph, "Raised.", Some("copy.Error")),
            block(BlockKind::Paragraph, "More on it.", Some("index-3")),
            block(BlockKind::Paragraph, "On depth.", Some("deep-copies")),
        ],
    );
    let sections = split(&document, "file");
    assert_eq!(sections[0].body(), "Raised.\nMore on it.");
    assert_eq!(sections[1].heading, "Copying");
    assert_eq!(sections[1].anchor.as_deref(), Some("deep-copies"));
}

#[test]
fn a_term_that_only_points_to_another_becomes_its_other_name() {
    let document = page(
        "",
        vec![
            block(BlockKind::Term, "GIL", Some("term-gil")),
            block(
                BlockKind::Paragraph,
                "See global interpreter lock.",
                Some("term-gil"),
            ),
            block(
                BlockKind::Term,
                "global interpreter lock",
                Some("term-lock"),
            ),
            block(BlockKind::Paragraph, "It locks.", Some("term-lock")),
        ],
    );
    let sections = split(&document, "file");
    assert_eq!(sections.len(), 1);
    assert_eq!(sections[0].also, ["GIL"]);
    assert_eq!(sections[0].names, ["gil"]);
}

#[test]
fn a_name_can_be_asked_for_by_any_of_its_ends() {
    let names = names("method asyncio.Task.__init__(coro)", None);
    assert_eq!(names, ["task.__init", "init", "asyncio.task.__init"]);
}
