//! Finds settings of `.env` that have no effect. docker-compose.yml sets the addresses between the
//! services itself, and passes the values of `.env` under prefixed names for this check.

use super::{Check, Finding};
use crate::upstream::ProbeError;
use privachat_core::settings::SETTINGS;

/// The prefix that docker-compose.yml adds to the name of a setting.
const PREFIX: &str = "DOTENV_";

pub(super) fn check(unused: Vec<String>) -> Check<'static> {
    let findings = async move { findings(&unused) };
    Check {
        name: "settings",
        setting: "",
        provider: None,
        probe: Some(Box::pin(findings)),
    }
}

/// The settings whose value in `.env` is not the effective one.
pub(super) fn unused_settings() -> Vec<String> {
    unused_in(&|name| std::env::var(name).ok())
}

fn unused_in(variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let names = SETTINGS.iter().map(|setting| setting.name);
    names
        .flat_map(|name| [name.to_owned(), format!("{name}_FILE")])
        .filter(|name| {
            let said = variable(&format!("{PREFIX}{name}"));
            said.is_some_and(|said| {
                !said.trim().is_empty() && variable(name).as_deref() != Some(said.as_str())
            })
        })
        .collect()
}

fn findings(unused: &[String]) -> Vec<Finding> {
    if unused.is_empty() {
        return vec![Finding::Passed("all settings of .env are used".to_owned())];
    }
    let doubts = unused.iter().map(|name| ProbeError {
        problem: format!("{name} in .env is not used: docker-compose.yml sets it"),
        hint: Some(remedy(name).to_owned()),
    });
    doubts.map(Finding::Warning).collect()
}

/// What to set under compose instead.
fn remedy(name: &str) -> &'static str {
    match name {
        "API_HOST" => "set API_BIND to the address where the port is published",
        "CORPUS_PATHS" => "set CORPUS to the folder of documents to mount",
        "ALLOWED_HOSTS_FILE" => "set ALLOWED_HOSTS itself; it is no secret",
        "API_TRUSTED_PROXIES_FILE" => "set API_TRUSTED_PROXIES itself; it is no secret",
        _ => "remove it, or set it in a docker-compose.override.yml for api and worker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unused_setting_is_named_and_its_value_is_never_printed() {
        let variable = |name: &str| {
            let value = match name {
                "REDIS_URL" => "redis://redis:6379/0",
                "DOTENV_REDIS_URL" => "redis://:secret@elsewhere:6379/0",
                "DOTENV_DATABASE_URL_FILE" => "/run/secrets/secret",
                // The same value, an empty value, and not a setting.
                "DRAIN_SECONDS" | "DOTENV_DRAIN_SECONDS" => "70",
                "DOTENV_API_HOST" => " ",
                "DOTENV_PATH" => "secret",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let unused = unused_in(&variable);
        assert_eq!(unused, ["REDIS_URL", "DATABASE_URL_FILE"]);
        let mut shown = Vec::new();
        for finding in findings(&unused) {
            finding.print("settings", &mut shown).unwrap();
        }
        let shown = String::from_utf8(shown).unwrap();
        assert!(
            shown.contains("warn  settings    REDIS_URL in .env is not used"),
            "{shown}"
        );
        assert!(
            !shown.contains("secret") && !shown.contains("elsewhere"),
            "{shown}"
        );
    }
}
