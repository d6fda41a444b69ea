//! Resources of the stack: connections and open files.

use std::collections::BTreeMap;
use std::fs;

use super::deployment::Deployment;
use super::log::Entry;
use crate::redis_info;

impl Deployment {
    /// What the stack holds now.
    pub(super) async fn level(&mut self, before: bool) -> Entry {
        let mut redis = self.redis.connection().await;
        let clients = redis_info::value(&mut redis, "clients", "connected_clients").await;
        let mut files = BTreeMap::new();
        for (number, worker) in self.workers.iter().enumerate() {
            files.insert(format!("worker {number}"), open_files(worker.process.id()));
        }
        for (number, api) in self.apis.iter_mut().enumerate() {
            files.insert(format!("api {number}"), open_files(api.process().id()));
        }
        Entry::Resources {
            before,
            clients: clients
                .and_then(|count| count.parse().ok())
                .expect("a number"),
            files,
        }
    }
}

fn open_files(id: u32) -> u64 {
    fs::read_dir(format!("/proc/{id}/fd")).map_or(0, |files| files.count() as u64)
}
