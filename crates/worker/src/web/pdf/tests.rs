use super::*;
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;

/// A PDF file of these objects, numbered from 1; the first is the catalog.
fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let mut places = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        places.push(bytes.len());
        bytes.extend(format!("{number} 0 obj\n").into_bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let start = bytes.len();
    let size = objects.len() + 1;
    bytes.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").into_bytes());
    for place in places {
        bytes.extend(format!("{place:010} 00000 n \n").into_bytes());
    }
    let end = format!("trailer\n<</Size {size} /Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n");
    bytes.extend(end.into_bytes());
    bytes
}

fn stream(extra: &str, content: &[u8]) -> Vec<u8> {
    let mut object = format!("<<{extra} /Length {}>>\nstream\n", content.len()).into_bytes();
    object.extend(content);
    object.extend(b"\nendstream");
    object
}

/// A PDF file with one page for each of `contents`, which are streams.
fn pages(contents: Vec<Vec<u8>>) -> Vec<u8> {
    let count = contents.len();
    let kids: String = (0..count)
        .map(|at| format!("{} 0 R ", 4 + 2 * at))
        .collect();
    let mut objects = vec![
        b"<</Type /Catalog /Pages 2 0 R>>".to_vec(),
        format!("<</Type /Pages /Kids [{kids}] /Count {count}>>").into_bytes(),
        b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding>>".to_vec(),
    ];
    for (at, content) in contents.into_iter().enumerate() {
        let own = 5 + 2 * at;
        let page = format!(
            "<</Type /Page /Parent 2 0 R /Contents {own} 0 R /Resources <</Font <</F1 3 0 R>>>>>>"
        );
        objects.extend([page.into_bytes(), content]);
    }
    file(&objects)
}

fn text_page(operations: &str) -> Vec<u8> {
    stream("", format!("BT /F1 12 Tf {operations} ET").as_bytes())
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    stream("/Filter /FlateDecode", &encoder.finish().unwrap())
}

fn texts(document: &Document) -> Vec<(&str, &str)> {
    let anchored = |block: &'_ Block| block.anchor.is_some();
    assert!(document.blocks.iter().all(anchored));
    document
        .blocks
        .iter()
        .map(|block| {
            (
                block.anchor.as_deref().unwrap_or_default(),
                block.text.as_str(),
            )
        })
        .collect()
}

#[test]
fn every_page_is_read_and_has_an_anchor() {
    let bytes = pages(vec![
        text_page(
            "72 720 Td (On ponds) Tj 0 -40 Td (Ducks live on ponds and eat water-) Tj 0 -14 Td (weed all day.) Tj",
        ),
        text_page("1 0 0 1 72 700 Tm [(Pon) 20 (ds) -300 (freeze)] TJ T* (in winter.) '"),
        compressed(b"BT /F1 9 Tf (The third page, na\\357ve.) Tj ET"),
    ]);
    let document = read_pdf(&bytes, PdfLimits::default()).unwrap();
    assert_eq!(
        texts(&document),
        [
            ("page=1", "On ponds"),
            ("page=1", "Ducks live on ponds and eat waterweed all day."),
            ("page=2", "Ponds freeze in winter."),
            ("page=3", "The third page, na\u{ef}ve."),
        ]
    );
    assert_eq!(document.title, "On ponds");
}

#[test]
fn pages_text_and_unpacked_bytes_are_limited() {
    let page = |at: usize| text_page(&format!("(Page {at} of many) Tj"));
    let many = pages((1..=30).map(page).collect());
    let few = PdfLimits {
        max_pages: 3,
        ..PdfLimits::default()
    };
    assert_eq!(read_pdf(&many, few).unwrap().blocks.len(), 3);
    let short = PdfLimits {
        max_text_bytes: 60,
        ..PdfLimits::default()
    };
    assert!(read_pdf(&many, short).unwrap().len() < 120);

    let small = PdfLimits {
        max_unpacked_bytes: 1 << 18,
        ..PdfLimits::default()
    };
    let mut bomb = b"BT /F1 9 Tf (Boom.) Tj ET ".to_vec();
    bomb.resize(4 << 20, b' ');
    let bomb = pages(vec![compressed(&bomb), text_page("(A quiet page.) Tj")]);
    assert!(bomb.len() < 20_000);
    assert_eq!(
        texts(&read_pdf(&bomb, small).unwrap()),
        [("page=2", "A quiet page.")]
    );
}

#[test]
fn object_streams_share_the_unpacked_limit() {
    assert_eq!(
        unpacked_limit_per_stream(b"/Type /ObjStm ... /Type /Obj#53tm", 100),
        50
    );
    assert_eq!(unpacked_limit_per_stream(b"%PDF-1.7 # #4 #zz", 100), 100);
}

#[test]
fn time_is_limited() {
    let long = format!("({}) Tj ", "word ".repeat(200)).repeat(2_000);
    let bytes = pages((0..20).map(|_| text_page(&long)).collect());
    let limits = PdfLimits {
        max_time: Duration::ZERO,
        ..PdfLimits::default()
    };
    assert_eq!(read_pdf(&bytes, limits), Err(NO_TEXT));
}

#[test]
fn hostile_files_are_rejected_without_a_panic() {
    let nested = |open: &str, close: &str| {
        let deep = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        pages(vec![text_page(&format!("{deep} Tj"))])
    };
    let catalogue = b"<</Type /Catalog /Pages 2 0 R>>".to_vec();
    let cyclic = b"<</Type /Pages /Kids [2 0 R 2 0 R] /Count 2>>".to_vec();
    let itself = b"2 0 R".to_vec();
    let many_filters = format!("/Filter [{}]", "/FlateDecode ".repeat(10_000));
    let sound = pages(vec![text_page("(Sound.) Tj")]);
    let hostile: [Vec<u8>; 12] = [
        b"%PDF-".to_vec(),
        b"%PDF-1.7\ntrailer<</Root 1 0 R /Prev 0>>\nstartxref\n9\n%%EOF".to_vec(),
        nested("[", "]"),
        nested("(", ")"),
        nested("<</A ", ">>"),
        file(&[catalogue.clone(), cyclic]),
        file(&[catalogue.clone(), itself]),
        file(&[catalogue]),
        pages(vec![stream(&many_filters, b"x")]),
        pages(vec![stream("/Length 99999999999", b"BT ET")]),
        sound[..sound.len() / 3].to_vec(),
        std::iter::once(&b"%PDF-1.4\n"[..])
            .chain(std::iter::repeat_n(
                &b"1 0 obj<</A 1 0 R>>endobj\n"[..],
                40_000,
            ))
            .flatten()
            .copied()
            .collect(),
    ];
    for (bytes, at) in hostile.iter().zip(0..) {
        let answer = read_pdf(bytes, PdfLimits::default());
        assert!(
            matches!(answer, Err(FetchError::NoContent(_))),
            "{at}: {answer:?}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn damaged_file_is_read_or_rejected(at in 0usize..600, byte: u8, cut in 0usize..700) {
        let mut bytes = pages(vec![text_page("(Sound.) Tj"), compressed(b"BT /F1 9 Tf (Packed.) Tj ET")]);
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        let answer = read_pdf(&bytes, PdfLimits::default());
        proptest::prop_assert!(matches!(answer, Ok(_) | Err(FetchError::NoContent(_))));
    }
}
