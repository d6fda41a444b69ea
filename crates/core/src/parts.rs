//! The background parts of a process. None may end before the process does: one that dies quietly
//! leaves a process that looks healthy and is not.

use std::collections::HashMap;
use tokio::task::{Id, JoinError, JoinSet};

/// Tasks that run for as long as the process, each with a name. Dropping it ends them.
#[derive(Default)]
pub struct Parts {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// A part that has ended too early.
#[derive(Debug, thiserror::Error)]
pub enum PartDied {
    /// It panicked.
    #[error("{part} died")]
    Panicked {
        /// Its name.
        part: &'static str,
        /// With the panic's message.
        source: JoinError,
    },
    /// It came to an end that it should not have.
    #[error("{part} ended by itself")]
    Returned {
        /// Its name.
        part: &'static str,
    },
}

impl Parts {
    /// Starts a part; its name is what the report of its death calls it.
    pub fn spawn(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let id = self.running.spawn(part).id();
        self.names.insert(id, name);
    }

    /// Waits for the first part that ends, which none should while the process runs. For ever when
    /// there are no parts.
    pub async fn death(&mut self) -> PartDied {
        match self.running.join_next_with_id().await {
            Some(Ok((id, ()))) => PartDied::Returned {
                part: self.name(id),
            },
            Some(Err(source)) => self.panicked(source),
            None => std::future::pending().await,
        }
    }

    /// Waits until all parts have ended, after they were told to.
    ///
    /// # Errors
    /// When one of them panicked.
    pub async fn end(mut self) -> Result<(), PartDied> {
        while let Some(ended) = self.running.join_next().await {
            ended.map_err(|source| self.panicked(source))?;
        }
        Ok(())
    }

    fn panicked(&self, source: JoinError) -> PartDied {
        PartDied::Panicked {
            part: self.name(source.id()),
            source,
        }
    }

    fn name(&self, id: Id) -> &'static str {
        self.names.get(&id).copied().unwrap_or("a part")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    async fn lives() {
        std::future::pending().await
    }

    async fn panics() {
        panic!("out of luck")
    }

    #[tokio::test]
    async fn a_part_that_panics_is_named_with_its_reason() {
        let mut parts = Parts::default();
        parts.spawn("the sweeper", lives());
        parts.spawn("the outbox", panics());
        let died = parts.death().await;
        assert_eq!(died.to_string(), "the outbox died");
        let reason = died.source().map(ToString::to_string);
        assert!(reason.is_some_and(|reason| reason.contains("out of luck")));
    }

    #[tokio::test]
    async fn a_part_that_returns_has_died_too() {
        let mut parts = Parts::default();
        parts.spawn("the sweeper", async {});
        parts.spawn("the outbox", lives());
        assert_eq!(
            parts.death().await.to_string(),
            "the sweeper ended by itself"
        );
    }

    #[tokio::test]
    async fn parts_that_were_told_to_end_may_and_a_panic_meanwhile_is_told() {
        let mut parts = Parts::default();
        parts.spawn("the sweeper", async {});
        assert!(parts.end().await.is_ok());

        let mut parts = Parts::default();
        parts.spawn("the sweeper", async {});
        parts.spawn("the outbox", panics());
        let died = parts.end().await.map_err(|died| died.to_string());
        assert_eq!(died, Err("the outbox died".to_owned()));
    }
}
