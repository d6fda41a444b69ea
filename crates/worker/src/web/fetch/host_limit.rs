//! Limits concurrent requests, per host and in total.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// From this many hosts on, idle ones are removed.
const MAX_HOSTS: usize = 1_024;

#[derive(Debug)]
pub(super) struct HostLimiter {
    total: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A permit for one request; released when dropped.
#[derive(Debug)]
pub(super) struct RequestPermit {
    _host: Option<OwnedSemaphorePermit>,
    _total: Option<OwnedSemaphorePermit>,
}

impl HostLimiter {
    pub(super) fn new(per_host: usize, total: usize) -> Self {
        Self {
            total: Arc::new(Semaphore::new(total.max(1))),
            per_host: per_host.max(1),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a permit. The host's comes first, so waiting for a busy host does not use up the
    /// total.
    pub(super) async fn acquire(&self, host: &str) -> RequestPermit {
        let host = self.host_semaphore(host);
        // The semaphores are never closed, so both permits are always present.
        RequestPermit {
            _host: host.acquire_owned().await.ok(),
            _total: Arc::clone(&self.total).acquire_owned().await.ok(),
        }
    }

    /// A permit, if one is free.
    pub(super) fn try_acquire(&self, host: &str) -> Option<RequestPermit> {
        let host = self.host_semaphore(host).try_acquire_owned().ok()?;
        let total = Arc::clone(&self.total).try_acquire_owned().ok()?;
        Some(RequestPermit {
            _host: Some(host),
            _total: Some(total),
        })
    }

    fn host_semaphore(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS {
            hosts.retain(|_, slots| Arc::strong_count(slots) > 1);
        }
        let slots = hosts
            .entry(host.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(self.per_host)));
        Arc::clone(slots)
    }
}

#[cfg(test)]
mod tests {
    use super::HostLimiter;
    use futures_util::FutureExt;

    #[test]
    fn host_limit_leaves_permits_for_other_hosts() {
        let slots = HostLimiter::new(2, 3);
        let first = slots.acquire("a.example").now_or_never().unwrap();
        let second = slots.acquire("a.example").now_or_never().unwrap();
        assert!(slots.acquire("a.example").now_or_never().is_none());
        let other = slots.acquire("b.example").now_or_never().unwrap();
        assert!(slots.acquire("c.example").now_or_never().is_none());
        drop(first);
        assert!(slots.acquire("a.example").now_or_never().is_some());
        drop((second, other));
    }

    #[test]
    fn idle_hosts_are_removed() {
        let slots = HostLimiter::new(2, 32);
        for host in 0..5_000 {
            drop(slots.acquire(&format!("{host}.example")).now_or_never());
        }
        assert!(slots.hosts.lock().unwrap().len() <= super::MAX_HOSTS);
    }
}
