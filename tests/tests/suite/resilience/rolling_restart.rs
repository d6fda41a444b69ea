//! A rolling restart: each process in turn is stopped and replaced under load, and no user notices.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use privachat_tests::balancer::{Balancer, Unit};
use privachat_tests::fixtures::{count_completions, gather_results, wait_until_idle};
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::users::{Seen, Users};
use privachat_tests::{Api, PostgresServer, Stack, Upstream, binaries, eventually};
use tokio::sync::watch;

/// How long a stopping API waits for the balancer to notice. The shortest value: the balancer
/// probes ten times in it.
const DELAY: u64 = 1;
/// Seconds, for a worker's searches and for an API's requests in flight.
const DRAIN: u64 = 10;
const STOP_TIMEOUT: Duration = Duration::from_secs(DELAY + DRAIN);
const TIMEOUT: Duration = Duration::from_secs(20);
/// The engine holds back results for a search with this word.
const HELD: &str = "held";
/// Users that poll, that wait, that listen, that read the history, that watch the queue.
const LOAD: [usize; 5] = [5, 2, 2, 2, 2];

/// Two APIs behind a balancer, three workers, and their users.
struct Service {
    stack: Stack,
    second: Api,
    balancer: Balancer,
    users: Users,
    web: Upstream,
    released: watch::Sender<usize>,
    /// The longest time that a process took to stop.
    longest: Duration,
    _postgres: Arc<PostgresServer>,
}

impl Service {
    async fn start(unit: Unit, delay: u64) -> Self {
        let postgres = PostgresServer::shared().await;
        let released = watch::Sender::new(0);
        let web = web(released.subscribe());
        let stack = Stack::builder(binaries!())
            .workers(3)
            .with_searxng(&web)
            .env("DATABASE_URL", postgres.database())
            .env("DRAIN_SECONDS", DRAIN)
            .api_env("SHUTDOWN_DELAY_SECONDS", delay)
            .start()
            .await;
        let second = stack.start_api().await;
        let bases = [stack.client().base(), second.client().base()];
        let balancer = Balancer::start(unit, &bases).await;
        let mut users = Users::new(&balancer.url());
        users.start(LOAD);
        let service = Self {
            stack,
            second,
            balancer,
            users,
            web,
            released,
            longest: Duration::ZERO,
            _postgres: postgres,
        };
        service.wait_for_completions(20).await;
        service
    }

    /// Waits until this many more searches complete.
    async fn wait_for_completions(&self, count: usize) {
        let before = self.users.seen().completed;
        eventually("more searches are completed", TIMEOUT, async || {
            (self.users.seen().completed >= before + count).then_some(())
        })
        .await;
    }

    /// A search that has a listener and runs until [`release`](Self::release).
    async fn start_held_search(&mut self) {
        self.users.ask(HELD);
        let asks = || {
            let requests = self.web.requests();
            requests.iter().filter(|it| is_held(it)).count()
        };
        let before = *self.released.borrow();
        eventually("the held search runs", TIMEOUT, async || {
            (asks() > before).then_some(())
        })
        .await;
    }

    fn release(&self) {
        self.released.send_modify(|count| *count += 1);
    }

    async fn restart_apis(&mut self) {
        for number in [0, 1] {
            let api = self.api(number);
            let port = api.client().base().rsplit(':').next().unwrap().to_owned();
            let start = Instant::now();
            assert_eq!(api.process().stop(STOP_TIMEOUT).await, 0);
            self.longest = self.longest.max(start.elapsed());
            self.replace(number, &port).await;
        }
    }

    async fn kill_apis(&mut self) {
        for number in [0, 1] {
            let api = self.api(number);
            let port = api.client().base().rsplit(':').next().unwrap().to_owned();
            api.process().kill();
            self.replace(number, &port).await;
        }
    }

    fn api(&mut self, number: usize) -> &mut Api {
        match number {
            0 => &mut self.stack.api,
            _ => &mut self.second,
        }
    }

    /// Starts a new one at the same address.
    async fn replace(&mut self, number: usize, port: &str) {
        let new = self.stack.start_api_with(&[("API_PORT", port)]).await;
        *self.api(number) = new;
        self.balancer.wait_until_all_ready().await;
        self.wait_for_completions(5).await;
    }

    async fn restart_workers(&mut self) {
        for _ in 0..self.stack.workers.len() {
            let mut oldest = self.stack.workers.remove(0);
            let start = Instant::now();
            assert_eq!(oldest.process().stop(STOP_TIMEOUT).await, 0);
            self.longest = self.longest.max(start.elapsed());
            self.stack.add_worker();
            self.wait_for_completions(5).await;
        }
    }

    /// Stops the users; checks that none of their searches was lost and returns what they saw.
    async fn stop_and_verify(self) -> Seen {
        let seen = self.users.stop().await;
        wait_until_idle(&self.stack).await;
        let distinct: BTreeSet<&String> = seen.accepted.iter().collect();
        assert_eq!(distinct.len(), seen.accepted.len());
        let mut redis = self.stack.redis.connection().await;
        for id in &seen.accepted {
            let now = self.stack.client().status(id).await.expect(200);
            assert_eq!(now["status"], "completed", "{now}");
            assert_eq!(count_completions(&mut redis, id).await, 1, "{id}");
            let path = format!("/api/v1/sessions/{id}");
            let kept = self.stack.client().get(&path).await.expect(200);
            assert_eq!(kept["status"], "completed", "{kept}");
        }
        seen
    }
}

fn is_held(request: &Request) -> bool {
    request
        .parameter("q")
        .is_some_and(|query| query.contains(HELD))
}

/// A SearXNG that returns results after 50 to 300 ms.
fn web(released: watch::Receiver<usize>) -> Upstream {
    let calls = AtomicUsize::new(0);
    let held = AtomicUsize::new(0);
    Upstream::start(move |request: &Request| {
        if is_held(request) {
            let place = held.fetch_add(1, Ordering::SeqCst);
            // Each request has its own thread.
            while released.has_changed().is_ok() && *released.borrow() <= place {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let place = calls.fetch_add(1, Ordering::SeqCst) % 6;
        let delay = Duration::from_millis(50 + 50 * u64::try_from(place).unwrap());
        let body = searxng::body(
            request.parameter("q").unwrap_or_default(),
            &gather_results(),
        );
        Reply::json(200, body.to_string()).late(delay)
    })
}

async fn roll(unit: Unit, rounds: usize) {
    let mut service = Service::start(unit, DELAY).await;
    let began = Instant::now();
    for _ in 0..rounds {
        service.start_held_search().await;
        service.restart_apis().await;
        service.release();
        service.restart_workers().await;
    }
    let longest = service.longest;
    let took = began.elapsed();
    let seen = service.stop_and_verify().await;
    eprintln!(
        "{rounds} × (2 APIs, 3 workers) restarted behind a balancer of each {unit:?} in {took:.1?}: \
         {} requests, {} failed; {} searches accepted, {} completed; {} + {} streams went on elsewhere; \
         the slowest stop took {longest:.1?}",
        seen.requests,
        seen.failures.len(),
        seen.accepted.len(),
        seen.completed,
        seen.resumed,
        seen.reopened,
    );
    assert!(seen.failures.is_empty(), "{:#?}", seen.failures);
    assert_eq!(seen.completed, seen.accepted.len());
    // One stream stayed open during each round.
    assert!(seen.resumed >= rounds, "streams were ended and resumed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_behind_a_balancer_of_requests_fails_no_request_and_loses_no_search() {
    roll(Unit::Request, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_behind_a_balancer_of_connections_fails_no_request_and_loses_no_search() {
    roll(Unit::Connection, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_apis_are_noticed_by_the_users() {
    let mut service = Service::start(Unit::Request, DELAY).await;
    service.kill_apis().await;
    let seen = service.stop_and_verify().await;
    assert!(!seen.failures.is_empty(), "{} requests", seen.requests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apis_that_stop_before_the_balancer_has_noticed_are_noticed_by_the_users() {
    let mut service = Service::start(Unit::Connection, 0).await;
    service.restart_apis().await;
    let seen = service.stop_and_verify().await;
    assert!(!seen.failures.is_empty(), "{} requests", seen.requests);
}
