//! What pages complain about where nobody looks: errors on the console, uncaught exceptions,
//! violations of the Content-Security-Policy, requests that failed.

use super::Browser;

/// Below, a message tells and does not complain.
const COMPLAINTS: [&str; 2] = ["SEVERE", "WARNING"];

impl Browser {
    /// The complaints since the last look.
    pub async fn faults(&self) -> Vec<String> {
        let log = self.driver.get_log("browser").await;
        log.expect("the browser's log")
            .into_iter()
            .filter(|entry| COMPLAINTS.contains(&entry.level.as_str()))
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }
}
