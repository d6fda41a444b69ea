//! Settings from the environment, read once at the start by a [`SettingsReader`] that reports all errors
//! together. [`SETTINGS`] is the table of all settings.

mod environment;
mod shared;
mod table;

pub use environment::Environment;
pub use shared::{MetricsAddress, SharedSettings};
pub use table::{SETTINGS, Setting, help};

use crate::tls::CaFile;
use std::{fmt, path::Path, str::FromStr};

/// The source of settings. A parameter, so that tests do not touch the process environment.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads settings and collects their errors.
pub struct SettingsReader<'a> {
    lookup: Lookup<'a>,
    errors: Vec<SettingError>,
}

/// The error of one setting. Never contains the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// The name of the setting.
    pub name: &'static str,
    /// The expected form, such as "must be …".
    pub message: String,
}

/// All errors of the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidSettings(pub Vec<SettingError>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these settings cannot be used:")?;
        for complaint in &self.0 {
            write!(f, "\n  {} {}", complaint.name, complaint.message)?;
        }
        Ok(())
    }
}

impl<'a> SettingsReader<'a> {
    /// Creates a reader of `lookup`.
    #[must_use]
    pub fn new(lookup: Lookup<'a>) -> Self {
        Self {
            lookup,
            errors: Vec::new(),
        }
    }

    /// The trimmed text of a setting; an empty one counts as not set.
    #[must_use]
    pub fn text(&self, name: &'static str) -> Option<String> {
        debug_assert!(
            table::is_known(name),
            "{name} is not in the table of settings"
        );
        (self.lookup)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// The parsed value of a setting, if it is set. `expected` completes the error "must be …".
    pub fn parse<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(_unreadable) => {
                self.add_error(name, format!("must be {expected}"));
                None
            }
        }
    }

    /// A number within `bounds`, or the default if it is not set or invalid.
    pub fn number(
        &mut self,
        name: &'static str,
        default: u64,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> u64 {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let Some(value) = self.parse::<u64>(name, &expected) else {
            return default;
        };
        if bounds.contains(&value) {
            return value;
        }
        self.add_error(name, format!("must be {expected}"));
        default
    }

    /// The entries of a comma-separated setting.
    #[must_use]
    pub fn list(&self, name: &'static str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// An http(s) address.
    pub fn http_url(&mut self, name: &'static str) -> Option<url::Url> {
        let expected = "an http:// or https:// address";
        let url = self.parse::<url::Url>(name, expected)?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() {
            return Some(url);
        }
        self.add_error(name, format!("must be {expected}"));
        None
    }

    /// The authorities in the file of a setting. The file is read at once; an unusable one is an
    /// error.
    pub fn ca_file(&mut self, name: &'static str) -> Option<CaFile> {
        let path = self.text(name)?;
        CaFile::read(Path::new(&path))
            .map_err(|error| self.add_error(name, error.to_string()))
            .ok()
    }

    /// Adds an error of a setting.
    pub fn add_error(&mut self, name: &'static str, problem: impl Into<String>) {
        self.errors.push(SettingError {
            name,
            message: problem.into(),
        });
    }

    /// Returns the settings if there are no errors.
    ///
    /// # Errors
    /// [`InvalidSettings`] with all errors.
    pub fn finish<T>(self, settings: T) -> Result<T, InvalidSettings> {
        if self.errors.is_empty() {
            return Ok(settings);
        }
        Err(InvalidSettings(self.errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "API_PORT" => Some("no number".into()),
            "MAX_QUEUE_LENGTH" => Some("0".into()),
            "SEARXNG_BASE_URL" => Some("ftp://secret.example".into()),
            "CORPUS_PATHS" => Some(" a, ,b ".into()),
            _ => None,
        }
    }

    #[test]
    fn all_errors_are_reported_by_name_and_without_the_value() {
        let mut reader = SettingsReader::new(&lookup);
        assert_eq!(reader.number("API_PORT", 8001, 0..=65535), 8001);
        assert_eq!(reader.number("MAX_QUEUE_LENGTH", 10, 1..=20), 10);
        assert_eq!(reader.http_url("SEARXNG_BASE_URL"), None);
        let error = reader.finish(()).unwrap_err().to_string();
        for name in ["API_PORT", "MAX_QUEUE_LENGTH", "SEARXNG_BASE_URL"] {
            assert!(error.contains(name), "{error}");
        }
        assert!(
            !error.contains("secret") && !error.contains("no number"),
            "{error}"
        );
    }

    #[test]
    fn list_entries_are_trimmed_and_empty_ones_dropped() {
        let reader = SettingsReader::new(&lookup);
        assert_eq!(reader.list("CORPUS_PATHS"), ["a", "b"]);
        assert!(reader.list("EXCLUDED_DOMAINS").is_empty());
    }
}
