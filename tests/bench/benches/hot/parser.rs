//! The cost of parsing pages in a separate process: the same pages are parsed in this process and
//! in one of the worker's.

use criterion::{Criterion, Throughput};
use privachat_bench::documents;
use privachat_worker::parser::{Format, Origin, ParseJob, ParserPool};
use privachat_worker::pipeline::{Deadline, Document};
use privachat_worker::web::charset;
use privachat_worker::web::extract::{self, TextLimits};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;
use url::Url;

/// Pages joined into one, to get sizes that are common on the web.
const SIZES: [usize; 3] = [1, 4, 16];

pub(crate) fn parser(criterion: &mut Criterion) {
    let Some(worker) = worker() else {
        eprintln!("no privachat-worker beside this program: the parser is left out");
        return;
    };
    let runtime = Runtime::new().expect("a runtime");
    let pool = ParserPool::with_program(worker);
    let mut group = criterion.benchmark_group("parser");
    for size in SIZES {
        let page: String = (0..size).map(documents::page).collect();
        let job = job(page);
        group.throughput(Throughput::Bytes(job.bytes.len() as u64));
        let kilobytes = job.bytes.len() / 1000;
        group.bench_function(format!("{kilobytes} KB, in this process"), |bencher| {
            bencher.iter(|| here(black_box(&job)));
        });
        group.bench_function(format!("{kilobytes} KB, in a process apart"), |bencher| {
            bencher.iter(|| {
                let deadline = Deadline::after(Duration::from_secs(60));
                let parsed = runtime.block_on(pool.parse(job.clone(), deadline));
                parsed.expect("a page")
            });
        });
    }
    group.finish();
}

fn worker() -> Option<PathBuf> {
    let this = std::env::current_exe().expect("the path of this program");
    let worker = this.with_file_name("../privachat-worker");
    worker.exists().then_some(worker)
}

fn job(page: String) -> ParseJob {
    ParseJob {
        format: Format::Html,
        content_type: None,
        origin: Origin::Page {
            url: Url::parse("http://a.example/").expect("an address"),
            was_redirected: false,
        },
        bytes: page.into_bytes(),
    }
}

fn here(job: &ParseJob) -> Document {
    let text = charset::decode(&job.bytes, None);
    let base = Url::parse("http://a.example/").expect("an address");
    let (document, _canonical) = extract::page(&text, Some(&base));
    extract::readable(document, TextLimits::PAGE)
}
