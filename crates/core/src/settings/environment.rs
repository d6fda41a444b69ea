//! The environment of the process, and the files that it names.

use super::{Complaint, InvalidSettings, SETTINGS};
use std::{collections::HashMap, fs};

/// The settings that the process was started with. A secret need not stand in the environment:
/// `NAME_FILE` names a file whose trimmed content is the value of `NAME`, as the images of databases
/// do it for the secrets of containers.
pub struct Environment(HashMap<&'static str, String>);

impl Environment {
    /// Reads the environment of the process, once. Values that are not UTF-8 count as not set.
    ///
    /// # Errors
    /// When a file cannot be read, or a setting is given in both ways.
    pub fn of_process() -> Result<Self, InvalidSettings> {
        Self::read(&|name| std::env::var(name).ok())
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut values = HashMap::new();
        let mut complaints = Vec::new();
        for setting in SETTINGS {
            let name = setting.name;
            match value(name, variable) {
                Ok(value) => values.extend(value.map(|value| (name, value))),
                Err(problem) => complaints.push(Complaint { name, problem }),
            }
        }
        if complaints.is_empty() {
            return Ok(Self(values));
        }
        Err(InvalidSettings(complaints))
    }

    /// The value of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

fn value(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, String> {
    let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let Some(file) = given(&format!("{name}_FILE")) else {
        return Ok(variable(name));
    };
    if given(name).is_some() {
        return Err(format!("must not be set together with {name}_FILE"));
    }
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("cannot be read from the file that {name}_FILE names: {error}"))?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Environment, InvalidSettings> {
        Environment::read(&|name| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_value_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, "alice:0123456789abcdef\n").unwrap();
        let pairs = [("API_KEYS_FILE", file.to_str().unwrap()), ("API_PORT", "1")];
        let environment = read(&pairs).unwrap();
        let reader = |name: &str| environment.get(name);
        let keys = super::super::Reader::new(&reader).text("API_KEYS");
        assert_eq!(keys.as_deref(), Some("alice:0123456789abcdef"));
        assert_eq!(environment.get("API_PORT").as_deref(), Some("1"));
        assert_eq!(environment.get("API_HOST"), None);
    }

    #[test]
    fn a_file_that_is_not_there_and_a_value_given_twice_are_complaints_without_the_value() {
        let pairs = [
            ("DATABASE_URL_FILE", "/nowhere/secret"),
            ("API_KEYS", "secret"),
            ("API_KEYS_FILE", "/nowhere/secret"),
        ];
        let complaint = read(&pairs).err().unwrap().to_string();
        assert!(
            complaint.contains("DATABASE_URL cannot be read"),
            "{complaint}"
        );
        assert!(complaint.contains("API_KEYS must not be"), "{complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}
