//! [`Environment`]: the settings in the environment of the process, and in the files of
//! `NAME_FILE`.

use super::{InvalidSettings, SETTINGS, SettingError};
use std::{
    collections::HashMap,
    fs,
    io::{self, Read},
    path::Path,
};

/// The settings of the process. `NAME_FILE` names a file whose trimmed content is the value of
/// `NAME`, so that secrets stay out of the environment, as in the container images of databases. An
/// empty file is an error: an API_KEYS that got lost on the way would open the service to everyone.
pub struct Environment(HashMap<&'static str, String>);

impl Environment {
    /// Reads the environment of the process. Values that are not UTF-8 count as not set.
    ///
    /// # Errors
    /// When a file cannot be read or is empty, or both `NAME` and `NAME_FILE` are set.
    pub fn from_process() -> Result<Self, InvalidSettings> {
        Self::read(&|name| std::env::var(name).ok())
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut values = HashMap::new();
        let mut complaints = Vec::new();
        for setting in SETTINGS {
            let name = setting.name;
            match read_value(name, variable) {
                Ok(value) => values.extend(value.map(|value| (name, value))),
                Err(problem) => complaints.push(SettingError {
                    name,
                    message: problem,
                }),
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

fn read_value(
    name: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, String> {
    let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let Some(file) = given(&format!("{name}_FILE")) else {
        return Ok(variable(name));
    };
    if given(name).is_some() {
        return Err(format!("must not be set together with {name}_FILE"));
    }
    let text = read_file(Path::new(&file))
        .map_err(|why| format!("cannot be read from the file that {name}_FILE names: {why}"))?;
    Ok(Some(text))
}

/// Far above the size of keys and addresses.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

fn read_file(file: &Path) -> Result<String, String> {
    let describe = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "{error}; let user {} read it and access the folders above it",
            rustix::process::geteuid().as_raw()
        ),
        _ => error.to_string(),
    };
    let opened = fs::File::open(file).map_err(describe)?;
    let mut text = String::new();
    let length = opened
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(describe)?;
    if length as u64 > MAX_FILE_BYTES {
        return Err("it is larger than 1 MiB".to_owned());
    }
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text)
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
    fn a_value_is_read_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, "alice:0123456789abcdef\n").unwrap();
        let pairs = [("API_KEYS_FILE", file.to_str().unwrap()), ("API_PORT", "1")];
        let environment = read(&pairs).unwrap();
        let reader = |name: &str| environment.get(name);
        let keys = super::super::SettingsReader::new(&reader).text("API_KEYS");
        assert_eq!(keys.as_deref(), Some("alice:0123456789abcdef"));
        assert_eq!(environment.get("API_PORT").as_deref(), Some("1"));
        assert_eq!(environment.get("API_HOST"), None);
    }

    #[test]
    fn an_empty_or_unreadable_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, blank) = (folder.path().join("empty"), folder.path().join("blank"));
        fs::write(&empty, "").unwrap();
        fs::write(&blank, " \n\t\n").unwrap();
        let huge = folder.path().join("huge");
        fs::write(&huge, vec![b'a'; MAX_FILE_BYTES as usize + 1]).unwrap();
        for (file, why) in [
            (empty.as_path(), "it is empty"),
            (&blank, "it is empty"),
            (&huge, "larger than 1 MiB"),
            (folder.path(), "directory"),
        ] {
            let error = read(&[("API_KEYS_FILE", file.to_str().unwrap())]).err();
            let error = error.expect("an error").to_string();
            assert!(error.contains("API_KEYS cannot be read"), "{error}");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_missing_file_and_a_value_set_twice_are_errors_without_the_value() {
        let pairs = [
            ("DATABASE_URL_FILE", "/nowhere/secret"),
            ("API_KEYS", "secret"),
            ("API_KEYS_FILE", "/nowhere/secret"),
        ];
        let error = read(&pairs).err().unwrap().to_string();
        assert!(error.contains("DATABASE_URL cannot be read"), "{error}");
        assert!(error.contains("API_KEYS must not be"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
