//! The highest request rate of a server, measured by wrk: it is small, part of the distribution,
//! and the cheapest of the load generators, which matters since it shares two cores with the
//! server. [`crate::pace`] sends at a fixed rate, which wrk cannot.

use std::process::Command;
use std::time::Duration;
use tempfile::NamedTempFile;

const CONNECTIONS: usize = 64;
/// Before the first measured second.
const WARM_UP: Duration = Duration::from_secs(1);

/// The request that is repeated.
#[derive(Debug, Clone)]
pub(crate) struct RepeatedRequest {
    /// `http://host:port/path`.
    pub(crate) url: String,
    /// The JSON of a POST; None for a GET.
    pub(crate) body: Option<String>,
}

/// Answers per second. Panics when one of them is not a success.
pub(crate) async fn rate(request: &RepeatedRequest, span: Duration) -> f64 {
    run(request.clone(), WARM_UP).await;
    run(request.clone(), span).await
}

async fn run(request: RepeatedRequest, span: Duration) -> f64 {
    let measured = tokio::task::spawn_blocking(move || wrk(&request, span));
    measured.await.expect("the load generator")
}

fn wrk(request: &RepeatedRequest, span: Duration) -> f64 {
    let script = NamedTempFile::with_suffix(".lua").expect("a file for wrk");
    std::fs::write(script.path(), lua(request.body.as_deref())).expect("wrk's script");
    // wrk accepts whole seconds only.
    let seconds = span.as_secs().max(1);
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", &CONNECTIONS.to_string()])
        .args(["-d", &format!("{seconds}s"), "--timeout", "10s", "-s"])
        .arg(script.path())
        .arg(&request.url)
        .output()
        .expect("wrk runs (apt-get install wrk)");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = printed
        .lines()
        .find_map(|line| line.strip_prefix("figures "))
        .unwrap_or_else(|| panic!("wrk printed: {printed}"))
        .split_whitespace()
        .map(|number| number.parse().expect("a number of wrk's"))
        .collect();
    let [answers, micros, errors] = figures[..] else {
        panic!("three figures, not {figures:?}");
    };
    assert_eq!(errors, 0.0, "requests to {} failed: {printed}", request.url);
    answers / (micros / 1e6)
}

fn lua(body: Option<&str>) -> String {
    let request = body.map_or_else(String::new, |body| {
        format!(
            "wrk.method = \"POST\"\nwrk.body = [[{body}]]\n\
             wrk.headers[\"content-type\"] = \"application/json\"\n"
        )
    });
    request
        + "done = function(summary)\n\
             local e = summary.errors\n\
             local failed = e.connect + e.read + e.write + e.status + e.timeout\n\
             io.write(string.format(\"figures %d %d %d\\n\", summary.requests, summary.duration, failed))\n\
           end\n"
}
