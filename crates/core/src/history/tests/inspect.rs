//! `inspect`, on both databases.

use super::postgres_server::shared;
use super::test_database::TestDatabase;
use crate::history::{DatabaseStatus, DatabaseUrl, HistoryError, inspect};

#[tokio::test]
async fn inspecting_does_not_create_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/history.db");
    let url = DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap();
    assert_eq!(inspect(&url).await.unwrap(), DatabaseStatus::Missing);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_unwritable_path_is_reported_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    for place in [file.join("history.db"), file, folder.path().to_owned()] {
        let url = DatabaseUrl::parse(&format!("sqlite://{}", place.display())).unwrap();
        let error = inspect(&url).await.unwrap_err();
        assert!(matches!(error, HistoryError::File { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(place.to_str().unwrap()), "{message}");
    }
}

#[tokio::test]
async fn pending_migrations_are_counted_and_not_run() {
    for place in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        drop(place.open().await);
        assert_eq!(inspect(&place.url).await.unwrap(), DatabaseStatus::UpToDate);
        place.revert().await;
        for _ in 0..2 {
            let standing = inspect(&place.url).await.unwrap();
            assert!(
                matches!(standing, DatabaseStatus::PendingMigrations(1..)),
                "{standing:?}"
            );
        }
    }
}

#[tokio::test]
async fn inspecting_an_empty_postgres_creates_nothing() {
    let url = DatabaseUrl::parse(&shared().database().await).unwrap();
    for _ in 0..2 {
        let standing = inspect(&url).await.unwrap();
        assert!(
            matches!(standing, DatabaseStatus::PendingMigrations(1..)),
            "{standing:?}"
        );
    }
}

#[tokio::test]
async fn an_unreachable_server_is_reported_without_its_address() {
    let url = DatabaseUrl::parse("postgres://u:hunter2@127.0.0.1:1/d").unwrap();
    let error = inspect(&url).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("DATABASE_URL"), "{message}");
    assert!(
        !message.contains("127.0.0.1") && !message.contains("hunter2"),
        "{message}"
    );
}
