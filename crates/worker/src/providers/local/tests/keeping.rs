//! How the index follows the files, restarts, other workers and damage.

use super::*;

#[tokio::test]
async fn changed_new_and_deleted_files_are_taken_in() {
    let folder = Corpus::new(&[
        ("a.txt", "Apples are red."),
        ("b.txt", "Bananas are yellow."),
    ]);
    let corpus = folder.built();
    assert_eq!(corpus.status().read, 2);
    folder.write("a.txt", "Avocados are green now.");
    folder.write("c.txt", "Cherries are dark.");
    fs::remove_file(folder.path("b.txt")).unwrap();
    assert!(refresh(&corpus));
    assert_eq!(corpus.status().read, 4);
    assert!(hits(&corpus, "apples").await.is_empty());
    assert!(hits(&corpus, "bananas").await.is_empty());
    assert!(ends_with(&first(&corpus, "avocados").await, "/a.txt"));
    assert!(ends_with(&first(&corpus, "cherries").await, "/c.txt"));
}

#[tokio::test]
async fn after_a_restart_only_changed_files_are_read() {
    let folder = Corpus::new(&[
        ("a.txt", "Apples are red."),
        ("b.txt", "Bananas are yellow."),
    ]);
    drop(folder.built());
    let again = folder.open();
    assert!(again.status().ready);
    assert!(ends_with(&first(&again, "apples").await, "/a.txt"));
    folder.write("b.txt", "Blueberries are blue.");
    assert!(refresh(&again));
    assert_eq!(again.status().read, 1);
    assert!(ends_with(&first(&again, "blueberries").await, "/b.txt"));
}

#[tokio::test]
async fn two_workers_share_one_index() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let (one, two) = (folder.open(), folder.open());
    let store = one.store();
    let writer: tantivy::IndexWriter = store.index.writer_with_num_threads(1, 15_000_000).unwrap();
    assert!(!refresh(&two), "the other one writes");
    assert!(two.status().building);
    drop(writer);
    assert!(refresh(&two), "the writer is gone: take over");
    assert!(refresh(&one));
    assert_eq!((one.status().read, two.status().read), (0, 1));
    assert!(one.status().ready);
    assert!(ends_with(&first(&one, "apples").await, "/a.txt"));
}

#[tokio::test]
async fn a_broken_index_is_built_anew() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let built = folder.built();
    let place = built.folder.clone();
    drop(built);
    for entry in fs::read_dir(&place).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "store")
        {
            fs::write(&path, "nonsense").unwrap();
        }
    }
    let again = folder.open();
    assert!(!again.status().ready);
    assert!(refresh(&again));
    assert!(ends_with(&first(&again, "apples").await, "/a.txt"));

    fs::write(place.join("meta.json"), "{").unwrap();
    let third = folder.open();
    assert!(refresh(&third));
    assert_eq!(third.status().indexed, 1);
}

#[tokio::test]
async fn an_index_that_breaks_under_a_running_worker_is_built_anew() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let corpus = folder.built();
    fs::write(corpus.folder.join("meta.json"), "{").unwrap();
    assert!(corpus.refresh(&CancellationToken::new()).is_err());
    assert!(refresh(&corpus));
    assert!(ends_with(&first(&corpus, "apples").await, "/a.txt"));
}

#[tokio::test]
async fn binaries_and_files_in_other_encodings_do_no_harm() {
    let folder = Corpus::new(&[]);
    folder.write("binary.txt", b"apples\0\x01\x02");
    folder.write(
        "latin.txt",
        b"Un caf\xe9 noir pour les pommes, s'il vous pla\xeet.",
    );
    folder.write("empty.html", "");
    folder.write(
        "odd.html",
        "<<<html><p><div></p></span>Pears & <b>plums</b>",
    );
    let corpus = folder.built();
    assert_eq!(corpus.status().indexed, 4);
    assert!(hits(&corpus, "apples").await.is_empty());
    assert!(ends_with(&first(&corpus, "café").await, "/latin.txt"));
    assert!(ends_with(&first(&corpus, "plums").await, "/odd.html"));
}

#[tokio::test]
async fn a_missing_folder_costs_only_itself_and_may_come_later() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let later = folder.index.path().join("later");
    let corpus = LocalCorpus::open(
        CorpusSettings {
            paths: vec![later.clone(), folder.path("a.txt")],
            ..folder.settings()
        },
        ParserPool::default(),
    )
    .unwrap();
    assert!(refresh(&corpus));
    assert!(ends_with(&first(&corpus, "apples").await, "/a.txt"));
    fs::create_dir(&later).unwrap();
    fs::write(later.join("b.md"), "Bananas are yellow.").unwrap();
    assert!(refresh(&corpus));
    assert!(ends_with(&first(&corpus, "bananas").await, "/b.md"));
}

#[tokio::test]
async fn an_empty_folder_is_ready_and_finds_nothing() {
    let folder = Corpus::new(&[]);
    let corpus = folder.built();
    assert!(corpus.status().ready);
    assert_eq!(found(&corpus, "apples").await, ProviderResponse::default());
}

#[test]
fn a_place_that_cannot_hold_an_index_is_refused_with_the_remedy() {
    let folder = Corpus::new(&[("file", "not a folder")]);
    let settings = CorpusSettings {
        index_dir: folder.path("file"),
        ..folder.settings()
    };
    let Err(error) = LocalCorpus::open(settings, ParserPool::default()) else {
        panic!("it must be refused");
    };
    assert!(error.to_string().contains("DATA_DIR"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_unreadable_file_costs_only_itself_and_is_not_tried_for_ever() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Corpus::new(&[
        ("a.txt", "Apples are red."),
        ("b.txt", "Bananas are yellow."),
    ]);
    let secret = folder.path("b.txt");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&secret).is_ok() {
        return; // root reads everything
    }
    let corpus = folder.built();
    let status = corpus.status();
    assert_eq!(
        (status.unreadable, status.ready, status.sections),
        (1, true, 1)
    );
    assert!(refresh(&corpus));
    assert_eq!(corpus.status().read, 2);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refresh(&corpus));
    assert!(ends_with(&first(&corpus, "bananas").await, "/b.txt"));
}

#[tokio::test]
async fn a_search_before_the_first_build_says_so() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let corpus = folder.open();
    let budget = SEARCH_RESERVE + Duration::from_millis(50);
    let found = within(&corpus, "apples", budget).await;
    assert!(found.hits.is_empty());
    assert_eq!(
        found.notices,
        ["the corpus is still being indexed: 0 of 0 files"]
    );
}

#[tokio::test]
async fn a_search_waits_for_the_first_build() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let corpus = folder.open();
    let stop = CancellationToken::new();
    let keeper = tokio::spawn(Arc::clone(&corpus).keep_fresh(stop.clone()));
    assert!(ends_with(&first(&corpus, "apples").await, "/a.txt"));
    stop.cancel();
    keeper.await.unwrap();
}

#[tokio::test]
async fn a_stopped_build_is_taken_up_again() {
    let folder = Corpus::new(&[
        ("a.txt", "Apples are red."),
        ("b.txt", "Bananas are yellow."),
    ]);
    let corpus = folder.open();
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(!corpus.refresh(&stop).unwrap());
    assert!(!corpus.status().ready);
    assert!(refresh(&corpus));
    assert_eq!(corpus.status().indexed, 2);
}

#[tokio::test]
async fn an_index_of_another_version_is_built_anew() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let place = folder.open().folder.clone();
    fs::remove_dir_all(&place).unwrap();
    fs::create_dir_all(&place).unwrap();
    let mut fields = tantivy::schema::Schema::builder();
    fields.add_text_field("body", tantivy::schema::TEXT);
    tantivy::Index::create_in_dir(&place, fields.build()).unwrap();
    let corpus = folder.open();
    assert!(!corpus.status().ready);
    assert!(refresh(&corpus));
    assert!(ends_with(&first(&corpus, "apples").await, "/a.txt"));
}

#[test]
fn other_corpora_have_other_indexes() {
    let place = |paths: &[&str]| {
        let roots: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        store::folder(Path::new("/index"), &roots)
    };
    assert_ne!(place(&["/a"]), place(&["/b"]));
    assert_eq!(place(&["/a", "/b"]), place(&["/b", "/a"]));
}

#[test]
fn a_broken_index_is_left_alone_while_another_worker_writes_to_it() {
    let folder = Corpus::new(&[("a.txt", "Apples are red.")]);
    let corpus = folder.built();
    let store = corpus.store();
    let writer: tantivy::IndexWriter = store.index.writer_with_num_threads(1, 15_000_000).unwrap();
    let meta = corpus.folder.join("meta.json");
    let intact = fs::read(&meta).unwrap();
    fs::write(&meta, "{").unwrap();
    assert!(LocalCorpus::open(folder.settings(), ParserPool::default()).is_err());
    fs::write(&meta, intact).unwrap();
    assert!(folder.open().status().ready);
    drop(writer);
}
