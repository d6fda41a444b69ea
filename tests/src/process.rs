//! A child process: with its own process group, its output in a file, killed on drop.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{spawner, wait::Polling};

/// A running or finished child. Dropping it kills its whole group and waits for it; during a panic
/// it prints its output.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

/// A command that inherits only PATH from the environment and ends with this process.
pub fn isolated(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

impl Process {
    /// Starts `command`; appends its output to `<folder>/<name>.log`.
    pub fn spawn(name: &str, mut command: Command, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("the log file again"))
            .stderr(output)
            .process_group(0);
        let child = spawner::spawn(command).unwrap_or_else(|error| {
            panic!("cannot start {name}: {error} (apt-get install util-linux)")
        });
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its whole output.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The file of its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its exit status; None while it runs.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child")
    }

    /// SIGTERM: please finish.
    pub fn term(&mut self) {
        self.signal(Signal::TERM);
    }

    /// SIGQUIT, and waits for the end; SIGKILL when that takes longer than `within`.
    pub fn quit(&mut self, within: Duration) {
        self.signal(Signal::QUIT);
        let deadline = std::time::Instant::now() + within;
        while self.exited().is_none() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("the end of a killed child");
    }

    /// SIGSTOP: alive but silent until [`resume`](Self::resume).
    pub fn pause(&mut self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&mut self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM, then its exit code, or 128 + n after signal n. Panics when it does not end in time.
    pub async fn stop(&mut self, within: Duration) -> i32 {
        self.term();
        self.exit_code(within).await
    }

    /// Waits for its end without a signal.
    pub async fn exit_code(&mut self, within: Duration) -> i32 {
        let what = format!("{} ends", self.name);
        let polling = Polling::new(&what, within);
        let status = loop {
            if let Some(status) = self.exited() {
                break status;
            }
            polling.pause().await;
        };
        status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
            .expect("a code or a signal")
    }

    /// Panics with its output when it has ended.
    pub fn assert_alive(&mut self) {
        if let Some(status) = self.exited() {
            panic!(
                "{} ended with {status}; it printed:\n{}",
                self.name,
                self.output()
            );
        }
    }

    fn signal(&mut self, signal: Signal) {
        // The number of an ended child may belong to another process.
        if self.exited().is_none() {
            let group = Pid::from_child(&self.child);
            kill_process_group(group, signal).expect("a signal to a child of ours");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- output of {}:\n{}---", self.name, self.output());
        }
    }
}
