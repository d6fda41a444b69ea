use super::*;

static SEEN: Metric = Metric::counter("seen_total", &["kind"], "Things that were seen");
static TOOK: Metric = Metric::histogram("took_seconds", &[], "How long it took");
static THERE: Metric = Metric::gauge("there", &[], "Things that are there");

#[test]
fn metrics_are_encoded_under_the_names_of_the_table() {
    let mut registry = Registry::default();
    let seen = registry.counters(&SEEN);
    let took = registry.histograms::<0>(&TOOK);
    seen.increment(["a \"b\""]);
    seen.init_zero(["c"]);
    took.observe([""; 0], std::time::Duration::from_millis(300));
    let mut moment = ScrapeGauges::default();
    moment.set(&THERE, 3.0);
    let text = registry.encode(&moment);
    for line in [
        "# TYPE seen counter",
        r#"seen_total{kind="a \"b\""} 1"#,
        r#"seen_total{kind="c"} 0"#,
        "# TYPE took_seconds histogram",
        "took_seconds_count 1",
        "took_seconds_sum 0.3",
        r#"took_seconds_bucket{le="0.25"} 0"#,
        r#"took_seconds_bucket{le="0.5"} 1"#,
        "there 3.0",
    ] {
        assert!(
            text.lines().any(|it| it == line),
            "{line} is missing in {text}"
        );
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn every_process_metric_is_encoded() {
    let mut moment = ScrapeGauges::default();
    ProcessMetrics::new("x").record(&mut moment);
    let text = Registry::default().encode(&moment);
    for metric in PROCESS_METRICS {
        assert!(
            text.contains(&format!("\n{}", metric.name)),
            "{} is missing in {text}",
            metric.name
        );
    }
}
