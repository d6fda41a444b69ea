//! Rows of the crash table: a network that loses or delays messages.

use privachat_tests::binaries;
use privachat_tests::recovery::{Row, network};

async fn assert_recovers(row: &Row) {
    row.assert_recovers(binaries!()).await;
}

#[tokio::test]
async fn a_search_is_queued_again_when_its_worker_dies_between_pop_and_claim() {
    assert_recovers(&network::POP_LOST_AND_KILLED).await;
}

#[tokio::test]
async fn a_popped_queue_entry_that_is_lost_is_queued_again() {
    assert_recovers(&network::POP_LOST).await;
}

#[tokio::test]
async fn a_push_with_a_lost_reply_is_retried_at_once() {
    assert_recovers(&network::PUSH_REPLY_LOST).await;
}

#[tokio::test]
async fn a_claim_with_a_lost_reply_is_retried_at_once() {
    assert_recovers(&network::CLAIM_REPLY_LOST).await;
}

#[tokio::test]
async fn a_finish_with_a_lost_reply_is_retried_at_once() {
    assert_recovers(&network::FINISH_REPLY_LOST).await;
}

#[tokio::test]
async fn a_search_is_taken_over_when_its_worker_cannot_send() {
    assert_recovers(&network::CUT_OFF_UP).await;
}

#[tokio::test]
async fn a_search_is_taken_over_when_its_worker_cannot_receive() {
    assert_recovers(&network::CUT_OFF_DOWN).await;
}

#[tokio::test]
async fn a_slow_network_takes_no_search_from_its_worker() {
    assert_recovers(&network::SLOW).await;
}
