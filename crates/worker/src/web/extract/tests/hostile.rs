//! Pages that were written to hurt.

use crate::web::extract::html;

#[test]
fn no_input_is_too_broken() {
    for page in [
        "",
        " ",
        "<",
        "\0",
        "<html>",
        "<p",
        "<!DOCTYPE",
        "&#xFFFFFFFF;",
        "<table><tr><p>x",
        "<svg><p>y",
        "<template><p>z",
    ] {
        let _ = html(page, None);
    }
    assert!(html("", None).is_empty());
}

#[test]
fn hostile_nesting_takes_no_stack() {
    let pages = [
        "<div>".repeat(100_000) + "deep",
        "<table><tr><td>".repeat(50_000),
        "<b><i><font>".repeat(50_000) + &"<p>x".repeat(10_000),
        "<dl><dd>".repeat(50_000),
        "<svg><g>".repeat(50_000),
        "</p>".repeat(100_000),
        "&".repeat(200_000),
        "<".repeat(200_000),
        "<a ".to_owned() + &"x=y ".repeat(200_000) + ">",
        "<blockquote><p>".repeat(50_000) + &"</blockquote>".repeat(50_000),
    ];
    for page in pages {
        let document = html(&page, None);
        assert!(document.len() <= page.len(), "{page:.20}");
    }
}

#[test]
fn readability_meets_hostile_pages_only_after_they_were_cut() {
    let deep = "<div>text of a deep page, with commas, ".repeat(20_000);
    let wide = "<div><p>text, of a wide page, ".repeat(300)
        + &"<span>a, b</span><p>text, text".repeat(60_000);
    for page in [deep, wide] {
        assert!(!html(&page, None).is_empty());
    }
}
