//! Checks Redis and the history.

use super::{Check, Finding};
use crate::upstream::ProbeError;
use privachat_core::{
    history::{self, DatabaseStatus, DatabaseUrl, HistoryError},
    jobs::{ConfigIssue, DamagedKey, Durability, Jobs, JobsError},
    settings::SharedSettings,
};

pub(super) fn checks(shared: &SharedSettings) -> Vec<Check<'_>> {
    let row = |name, setting, probe| Check {
        name,
        setting,
        provider: None,
        probe: Some(probe),
    };
    vec![
        row(
            "redis",
            "REDIS_URL",
            Box::pin(redis(Jobs::new(shared.redis.clone()))),
        ),
        row(
            "history",
            "DATABASE_URL",
            Box::pin(history(&shared.database_url)),
        ),
    ]
}

async fn redis(jobs: Jobs) -> Vec<Finding> {
    let set_up = match jobs.check_redis().await {
        Ok(set_up) => set_up,
        Err(error) => return vec![connection_failure(&error)],
    };
    let is_sound = !set_up.issues.iter().any(|fault| fault.is_serious);
    // The nodes of a Cluster that is down still report their configuration.
    if is_sound && let Err(error) = jobs.redis().ping().await {
        return vec![connection_failure(&error.into())];
    }
    let mut version = format!("version {}", set_up.versions.join(", "));
    if set_up.durability == Durability::Unknown {
        let remedy = Durability::Unknown.remedy();
        version += &format!("; does not tell how it keeps what it accepts: {remedy}");
    }
    let well = is_sound.then_some(Finding::Passed(version));
    let faults = set_up.issues.into_iter().map(issue_finding);
    let mut findings: Vec<Finding> = well.into_iter().chain(faults).collect();
    if is_sound {
        findings.extend(damages(&jobs).await);
    }
    findings
}

/// Damaged keys: their type or content is wrong. The service works without them.
async fn damages(jobs: &Jobs) -> Vec<Finding> {
    let doubtful = |problem: String, hint: Option<&str>| {
        Finding::Warning(ProbeError {
            problem,
            hint: hint.map(str::to_owned),
        })
    };
    let damages = match jobs.find_damaged_keys().await {
        Ok(damages) => damages,
        Err(error) => {
            return vec![doubtful(
                format!("its keys cannot be checked: {error}"),
                None,
            )];
        }
    };
    let named = damages.keys.into_iter().map(|DamagedKey { key, problem }| {
        let hint = "find out what else writes to this Redis; workers remove what they cannot use";
        doubtful(format!("{key} {problem}"), Some(hint))
    });
    let more = (damages.omitted > 0)
        .then(|| doubtful(format!("{} more keys are damaged", damages.omitted), None));
    named.chain(more).collect()
}

fn issue_finding(fault: ConfigIssue) -> Finding {
    let error = ProbeError {
        problem: fault.problem,
        hint: Some(fault.remedy),
    };
    if fault.is_serious {
        Finding::Failed(error)
    } else {
        Finding::Warning(error)
    }
}

fn connection_failure(error: &JobsError) -> Finding {
    if let Some(fault) = error.tls_fault() {
        return Finding::Failed(ProbeError {
            problem: error.to_string(),
            hint: Some(fault.remedy("REDIS_CA_FILE", "REDIS_URL")),
        });
    }
    let (problem, hint) = if error.is_auth_error() {
        (
            "Redis refuses the user or the password",
            "write both into REDIS_URL: redis://user:password@host:port/db",
        )
    } else {
        (
            "Redis does not answer",
            "start Redis, or set REDIS_URL to the one that runs",
        )
    };
    Finding::Failed(ProbeError {
        problem: problem.to_owned(),
        hint: Some(hint.to_owned()),
    })
}

async fn history(url: &DatabaseUrl) -> Vec<Finding> {
    let state = match history::inspect(url).await {
        Ok(DatabaseStatus::UpToDate) => "up to date".to_owned(),
        Ok(DatabaseStatus::Missing) => "will be created when a worker or the API starts".to_owned(),
        Ok(DatabaseStatus::PendingMigrations(steps)) => {
            format!("{steps} migrations will be run when a worker or the API starts")
        }
        Err(error) => {
            return vec![Finding::Failed(ProbeError {
                problem: error.to_string(),
                hint: hint(&error),
            })];
        }
    };
    vec![Finding::Passed(format!("{url}: {state}"))]
}

/// What to do, where the message does not say it.
fn hint(error: &HistoryError) -> Option<String> {
    let hint = match error {
        HistoryError::Migration(_) => {
            "allow the database user to create tables, and look for a session that holds locks"
        }
        HistoryError::Timeout(_) => "check that it runs and that DATABASE_URL is right",
        _ => return None,
    };
    Some(hint.to_owned())
}
