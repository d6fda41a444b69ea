//! Rows of the crash table: an API that dies while it accepts a search, and a lost cancel message.

use privachat_tests::binaries;
use privachat_tests::recovery::{Row, api};

async fn assert_recovers(row: &Row) {
    row.assert_recovers(binaries!()).await;
}

#[tokio::test]
async fn a_search_is_accepted_once_when_its_api_dies_before_writing_the_record() {
    assert_recovers(&api::KILLED_BEFORE_THE_RECORD).await;
}

#[tokio::test]
async fn a_search_is_recovered_when_its_api_dies_before_queueing_it() {
    assert_recovers(&api::KILLED_BEFORE_QUEUEING).await;
}

#[tokio::test]
async fn a_lost_cancel_message_is_noticed_at_the_next_heartbeat() {
    assert_recovers(&api::CANCEL_LOST).await;
}
