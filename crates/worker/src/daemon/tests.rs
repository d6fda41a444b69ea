use super::*;
use crate::pipeline::{search::Providers, test_support::ScriptedPages};
use privachat_core::connection::Redis;

/// Runs a worker whose Redis does not answer, with this background task.
async fn run_with_task(
    name: &'static str,
    part: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite://{}", folder.path().join("history.db").display());
    let socket = folder.path().join("no.sock");
    let redis = Redis::open(&format!("redis+unix://{}", socket.display()))?;
    let settings = DaemonSettings {
        name: "worker".to_owned(),
        database_url: DatabaseUrl::parse(&database)?,
        retention: Retention::default(),
        slots: SlotLimits {
            total: 1,
            balanced: 1,
            deep: 1,
        },
        lease: Duration::from_secs(15),
        max_attempts: 3,
        drain: Duration::from_secs(1),
        cache: Cache::new(redis.clone()),
        cache_ttl: Duration::ZERO,
        callbacks: CallbackSettings::default(),
    };
    let context = Context::new(
        Providers::new(Vec::new()),
        Arc::new(ScriptedPages::default()),
    );
    let mut parts = TaskSet::default();
    parts.spawn(name, part);
    let stopped = CancellationToken::new();
    let look_after = Observability {
        metrics: Arc::default(),
        metrics_address: None,
    };
    run(
        settings,
        Jobs::new(redis),
        context,
        look_after,
        parts,
        stopped,
    )
    .await
}

#[tokio::test]
async fn a_worker_fails_when_a_background_task_panics() {
    let ended = run_with_task("the indexer", async { panic!("out of luck") }).await;
    let error = format!("{:#}", ended.unwrap_err());
    assert!(error.starts_with("the indexer died: "), "{error}");
    assert!(error.contains("out of luck"), "{error}");
}

#[tokio::test]
async fn a_worker_fails_when_a_background_task_ends() {
    let ended = run_with_task("the indexer", async {}).await;
    let error = format!("{:#}", ended.unwrap_err());
    assert_eq!(error, "the indexer ended by itself");
}
