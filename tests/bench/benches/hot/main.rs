//! The code that every poll, submission and search runs through:
//! `cargo bench -p privachat-bench --bench hot`.
//!
//! The fan-out of events is part of the API's crate and is measured over HTTP, with the binary
//! beside this one (`scripts/bench.sh` builds it).

mod fan_out;
mod parser;

use chrono::Utc;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use fan_out::fan_out;
use parser::parser;
use privachat_bench::documents;
use privachat_bench::record::response;
use privachat_core::connection::Redis;
use privachat_core::jobs::{ClaimResult, Jobs, QueueEntry, Record};
use privachat_core::mode::Mode;
use privachat_core::schema::SourceType;
use privachat_core::schema::record::StoredRecord;
use privachat_core::schema::validate::{parse_body, search_request};
use privachat_tests::fixtures::job;
use privachat_tests::redis::{Options, RedisServer};
use privachat_worker::pipeline::rank::{RankOptions, rank_by_words};
use privachat_worker::pipeline::search::canonical_url::canonical_url;
use privachat_worker::pipeline::{Candidate, plan};
use privachat_worker::web::extract;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(60);
/// Pages that are ranked.
const PAGES: usize = 10;

fn records(criterion: &mut Criterion) {
    let response = response(Uuid::nil());
    let result = serde_json::to_string(&response).expect("a response");
    let stored = format!(r#"{{"status":"completed","result":{result},"error":null,"version":1}}"#);
    criterion.bench_function("record, 20 KB: encode", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&response)).expect("bytes"));
    });
    criterion.bench_function("record, 20 KB: result for a poll", |bencher| {
        let bytes = || stored.clone().into_bytes();
        bencher.iter_batched(
            bytes,
            |bytes| Record::from(bytes).result().expect("a result"),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("record, 20 KB: parse for the history", |bencher| {
        bencher.iter(|| {
            let record = StoredRecord::parse(black_box(stored.as_bytes())).expect("a record");
            record
                .to_session(Uuid::nil(), Utc::now())
                .expect("a session")
        });
    });
    let body =
        br#"{"query": "What is a mutex?", "mode": "speed", "max_sources": 10, "async_mode": true}"#;
    criterion.bench_function("request: parse and validate", |bencher| {
        bencher.iter(|| {
            let body = parse_body(black_box(body)).expect("JSON");
            search_request(&body).expect("a request")
        });
    });
}

/// One call after the other, on a Redis beside this process.
fn scripts(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let options = Options {
        aof: true,
        tcp: true,
        ..Options::default()
    };
    let server = runtime.block_on(RedisServer::with(options));
    let jobs = Jobs::new(Redis::open(&server.url()).expect("an address"));
    criterion.bench_function("Redis: submit, a round trip", |bencher| {
        bencher.iter(|| {
            runtime
                .block_on(jobs.enqueue(&job(Uuid::new_v4())))
                .expect("a job")
        });
    });
    let mode = Mode::Speed;
    criterion.bench_function("Redis: claim, a round trip", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(claims(&jobs, mode, count)));
    });
}

async fn claims(jobs: &Jobs, mode: Mode, count: u64) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..count {
        let id = Uuid::new_v4();
        jobs.enqueue(&job(id)).await.expect("a job");
        let began = Instant::now();
        let claim = jobs.claim(QueueEntry { id, mode }, "bench", LEASE).await;
        took += began.elapsed();
        let Ok(ClaimResult::Started { lease, .. }) = claim else {
            panic!("{claim:?}");
        };
        jobs.finish(&lease, Ok(b"{}")).await.expect("the end");
        jobs.mark_done(id, mode).await.expect("the end of the end");
    }
    took
}

fn pages(criterion: &mut Criterion) {
    let page = documents::page(7);
    let name = format!("HTML, {} KB: extract", page.len() / 1000);
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| extract::html(black_box(&page), None));
    });
    let address = "HTTP://www.Example.com:80/a/../b/?utm_source=x&q=two%20words&b=2&a=1#part";
    criterion.bench_function("canonical URL", |bencher| {
        bencher.iter(|| canonical_url(black_box(address)));
    });
    let asked = documents::Words::new(7).question();
    let plan = plan::plan_by_rules(&asked, Mode::Balanced, Utc::now());
    let found: Vec<Candidate> = (0..PAGES).map(|number| candidate(number, &asked)).collect();
    let options = RankOptions {
        limit: PAGES,
        rerank: true,
        diversity: true,
        recency: false,
        query_aware: false,
        now: Utc::now(),
    };
    criterion.bench_function("BM25 and the rest of ranking, 10 pages", |bencher| {
        bencher.iter_batched(
            || found.clone(),
            |found| rank_by_words(black_box(&plan), found, &options),
            BatchSize::SmallInput,
        );
    });
}

fn candidate(number: usize, asked: &str) -> Candidate {
    let document = extract::html(&documents::page(number), None);
    Candidate {
        url: format!("https://site{number}.example/page"),
        title: asked.to_owned(),
        snippet: asked.to_owned(),
        providers: vec!["searxng"],
        fusion_score: 1.0 / (60 + number) as f64,
        found_by_queries: vec![0],
        published: None,
        source_type: SourceType::Web,
        document: Some(Arc::new(document)),
    }
}

criterion_group! {
    name = hot;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    targets = records, scripts, pages, parser, fan_out
}
criterion_main!(hot);
