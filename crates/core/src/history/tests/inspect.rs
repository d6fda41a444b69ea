//! What can be said of a history before it is opened.

use super::place::Place;
use super::postgres_server::shared;
use crate::history::{DatabaseUrl, HistoryError, Standing, inspect};

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/history.db");
    let url = DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap();
    assert_eq!(inspect(&url).await.unwrap(), Standing::ToBeMade);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    for place in [file.join("history.db"), file, folder.path().to_owned()] {
        let url = DatabaseUrl::parse(&format!("sqlite://{}", place.display())).unwrap();
        let error = inspect(&url).await.unwrap_err();
        assert!(matches!(error, HistoryError::File { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.contains(place.to_str().unwrap()), "{told}");
    }
}

#[tokio::test]
async fn an_old_schema_is_counted_and_left_alone() {
    for place in [Place::sqlite().await, Place::postgres().await] {
        drop(place.open().await);
        assert_eq!(inspect(&place.url).await.unwrap(), Standing::UpToDate);
        place.revert().await;
        for _ in 0..2 {
            let standing = inspect(&place.url).await.unwrap();
            assert!(
                matches!(standing, Standing::ToBeMigrated(1..)),
                "{standing:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_postgres_stays_empty() {
    let url = DatabaseUrl::parse(&shared().database().await).unwrap();
    for _ in 0..2 {
        let standing = inspect(&url).await.unwrap();
        assert!(
            matches!(standing, Standing::ToBeMigrated(1..)),
            "{standing:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told_without_its_address() {
    let url = DatabaseUrl::parse("postgres://u:hunter2@127.0.0.1:1/d").unwrap();
    let error = inspect(&url).await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("DATABASE_URL"), "{told}");
    assert!(
        !told.contains("127.0.0.1") && !told.contains("hunter2"),
        "{told}"
    );
}
