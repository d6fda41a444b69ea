//! Rows of the crash table: a network that loses or delays messages.

use privachat_tests::binaries;
use privachat_tests::recovery::{Row, network};

async fn assert_recovers(row: &Row) {
    row.assert_recovers(binaries!()).await;
}

#[tokio::test]
async fn a_search_whose_worker_is_killed_between_pop_and_claim_is_found_again() {
    assert_recovers(&network::POP_LOST_AND_KILLED).await;
}

#[tokio::test]
async fn a_hint_that_was_popped_and_lost_on_its_way_is_found_again() {
    assert_recovers(&network::POP_LOST).await;
}

#[tokio::test]
async fn a_push_whose_reply_was_lost_is_sent_again_at_once() {
    assert_recovers(&network::PUSH_REPLY_LOST).await;
}

#[tokio::test]
async fn a_claim_whose_reply_was_lost_is_asked_for_again_at_once() {
    assert_recovers(&network::CLAIM_REPLY_LOST).await;
}

#[tokio::test]
async fn a_finish_whose_reply_was_lost_is_handed_in_again_at_once() {
    assert_recovers(&network::FINISH_REPLY_LOST).await;
}

#[tokio::test]
async fn a_search_is_taken_over_when_nothing_of_its_worker_arrives() {
    assert_recovers(&network::CUT_OFF_UP).await;
}

#[tokio::test]
async fn a_search_is_taken_over_when_nothing_reaches_its_worker() {
    assert_recovers(&network::CUT_OFF_DOWN).await;
}

#[tokio::test]
async fn a_slow_network_takes_no_search_from_its_worker() {
    assert_recovers(&network::SLOW).await;
}
