//! A real browser: Debian's Chromium, driven over WebDriver. Each has its own profile, reaches only
//! this machine, and stops at the end of the test, also when the test fails.

mod actions;
mod appearance;
mod page_errors;
mod service;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel};

use crate::process::{Process, isolated};
use crate::wait::Polling;

pub use service::{SITE_TEXT, Service};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Width and height of the window, in CSS pixels.
const WINDOW: (u32, u32) = (1280, 800);

/// A running browser with one window. Close it with [`end`](Self::end), which checks for page
/// errors that are not visible.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    _process: Process,
    _folder: TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        // Fails when another test has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = TempDir::with_prefix("privachat-browser-").expect("a temporary folder");
        let mut command = isolated("chromedriver");
        command
            .current_dir(folder.path())
            .arg("--port=0")
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path());
        let mut process = Process::spawn("chromedriver", command, folder.path());
        let port = port_of(&mut process).await;
        let address = format!("http://127.0.0.1:{port}");
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        let driver = WebDriver::builder(address, capabilities(folder.path()))
            .client(client)
            .await
            .unwrap_or_else(|error| panic!("no browser ({error}):\n{}", process.output()));
        Self {
            driver,
            _process: process,
            _folder: folder,
        }
    }

    /// For what this harness does not cover.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Closes it; panics when its pages reported errors.
    pub async fn end(self) {
        self.end_with(&[]).await;
    }

    /// Like [`end`](Self::end), but ignores errors that contain one of `expected`.
    pub async fn end_with(self, expected: &[&str]) {
        let faults = self.faults().await;
        let unexpected: Vec<_> = faults
            .iter()
            .filter(|fault| !expected.iter().any(|known| fault.contains(known)))
            .collect();
        assert!(unexpected.is_empty(), "the pages complain: {unexpected:#?}");
        self.driver.clone().quit().await.expect("the browser's end");
    }

    /// Sends a command of the DevTools protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its process group is killed; a regular quit would block.
        let _ = self.driver.clone().leak();
    }
}

/// Reads the port that the driver prints when it listens.
async fn port_of(process: &mut Process) -> u16 {
    let polling = Polling::new(
        "chromedriver listens (apt-get install chromium-driver)",
        START_TIMEOUT,
    );
    loop {
        process.assert_alive();
        let output = process.output();
        let line = output
            .lines()
            .find_map(|line| line.split_once("started successfully on port "));
        if let Some((_, port)) = line
            && let Ok(port) = port.trim_end_matches('.').parse()
        {
            return port;
        }
        polling.pause().await;
    }
}

fn capabilities(folder: &Path) -> ChromeCapabilities {
    let mut wanted = DesiredCapabilities::chrome();
    for argument in arguments(folder) {
        wanted.add_arg(&argument).expect("an argument");
    }
    wanted
        .set_browser_log_level(LoggingPrefsLogLevel::All)
        .expect("a log level");
    wanted
}

fn arguments(folder: &Path) -> Vec<String> {
    let (width, height) = WINDOW;
    let mut arguments = vec![
        "--headless=new".to_owned(),
        // Ends with its driver, also when the driver is killed.
        "--remote-debugging-pipe".to_owned(),
        format!("--user-data-dir={}", folder.join("profile").display()),
        format!("--window-size={width},{height}"),
        "--force-device-scale-factor=1".to_owned(),
        "--lang=en-US".to_owned(),
        // /dev/shm is small in containers.
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--no-first-run".to_owned(),
        "--no-default-browser-check".to_owned(),
        // Only this machine is reachable.
        "--no-proxy-server".to_owned(),
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-default-apps".to_owned(),
        "--disable-domain-reliability".to_owned(),
        "--disable-sync".to_owned(),
        "--metrics-recording-only".to_owned(),
        "--no-pings".to_owned(),
    ];
    if rustix::process::geteuid().is_root() {
        // Chromium's sandbox refuses root.
        arguments.push("--no-sandbox".to_owned());
    }
    arguments
}

/// The metrics of a phone's screen, for [`Browser::screen`].
pub fn phone() -> Value {
    json!({"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true})
}
