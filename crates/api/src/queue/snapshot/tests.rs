use super::*;
use privachat_core::jobs::{QueueStats, Record};
use uuid::Uuid;

const NOW: Duration = Duration::from_secs(1_700_000_000);

fn overview(later: Duration) -> Overview {
    Overview {
        now: NOW + later,
        queues: vec![QueueStats {
            mode: Mode::Deep,
            depth: 1,
            oldest_age: Some(Duration::from_secs(3) + later),
        }],
        workers: vec![WorkerInfo {
            name: "one".to_owned(),
            since_heartbeat: Duration::from_secs(1) + later,
            description: "not JSON".to_owned(),
        }],
    }
}

fn board() -> JobListing {
    let record = br#"{"status":"failed","result":null,"error":"nothing found","error_code":"no_sources","query":"a secret","mode":"deep","attempt":1,"version":1}"#;
    JobListing {
        live: vec![LiveJob {
            id: Uuid::nil(),
            mode: Mode::Deep,
            is_running: false,
            enqueued_at: NOW - Duration::from_secs(3),
        }],
        failures: vec![FailedJob {
            id: Uuid::nil(),
            failed_at: NOW,
            record: Record::from(record.to_vec()),
        }],
    }
}

fn snapshot_after(later: Duration) -> Snapshot {
    build_snapshot(&overview(later), &board())
}

#[test]
fn a_snapshot_changes_with_everything_but_ages() {
    let second = Duration::from_secs(1);
    assert!(snapshot_after(Duration::ZERO).equals_except_ages(&snapshot_after(second)));
    let mut heard = overview(second);
    heard.workers[0].since_heartbeat = Duration::ZERO;
    assert!(!snapshot_after(Duration::ZERO).equals_except_ages(&build_snapshot(&heard, &board())));
    let mut started = board();
    started.live[0].is_running = true;
    assert!(
        !snapshot_after(Duration::ZERO)
            .equals_except_ages(&build_snapshot(&overview(second), &started))
    );
}

#[test]
fn ages_are_relative_to_the_clock_of_redis() {
    let body = snapshot_after(Duration::from_secs(2)).into_body();
    assert!((body.searches[0].age_seconds - 5.0).abs() < 1e-6);
    assert_eq!(body.searches[0].status, Status::Pending);
}

#[test]
fn a_failure_shows_its_reason_and_not_the_question() {
    let text = serde_json::to_string(snapshot_after(Duration::ZERO).body()).unwrap();
    assert!(
        text.contains("nothing found") && text.contains("no_sources"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}
