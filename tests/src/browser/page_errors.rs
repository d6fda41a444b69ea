//! Page errors that are not visible: console errors, uncaught exceptions, violations of the
//! Content-Security-Policy, failed requests.

use super::Browser;

/// Messages of lower levels are no errors.
const COMPLAINTS: [&str; 2] = ["SEVERE", "WARNING"];

impl Browser {
    /// The errors since the last call.
    pub async fn faults(&self) -> Vec<String> {
        let log = self.driver.get_log("browser").await;
        log.expect("the browser's log")
            .into_iter()
            .filter(|entry| COMPLAINTS.contains(&entry.level.as_str()))
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }
}
