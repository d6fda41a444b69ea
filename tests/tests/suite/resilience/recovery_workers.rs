//! Rows of the crash table: workers that die. With shorter leases than in a deployment, to keep the
//! suite quick; `make recovery` runs the same rows with the real leases.

use privachat_tests::binaries;
use privachat_tests::recovery::{Row, workers};

async fn assert_recovers(row: &Row) {
    row.assert_recovers(binaries!()).await;
}

#[tokio::test]
async fn a_search_is_completed_by_another_worker_when_its_worker_is_killed() {
    assert_recovers(&workers::KILLED).await;
}

#[tokio::test]
async fn a_worker_frozen_for_longer_than_its_lease_changes_nothing_afterwards() {
    assert_recovers(&workers::FROZEN).await;
}

#[tokio::test]
async fn a_search_that_kills_its_workers_fails_with_the_reason() {
    assert_recovers(&workers::POISON).await;
}

#[tokio::test]
async fn a_search_released_by_a_stopping_worker_starts_next() {
    assert_recovers(&workers::TERMINATED).await;
}

#[tokio::test]
async fn only_the_clock_of_redis_counts() {
    assert_recovers(&workers::CLOCK_OFF).await;
}
