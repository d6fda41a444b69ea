//! The two binaries under test.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::canary;
use crate::client::Client;
use crate::process::{Process, isolated};
use crate::wait::Polling;

const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Paths of the built binaries; tests create it with [`binaries!`](crate::binaries).
#[derive(Debug, Clone, Copy)]
pub struct Binaries {
    pub api: &'static str,
    pub worker: &'static str,
}

/// A macro because Cargo gives the paths to integration tests only.
#[macro_export]
macro_rules! binaries {
    () => {
        $crate::Binaries {
            api: env!("CARGO_BIN_EXE_api-under-test"),
            worker: env!("CARGO_BIN_EXE_worker-under-test"),
        }
    };
}

/// Settings for one process, by name.
pub type Environment = BTreeMap<String, String>;

/// A running API process.
#[derive(Debug)]
pub struct Api {
    process: Process,
    client: Client,
}

impl Api {
    /// Starts it on a free port, with no environment but `environment`, and waits for /livez.
    /// `folder` is its working folder and gets its log and its address.
    pub async fn start(binary: &str, environment: &Environment, folder: &Path) -> Self {
        let address_file = folder.join("api.addr");
        let _ = std::fs::remove_file(&address_file);
        let mut command = isolated(binary);
        command
            .current_dir(folder)
            .env("API_PORT", "0")
            .env("API_ADDR_FILE", &address_file);
        command.envs(environment);
        canary::plant_secrets(environment);
        let mut process = Process::spawn("api", command, folder);

        let polling = Polling::new("the API answers /livez", START_TIMEOUT);
        let client = loop {
            process.assert_alive();
            if let Some(client) = written_address(&address_file).map(|base| Client::new(&base))
                && client.status_of("/livez").await == Some(200)
            {
                break client;
            }
            polling.pause().await;
        };
        Self { process, client }
    }

    /// Waits until /readyz answers 200.
    pub async fn ready(&mut self) {
        let polling = Polling::new("the API is ready", START_TIMEOUT);
        while self.client.status_of("/readyz").await != Some(200) {
            self.process.assert_alive();
            polling.pause().await;
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        canary::assert_log_clean(&mut self.process);
    }
}

/// None until the file is complete.
fn written_address(file: &Path) -> Option<String> {
    let address = std::fs::read_to_string(file).ok()?;
    let address = address.trim().trim_start_matches("http://");
    (!address.is_empty()).then(|| format!("http://{address}"))
}

/// A running worker process.
#[derive(Debug)]
pub struct Worker {
    process: Process,
}

impl Worker {
    /// Starts it as `name`, which names its log in `folder`. A worker has no port to wait for: the
    /// first signs of it are a heartbeat in Redis or an ended search.
    pub fn start(name: &str, binary: &str, environment: &Environment, folder: &Path) -> Self {
        let mut command = isolated(binary);
        command.current_dir(folder).envs(environment);
        canary::plant_secrets(environment);
        Self {
            process: Process::spawn(name, command, folder),
        }
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        canary::assert_log_clean(&mut self.process);
    }
}
