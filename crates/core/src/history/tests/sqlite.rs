//! Tests of SQLite alone.

use super::suite::{assert_same, session};
use crate::history::{DatabaseUrl, HistoryError, Retention, open};
use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::mpsc};
use tokio::{runtime::Builder, task::spawn_blocking};

fn url(path: &Path) -> DatabaseUrl {
    DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap()
}

async fn open_error(path: &Path) -> HistoryError {
    open(&url(path))
        .await
        .err()
        .expect("the file cannot be used")
}

#[tokio::test]
async fn a_missing_folder_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/history.db");
    open(&url(&path)).await.unwrap();
    assert!(path.exists());
}

#[tokio::test]
async fn opening_an_unwritable_path_reports_it_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let places = [
        file.join("history.db"),
        folder.path().to_owned(),
        Path::new("/proc/history/history.db").to_owned(),
    ];
    for place in places {
        let error = open_error(&place).await;
        assert!(matches!(error, HistoryError::File { .. }), "{error:?}");
        assert!(!error.is_transient());
        assert!(
            error.to_string().contains(place.to_str().unwrap()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a database, ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    assert!(!open_error(&path).await.is_transient());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_locked_file_is_awaited_and_then_a_transient_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = open(&url(&path)).await.unwrap();
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let session = session();
    assert!(history.save(&session).await.unwrap_err().is_transient());
    assert!(
        history.get(session.id).await.unwrap().is_none(),
        "readers do not wait"
    );

    other.batch_execute("ROLLBACK").unwrap();
    history.save(&session).await.unwrap();
}

#[tokio::test]
async fn an_unreadable_row_is_reported_with_its_column() {
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
async fn a_schema_of_a_newer_binary_is_usable() {
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

/// A name server or a disk may hang, for example. The history must not wait for it.
#[test]
fn blocked_runtime_threads_do_not_delay_the_history() {
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
        assert!(!hanging.await.unwrap(), "the blocked work ends only now");
    });
}

/// The statement of `listing`: newest first, by owner or status, from a cursor on.
#[tokio::test]
async fn list_pages_are_read_from_an_index_without_sorting() {
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

/// How often a text occurs in all files of the folder.
fn occurrences(folder: &Path, text: &str) -> usize {
    let files = fs::read_dir(folder).unwrap().flatten();
    let bytes = files.map(|file| fs::read(file.path()).unwrap());
    bytes
        .map(|bytes| {
            let windows = bytes.windows(text.len());
            windows.filter(|part| *part == text.as_bytes()).count()
        })
        .sum()
}

#[tokio::test]
async fn deleted_text_is_in_none_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = open(&url(&path)).await.unwrap();
    let kept = session();
    history.save(&kept).await.unwrap();
    // A short one that shares a page, one over many pages, and one deleted for its age.
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
                max_sessions: 0,
            };
            assert_eq!(history.prune(keep, chrono::Utc::now()).await.unwrap(), 1);
            assert!(history.scrub().await.unwrap(), "no reader");
        }
        assert_eq!(occurrences(folder.path(), word), 0, "{word}");
    }
    assert_same(history.get(kept.id).await.unwrap().as_ref(), &kept);
}

#[tokio::test]
async fn the_files_are_not_accessible_to_others() {
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

    // Files of an older version, with access for a group.
    for file in ["history.db", "history.db-wal", "history.db-shm"] {
        fs::set_permissions(folder.path().join(file), fs::Permissions::from_mode(0o664)).unwrap();
    }
    let again = open(&url(&path)).await.unwrap();
    again.ping().await.unwrap();
    assert_eq!(modes(), [0o660; 3]);
}
