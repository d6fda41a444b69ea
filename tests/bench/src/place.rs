//! The machine and the programs of a measurement.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

pub(crate) struct Place {
    pub(crate) date: String,
    pub(crate) commit: String,
    rows: Vec<(&'static str, String)>,
}

impl Place {
    pub(crate) fn here(sides: Vec<(&'static str, String)>) -> Self {
        let mut rows = vec![
            ("machine", machine()),
            ("system", first_line("uname", &["-sr"])),
            ("rustc", first_line("rustc", &["--version"])),
            ("redis-server", first_line("redis-server", &["--version"])),
            ("load", first_line("wrk", &["--version"])),
        ];
        rows.extend(sides);
        let scale = std::env::vars().filter(|(name, _)| name.starts_with("BENCH_"));
        let set: Vec<String> = scale
            .filter(|(name, _)| !["BENCH_PEERS", "BENCH_OUTPUT"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        rows.push((
            "command",
            format!("`{} make bench`", set.join(" ")).replace("` ", "`"),
        ));
        Self {
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            commit: first_line("git", &["rev-parse", "--short", "HEAD"]),
            rows,
        }
    }

    pub(crate) fn table(&self) -> String {
        let mut table = String::from("| | |\n|---|---|\n");
        for (what, value) in &self.rows {
            let _ = writeln!(table, "| {what} | {value} |");
        }
        table
    }
}

fn machine() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        let line = information.lines().find(|line| line.starts_with(name))?;
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    let model = value("model name").unwrap_or_else(|| "a processor without a name".to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = memory
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse::<u64>().ok())
        .unwrap_or_default();
    let gigabytes = kilobytes.div_ceil(1 << 20);
    format!("{cores} cores of {model}, {gigabytes} GiB of memory")
}

/// The first line that a program prints; some print it on stderr, or fail.
pub(crate) fn first_line(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        return format!("{program} is not here");
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.lines().next().unwrap_or_default().trim().to_owned()
}
