//! `check-config`: what is configured, what answers, and what to set where it does not. Everything
//! is asked side by side, nothing is changed.

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

/// How long everything together may take: what answers later than this is of no use to a search in
/// speed mode.
const PATIENCE: Duration = Duration::from_secs(15);

type Probe<'a> = BoxFuture<'a, Vec<Finding>>;

pub(super) async fn run(
    settings: &PipelineSettings,
    shared: &SharedSettings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    // Apart from the rest: an index that cannot be opened is a finding, too.
    let without_corpus = PipelineSettings {
        corpus: None,
        ..settings.clone()
    };
    let wiring = wiring::context(&without_corpus)?;
    let deadline = Deadline::after(PATIENCE);
    let mut rows = vec![dotenv::row(dotenv::unused())];
    rows.extend(stores::rows(shared));
    // A little less, so that what is late can say so itself.
    let theirs = deadline.keep(Duration::from_millis(200));
    rows.extend(upstreams::rows(&wiring, settings, theirs));
    let checked = join_all(rows.into_iter().map(async |row| {
        let findings = match row.probe {
            Some(probe) => deadline.cut(probe).await.unwrap_or_else(too_slow),
            None => vec![Finding::Off(row.setting)],
        };
        (row.name, row.provider, findings)
    }));
    let checked = checked.await;
    let providers = checked
        .iter()
        .filter(|(_, provider, _)| provider.is_some())
        .flat_map(|(_, _, findings)| findings)
        .filter(|finding| matches!(finding, Finding::Well(_)))
        .count();
    let mut broken = 0;
    for (name, provider, findings) in checked {
        for finding in findings {
            let finding = match finding {
                // Nobody chose it, and another one answers.
                Finding::Broken(error) if provider == Some(Provider::Unasked) && providers > 0 => {
                    Finding::Doubtful(error)
                }
                finding => finding,
            };
            broken += usize::from(matches!(finding, Finding::Broken(_)));
            finding.show(name, out)?;
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

struct Row<'a> {
    name: &'static str,
    /// What turns it on.
    setting: &'static str,
    /// How it came to be one of the search providers, if it is one.
    provider: Option<Provider>,
    /// `None` when it is not configured.
    probe: Option<Probe<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    /// A setting turned it on.
    Configured,
    /// It is on when no setting says otherwise.
    Unasked,
}

/// One line of the report.
enum Finding {
    /// Not configured; what to set.
    Off(&'static str),
    Well(String),
    /// It works, and yet there is something to mend.
    Doubtful(ProbeError),
    Broken(ProbeError),
}

impl Finding {
    fn show(&self, name: &str, out: &mut dyn Write) -> std::io::Result<()> {
        let (sign, error) = match self {
            Self::Off(setting) => return writeln!(out, "off   {name:<11} set {setting}"),
            Self::Well(detail) => return writeln!(out, "ok    {name:<11} {detail}"),
            Self::Doubtful(error) => ("warn", error),
            Self::Broken(error) => ("FAIL", error),
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
        result.map_or_else(Self::Broken, Self::Well)
    }
}

fn too_slow() -> Vec<Finding> {
    vec![Finding::Broken(ProbeError {
        problem: format!("no answer within {} s", PATIENCE.as_secs()),
        hint: Some("check that its address is right and that the service is running".to_owned()),
    })]
}
