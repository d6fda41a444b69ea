//! Observes a service as its operators do: metrics and probes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixtures::gather_results;
use crate::upstream::{Reply, Request, searxng};
use crate::{Binaries, Client, Stack, Upstream, eventually};

const TIMEOUT: Duration = Duration::from_secs(20);

/// One scrape: each sample by its name and labels as written.
pub struct Scrape {
    pub types: BTreeMap<String, String>,
    pub samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with("# EOF\n"), "{text}");
        let mut scrape = Self {
            types: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        for line in text.lines() {
            if let Some(described) = line.strip_prefix("# TYPE ") {
                let (name, kind) = described.split_once(' ').unwrap();
                let suffix = if kind == "counter" { "_total" } else { "" };
                let twice = scrape
                    .types
                    .insert(format!("{name}{suffix}"), kind.to_owned());
                assert_eq!(twice, None, "{name} is there twice");
            } else if !line.starts_with('#') {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let twice = scrape
                    .samples
                    .insert(sample.to_owned(), value.parse().unwrap());
                assert_eq!(twice, None, "{sample} is there twice");
            }
        }
        scrape
    }

    pub fn get(&self, sample: &str) -> f64 {
        let value = self.samples.get(sample);
        *value.unwrap_or_else(|| panic!("no {sample} among {:#?}", self.samples))
    }

    /// The sum of all samples with this name that have all of these labels.
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let of_name = self.samples.iter().filter(|(sample, _)| {
            sample.split('{').next() == Some(name)
                && labels.iter().all(|label| sample.contains(label))
        });
        of_name.map(|(_, value)| value).sum()
    }
}

/// The current metrics.
pub async fn scrape(client: &Client) -> Scrape {
    let answer = client.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    Scrape::read(&answer.text)
}

/// A client for the address in a file, once the file exists.
pub async fn address(file: &Path) -> Client {
    let what = format!("an address in {}", file.display());
    eventually(&what, TIMEOUT, async || {
        let address = std::fs::read_to_string(file).ok()?;
        (!address.is_empty()).then(|| Client::new(&format!("http://{address}")))
    })
    .await
}

/// A client for the metrics port of the stack's worker, once it is ready.
pub async fn worker_port(stack: &Stack) -> Client {
    let port = address(&stack.folder().join("worker.metrics")).await;
    eventually("the worker is ready", TIMEOUT, async || {
        (port.status_of("/readyz").await == Some(200)).then_some(())
    })
    .await;
    port
}

/// A SearXNG that returns nothing for "nothing", hangs for "hang", and otherwise returns a result.
pub fn web() -> Upstream {
    Upstream::start(|request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        let results = match query {
            query if query.contains("hang") => return Reply::hang(),
            query if query.contains("nothing") => Vec::new(),
            _ => gather_results(),
        };
        Reply::json(200, searxng::body(query, &results).to_string())
    })
}

/// A stack whose two binaries have a metrics port.
pub async fn watched(binaries: Binaries, web: &Upstream) -> Stack {
    Stack::builder(binaries)
        .with_searxng(web)
        .env("METRICS_PORT", 0)
        .api_env("METRICS_ADDR_FILE", "api.metrics")
        .worker_env("METRICS_ADDR_FILE", "worker.metrics")
        .start()
        .await
}

/// A quick search that does not use the cache.
pub fn speed(query: &str) -> Value {
    json!({"query": query, "mode": "speed", "cache": false})
}
