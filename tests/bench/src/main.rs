//! The service compared with its alternatives and with its own limits: `make bench`.
//!
//! `table` measures the rows and writes the page, `soak` watches a service under load for a long
//! time; the other roles are sides that must be separate processes.

mod bare;
mod engine;
mod figures;
mod load;
mod micro;
mod pace;
mod page;
mod place;
mod programs;
mod redis;
mod rows;
mod scale;
mod sites;
mod soak;

use anyhow::{Context, bail};
use mimalloc::MiMalloc;
use place::Place;
use programs::Peers;
use scale::Scale;
use std::process::ExitCode;

/// The allocator of the service's processes; the bare handler uses it too.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["bare-server", url, file] = arguments[..] {
        let serving = bare::serve(url, file.into());
        actix_web::rt::System::new().block_on(serving)?;
        return Ok(ExitCode::SUCCESS);
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(&arguments))
}

async fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    match arguments {
        [] | ["table"] => table().await?,
        ["soak"] => return Ok(soak::run().await),
        ["worker", url, ..] => engine::work(url).await?,
        ["submit", url, jobs] => engine::submit(&engine::open(url)?, jobs.parse()?).await?,
        ["submit-searches", url, jobs] => {
            engine::submit_searches(&engine::open(url)?, jobs.parse()?).await?;
        }
        other => bail!("unknown: {other:?} (table, soak)"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn table() -> anyhow::Result<()> {
    let scale = Scale::from_environment();
    let peers = Peers::here();
    let rows = rows::run(&scale, |row| println!("\n{}", page::figures(row))).await;
    println!("\n{}", page::goals(&rows));
    let Some(file) = &scale.output else {
        return Ok(());
    };
    let hot = micro::pieces(&peers.installed.join("criterion"));
    let whole = page::whole(&rows, &hot, &Place::here(peers.versions()));
    std::fs::write(file, whole).with_context(|| format!("cannot write {}", file.display()))?;
    println!("written: {}", file.display());
    Ok(())
}
