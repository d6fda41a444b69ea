//! Rows of the crash table: an API that dies while it accepts a search, and a lost cancel message.

use privachat_tests::binaries;
use privachat_tests::recovery::{Row, api};

async fn assert_recovers(row: &Row) {
    row.assert_recovers(binaries!()).await;
}

#[tokio::test]
async fn a_search_whose_api_died_before_the_record_is_accepted_once_with_the_same_key() {
    assert_recovers(&api::KILLED_BEFORE_THE_RECORD).await;
}

#[tokio::test]
async fn a_search_whose_api_died_between_record_and_hint_is_found() {
    assert_recovers(&api::KILLED_BEFORE_THE_HINT).await;
}

#[tokio::test]
async fn a_cancel_that_was_not_heard_is_seen_with_the_next_beat() {
    assert_recovers(&api::CANCEL_LOST).await;
}
