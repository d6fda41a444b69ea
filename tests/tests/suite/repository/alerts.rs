//! The dashboard and the alerts match docs/METRICS.md and docs/RUNBOOK.md.

use std::collections::{BTreeMap, BTreeSet};

use privachat_core::schema::error_code;
use privachat_tests::project_files;
use serde_json::Value;

/// Labels that Prometheus adds to each series.
const ITS_OWN: [&str; 3] = ["job", "instance", "le"];

/// A name in a query, and the text in braces after it.
struct Use {
    metric: String,
    labels: BTreeMap<String, String>,
}

/// The table of docs/METRICS.md: the labels of each name, whether it is a histogram, and its
/// meaning.
struct Page(BTreeMap<String, (Vec<String>, bool, String)>);

impl Page {
    fn read() -> Self {
        let text = project_files::file("docs/METRICS.md").text;
        let rows = text.lines().filter_map(|line| {
            let cells: Vec<&str> = line
                .strip_prefix("| `")?
                .split('|')
                .map(str::trim)
                .collect();
            let [name, kind, labels, meaning, ..] = cells.as_slice() else {
                return None;
            };
            let labels = labels.split('`').skip(1).step_by(2).map(String::from);
            let row = (
                labels.collect(),
                *kind == "histogram",
                (*meaning).to_owned(),
            );
            Some((name.trim_end_matches('`').to_owned(), row))
        });
        Self(rows.collect())
    }

    /// The row of a metric, also under the names that a histogram has in queries.
    fn find(&self, metric: &str) -> Option<&(Vec<String>, bool, String)> {
        let plain = self.0.get(metric).filter(|(_, histogram, _)| !histogram);
        plain.or_else(|| {
            let parts = ["_bucket", "_sum", "_count"];
            let name = parts.iter().find_map(|part| metric.strip_suffix(part))?;
            self.0.get(name).filter(|(_, histogram, _)| *histogram)
        })
    }
}

fn is_part_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_ours(name: &str) -> bool {
    name.starts_with("privachat_") || name.starts_with("process_")
}

/// `{a="b", c=~"d"}` as pairs.
fn matchers(braces: &str) -> BTreeMap<String, String> {
    let pairs = braces.split("\",").filter_map(|pair| pair.split_once('='));
    let value = |text: &str| text.trim_matches(['~', '"']).to_owned();
    pairs
        .map(|(label, text)| (label.trim().trim_end_matches('!').to_owned(), value(text)))
        .collect()
}

/// Every metric of the service in a query.
fn uses(query: &str) -> Vec<Use> {
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let (_, from) = rest.split_at(start);
        let end = from.find(|c| !is_part_of_a_name(c)).unwrap_or(from.len());
        let (name, behind) = from.split_at(end);
        rest = behind;
        let braces = behind
            .strip_prefix('{')
            .and_then(|text| text.split_once('}'));
        if let Some((inside, after)) = braces {
            rest = after;
            if is_ours(name) {
                let (metric, labels) = (name.to_owned(), matchers(inside));
                found.push(Use { metric, labels });
            }
        } else if is_ours(name) {
            let (metric, labels) = (name.to_owned(), BTreeMap::new());
            found.push(Use { metric, labels });
        }
    }
    found
}

/// The labels in `by (…)`.
fn grouped_by(query: &str) -> BTreeSet<String> {
    let lists = query
        .split("by (")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    lists
        .flat_map(|list| list.split(','))
        .map(|label| label.trim().to_owned())
        .collect()
}

/// The lines of each alert, by name.
fn alerts() -> BTreeMap<String, String> {
    let text = project_files::file("deploy/prometheus/alerts.yml").text;
    let alerts = text.split("- alert: ").skip(1);
    let named = alerts.filter_map(|alert| alert.split_once('\n'));
    named
        .map(|(name, lines)| (name.trim().to_owned(), lines.to_owned()))
        .collect()
}

fn expression(alert: &str) -> String {
    let (_, rest) = alert.split_once("expr:").expect("an expression");
    let lines = rest.lines();
    let own = lines.take_while(|line| {
        let line = line.trim_start();
        !line.starts_with("for:") && !line.starts_with("labels:")
    });
    own.collect::<Vec<_>>().join("\n")
}

/// Each query of the dashboard and the alerts, with its place.
fn queries() -> Vec<(String, String)> {
    let dashboard = project_files::file("deploy/grafana/dashboards/privachat.json").text;
    let dashboard: Value = serde_json::from_str(&dashboard).expect("the dashboard");
    let mut all = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().unwrap_or_default();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().expect("a query");
            all.push((format!("panel {title}"), query.to_owned()));
        }
    }
    let alerts = alerts()
        .into_iter()
        .map(|(name, text)| (name, expression(&text)));
    all.extend(alerts);
    let scaling = project_files::file("deploy/kubernetes/scaling.yaml").text;
    let scaling = scaling
        .lines()
        .filter_map(|line| line.trim().strip_prefix("query: "));
    all.extend(scaling.map(|query| ("the ScaledObject".to_owned(), query.to_owned())));
    all
}

#[test]
fn every_query_uses_existing_metrics_and_labels() {
    let page = Page::read();
    let mut used = BTreeSet::new();
    for (place, query) in queries() {
        let mut labels = BTreeSet::new();
        for Use {
            metric,
            labels: own,
        } in uses(&query)
        {
            let Some((known, ..)) = page.find(&metric) else {
                panic!("{place}: {metric} is not in docs/METRICS.md");
            };
            for label in own.keys() {
                let there = known.contains(label) || ITS_OWN.contains(&label.as_str());
                assert!(there, "{place}: {metric} has no label {label}");
            }
            labels.extend(known.iter().cloned());
            used.insert(metric);
        }
        for label in grouped_by(&query) {
            let there = labels.contains(&label)
                || ITS_OWN.contains(&label.as_str())
                || (label == "alertname" && query.contains("ALERTS"));
            assert!(there, "{place}: nothing in it has a label {label}");
        }
    }
    assert!(used.len() > 25, "{used:?}");
}

#[test]
fn every_metric_is_used_by_the_dashboard_or_an_alert() {
    let used: BTreeSet<String> = queries()
        .iter()
        .flat_map(|(_, query)| uses(query))
        .map(|found| found.metric)
        .collect();
    for (name, (_, histogram, _)) in Page::read().0 {
        let shown = match histogram {
            true => used.contains(&format!("{name}_bucket")),
            false => used.contains(&name),
        };
        assert!(shown, "{name} is nowhere to be seen");
    }
}

#[test]
fn every_label_value_in_a_query_exists() {
    let page = Page::read();
    let open = ["job", "instance", "upstream"];
    for (place, query) in queries() {
        for Use { metric, labels } in uses(&query) {
            let Some((.., meaning)) = page.find(&metric) else {
                continue;
            };
            let named = labels
                .iter()
                .filter(|(label, _)| !open.contains(&label.as_str()));
            for (label, values) in named {
                for value in values.split('|') {
                    let there = match label.as_str() {
                        "error" => error_code::find(value).is_some(),
                        "status" => value == "5..",
                        "mode" => ["speed", "balanced", "deep", "all"].contains(&value),
                        _ => meaning.contains(&format!("`{value}`")),
                    };
                    assert!(there, "{place}: {metric} has no {label} {value}");
                }
            }
        }
    }
}

#[test]
fn every_alert_has_an_explanation_and_a_section_in_the_runbook() {
    let runbook = project_files::file("docs/RUNBOOK.md").text;
    let sections: BTreeSet<String> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("### Privachat"))
        .map(|name| format!("Privachat{name}"))
        .collect();
    let alerts = alerts();
    let names: BTreeSet<String> = alerts.keys().cloned().collect();
    assert_eq!(names, sections);
    for (name, text) in alerts {
        let address = format!("runbook_url: docs/RUNBOOK.md#{}\n", name.to_lowercase());
        assert!(text.contains(&address), "{name}: {address}");
        for part in ["summary: ", "description: "] {
            assert!(text.contains(part), "{name}: no {part}");
        }
        let severe = ["severity: critical\n", "severity: warning\n"];
        assert!(severe.iter().any(|line| text.contains(line)), "{name}");
        let section = runbook
            .split(&format!("### {name}\n"))
            .nth(1)
            .unwrap_or_default();
        let section = section.split("\n#").next().unwrap_or_default();
        for part in ["\n- Look: ", "\n- Do: "] {
            assert!(
                section.contains(part),
                "the section of {name} has no {part:?}"
            );
        }
    }
}

#[test]
fn every_alert_has_a_test_in_which_it_fires() {
    let tests = project_files::file("deploy/prometheus/alerts_test.yml").text;
    for name in alerts().keys() {
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name}");
    }
}
