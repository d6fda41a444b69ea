//! What only a file can get wrong.

use super::suite::{assert_same, session};
use crate::history::{DatabaseUrl, HistoryError, Retention, open};
use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::mpsc};
use tokio::{runtime::Builder, task::spawn_blocking};

fn url(path: &Path) -> DatabaseUrl {
    DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap()
}

async fn fault(path: &Path) -> HistoryError {
    open(&url(path))
        .await
        .err()
        .expect("the file cannot be used")
}

#[tokio::test]
async fn a_missing_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/history.db");
    open(&url(&path)).await.unwrap();
    assert!(path.exists());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let places = [
        file.join("history.db"),
        folder.path().to_owned(),
        Path::new("/proc/history/history.db").to_owned(),
    ];
    for place in places {
        let error = fault(&place).await;
        assert!(matches!(error, HistoryError::File { .. }), "{error:?}");
        assert!(!error.is_transient());
        assert!(
            error.to_string().contains(place.to_str().unwrap()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a database, ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    assert!(!fault(&path).await.is_transient());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_writer_that_holds_the_file_is_waited_for_and_then_transient() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = open(&url(&path)).await.unwrap();
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let session = session();
    assert!(history.save(&session).await.unwrap_err().is_transient());
    assert!(
        history.get(session.id).await.unwrap().is_none(),
        "readers never wait"
    );

    other.batch_execute("ROLLBACK").unwrap();
    history.save(&session).await.unwrap();
}

#[tokio::test]
async fn a_row_that_cannot_be_read_names_its_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = open(&url(&path)).await.unwrap();
    let session = session();
    history.save(&session).await.unwrap();
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("UPDATE sessions SET result = '{'")
        .execute(&mut other)
        .unwrap();

    let error = history.get(session.id).await.unwrap_err();
    assert!(
        matches!(
            error,
            HistoryError::Corrupt {
                column: "result",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_schema_of_a_newer_binary_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    open(&url(&path)).await.unwrap();
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other
        .batch_execute(
            "ALTER TABLE sessions ADD COLUMN added_later TEXT;
             INSERT INTO __diesel_schema_migrations (version) VALUES ('9999');",
        )
        .unwrap();

    let history = open(&url(&path)).await.unwrap();
    let session = session();
    history.save(&session).await.unwrap();
    assert_same(history.get(session.id).await.unwrap().as_ref(), &session);
}

/// What hangs is a name server or a disk, say. The clients' history must not wait for it.
#[test]
fn work_that_hangs_on_the_runtimes_threads_does_not_hold_up_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let history = open(&url(&folder.path().join("history.db"))).await.unwrap();
        let (release, wait) = mpsc::channel::<()>();
        let hanging = spawn_blocking(move || wait.recv().is_ok());
        let session = session();
        history.save(&session).await.unwrap();
        assert_same(history.get(session.id).await.unwrap().as_ref(), &session);
        drop(release);
        assert!(!hanging.await.unwrap(), "it hung until now");
    });
}

/// The statement of `listing`: newest first, one owner's or one status's, from a key on.
#[tokio::test]
async fn pages_are_read_from_an_index_without_sorting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    open(&url(&path)).await.unwrap();
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    for (filter, index) in [
        ("TRUE", "sessions_by_time"),
        ("owner = 'a'", "sessions_by_owner"),
        ("status = 'failed'", "sessions_by_status"),
        ("owner = 'a' AND mode = 'deep'", "sessions_by_owner"),
    ] {
        let plan = diesel::sql_query(format!(
            "EXPLAIN QUERY PLAN SELECT sessions.id, excerpt FROM sessions
             LEFT OUTER JOIN session_summaries ON session_summaries.id = sessions.id
             AND session_summaries.created_at = sessions.created_at
             WHERE {filter} AND sessions.created_at <= 5
             AND (sessions.created_at < 5 OR sessions.id < 'x')
             ORDER BY sessions.created_at DESC, sessions.id DESC LIMIT 20"
        ))
        .load::<PlanStep>(&mut other)
        .unwrap();
        let [walk, summary] = plan.as_slice() else {
            panic!("another number of steps for {filter}: {plan:?}");
        };
        assert!(walk.detail.contains(index), "{filter}: {}", walk.detail);
        assert!(walk.detail.contains("created_at<"), "{}", walk.detail);
        assert!(summary.detail.contains("(id=?)"), "{}", summary.detail);
    }
}

#[derive(Debug, diesel::QueryableByName)]
struct PlanStep {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

/// How often a text stands in the files of the history, whatever their names.
fn occurrences(folder: &Path, text: &str) -> usize {
    let files = fs::read_dir(folder).unwrap().flatten();
    let bytes = files.map(|file| fs::read(file.path()).unwrap());
    bytes
        .map(|bytes| {
            let places = bytes.windows(text.len());
            places.filter(|part| *part == text.as_bytes()).count()
        })
        .sum()
}

#[tokio::test]
async fn what_was_deleted_is_in_none_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = open(&url(&path)).await.unwrap();
    let kept = session();
    history.save(&kept).await.unwrap();
    // In one page with others, and over many pages; one deleted alone, one for its age.
    for (word, length, age) in [
        ("quetzal", 1, 0),
        ("axolotl", 4_000, 0),
        ("okapi", 1, 9_999),
    ] {
        let mut deleted = session();
        deleted.id = uuid::Uuid::new_v4();
        deleted.query = format!("what is a {word}");
        deleted.created_at -= chrono::TimeDelta::days(age);
        let answer = format!("A {word} is an animal. ").repeat(length);
        let result = serde_json::json!({ "answer": answer });
        deleted.result = Some(serde_json::value::to_raw_value(&result).unwrap());
        history.save(&deleted).await.unwrap();
        assert!(occurrences(folder.path(), word) > 2, "{word}");
        if age == 0 {
            assert!(history.delete(deleted.id).await.unwrap());
        } else {
            let keep = Retention {
                days: 5000,
                most: 0,
            };
            assert_eq!(history.prune(keep, chrono::Utc::now()).await.unwrap(), 1);
            assert!(history.scrub().await.unwrap(), "nobody reads");
        }
        assert_eq!(occurrences(folder.path(), word), 0, "{word}");
    }
    assert_same(history.get(kept.id).await.unwrap().as_ref(), &kept);
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let modes = || {
        let files = ["history.db", "history.db-wal", "history.db-shm"];
        files.map(|file| {
            let found = fs::metadata(folder.path().join(file)).unwrap();
            found.permissions().mode() & 0o777
        })
    };
    let history = open(&url(&path)).await.unwrap();
    history.save(&session()).await.unwrap();
    assert_eq!(modes(), [0o600; 3]);

    // Those of an older version, with what a group was given.
    for file in ["history.db", "history.db-wal", "history.db-shm"] {
        fs::set_permissions(folder.path().join(file), fs::Permissions::from_mode(0o664)).unwrap();
    }
    let again = open(&url(&path)).await.unwrap();
    again.ping().await.unwrap();
    assert_eq!(modes(), [0o660; 3]);
}
