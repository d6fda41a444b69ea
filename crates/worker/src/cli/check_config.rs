//! `check-config`: checks everything that is configured, and says what to set where it does not
//! work. The checks run concurrently and change nothing.

mod dotenv;
mod stores;
mod upstreams;

use crate::{
    pipeline::Deadline,
    upstream::ProbeError,
    wiring::{self, PipelineSettings},
};
use futures_util::future::{BoxFuture, join_all};
use privachat_core::settings::SharedSettings;
use std::{io::Write, process::ExitCode, time::Duration};

/// Timeout of all checks together: a later answer is useless to a search in speed mode.
const CHECK_TIMEOUT: Duration = Duration::from_secs(15);

type Probe<'a> = BoxFuture<'a, Vec<Finding>>;

pub(super) async fn run(
    settings: &PipelineSettings,
    shared: &SharedSettings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    // The corpus is opened by its own check, so that a failure is a finding and not an error.
    let without_corpus = PipelineSettings {
        corpus: None,
        ..settings.clone()
    };
    let wiring = wiring::build(&without_corpus)?;
    let deadline = Deadline::after(CHECK_TIMEOUT);
    let mut rows = vec![dotenv::check(dotenv::unused_settings())];
    rows.extend(stores::checks(shared));
    // Slightly earlier, so that a slow upstream can report its own timeout.
    let theirs = deadline.earlier_by(Duration::from_millis(200));
    rows.extend(upstreams::checks(&wiring, settings, theirs));
    let checked = join_all(rows.into_iter().map(async |row| {
        let findings = match row.probe {
            Some(probe) => deadline.limit(probe).await.unwrap_or_else(timed_out),
            None => vec![Finding::Off(row.setting)],
        };
        (row.name, row.provider, findings)
    }));
    let checked = checked.await;
    let providers = checked
        .iter()
        .filter(|(_, provider, _)| provider.is_some())
        .flat_map(|(_, _, findings)| findings)
        .filter(|finding| matches!(finding, Finding::Passed(_)))
        .count();
    let mut broken = 0;
    for (name, provider, findings) in checked {
        for finding in findings {
            let finding = match finding {
                // It is on by default only, and another provider works.
                Finding::Failed(error)
                    if provider == Some(ProviderOrigin::Default) && providers > 0 =>
                {
                    Finding::Warning(error)
                }
                finding => finding,
            };
            broken += usize::from(matches!(finding, Finding::Failed(_)));
            finding.print(name, out)?;
        }
    }
    if providers == 0 {
        writeln!(
            out,
            "\nNo search provider works: every question would fail."
        )?;
    }
    let all_well = broken == 0 && providers > 0;
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Check<'a> {
    name: &'static str,
    /// The settings that turn it on.
    setting: &'static str,
    /// Set when it is a search provider.
    provider: Option<ProviderOrigin>,
    /// `None` when it is not configured.
    probe: Option<Probe<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProviderOrigin {
    /// A setting turned it on.
    Configured,
    /// It is on by default.
    Default,
}

/// One line of the report.
enum Finding {
    /// Not configured; contains the settings that turn it on.
    Off(&'static str),
    Passed(String),
    /// It works, but something should be fixed.
    Warning(ProbeError),
    Failed(ProbeError),
}

impl Finding {
    fn print(&self, name: &str, out: &mut dyn Write) -> std::io::Result<()> {
        let (sign, error) = match self {
            Self::Off(setting) => return writeln!(out, "off   {name:<11} set {setting}"),
            Self::Passed(detail) => return writeln!(out, "ok    {name:<11} {detail}"),
            Self::Warning(error) => ("warn", error),
            Self::Failed(error) => ("FAIL", error),
        };
        writeln!(out, "{sign}  {name:<11} {}", error.problem)?;
        match &error.hint {
            Some(hint) => writeln!(out, "      {:<11} {hint}", ""),
            None => Ok(()),
        }
    }
}

impl From<Result<String, ProbeError>> for Finding {
    fn from(result: Result<String, ProbeError>) -> Self {
        result.map_or_else(Self::Failed, Self::Passed)
    }
}

fn timed_out() -> Vec<Finding> {
    vec![Finding::Failed(ProbeError {
        problem: format!("no answer within {} s", CHECK_TIMEOUT.as_secs()),
        hint: Some("check that its address is right and that the service is running".to_owned()),
    })]
}
