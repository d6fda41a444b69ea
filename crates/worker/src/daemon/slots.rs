//! How many searches run at once, in all and per mode: slow modes may not take every slot.

use privachat_core::{mode::Mode, schema::worker::PerMode};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Searches at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotLimits {
    /// In all; speed searches may use every one.
    pub all: usize,
    /// In balanced mode.
    pub balanced: usize,
    /// In deep mode.
    pub deep: usize,
}

impl SlotLimits {
    fn of(&self, mode: Mode) -> usize {
        match mode {
            Mode::Speed => self.all,
            Mode::Balanced => self.balanced.min(self.all),
            Mode::Deep => self.deep.min(self.all),
        }
    }
}

/// How often a mode is looked at first when several have work: quick ones more often, slow ones
/// often enough never to starve.
const fn weight(mode: Mode) -> u32 {
    match mode {
        Mode::Speed => 6,
        Mode::Balanced => 3,
        Mode::Deep => 1,
    }
}

/// The slots of a worker. Clones share them.
#[derive(Clone)]
pub(super) struct Slots {
    all: Arc<Semaphore>,
    modes: Vec<(Mode, Arc<Semaphore>)>,
    limits: SlotLimits,
    running: Arc<[AtomicUsize; Mode::ALL.len()]>,
}

/// The right to run one search of a mode; given back when dropped.
pub(super) struct Slot {
    mode: Mode,
    running: Arc<[AtomicUsize; Mode::ALL.len()]>,
    _of_all: OwnedSemaphorePermit,
    _of_mode: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.running[index(self.mode)].fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to run one search of whichever of these modes has one.
pub(super) struct Free {
    running: Arc<[AtomicUsize; Mode::ALL.len()]>,
    of_all: OwnedSemaphorePermit,
    of_modes: Vec<(Mode, OwnedSemaphorePermit)>,
}

impl Slots {
    pub(super) fn new(limits: SlotLimits) -> Self {
        let modes = Mode::ALL.map(|mode| (mode, Arc::new(Semaphore::new(limits.of(mode)))));
        Self {
            all: Arc::new(Semaphore::new(limits.all)),
            modes: modes.to_vec(),
            limits,
            running: Arc::default(),
        }
    }

    /// How many searches may run.
    pub(super) fn limits(&self) -> PerMode {
        per_mode(|mode| self.limits.of(mode))
    }

    /// How many searches run.
    pub(super) fn running(&self) -> PerMode {
        per_mode(|mode| self.running[index(mode)].load(Ordering::Relaxed))
    }

    /// Waits for a free slot. `None` once the slots are closed, which they never are.
    pub(super) async fn free(&self) -> Option<Free> {
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        let of_modes = self
            .modes
            .iter()
            .filter_map(|(mode, slots)| Some((*mode, Arc::clone(slots).try_acquire_owned().ok()?)))
            .collect();
        Some(Free {
            running: Arc::clone(&self.running),
            of_all,
            of_modes,
        })
    }
}

impl Slots {
    /// More slots for searches of `mode`: half of what is free, so that each mode gets its turn.
    pub(super) fn spare(&self, mode: Mode) -> Vec<Free> {
        let half = self.all.available_permits() / 2;
        let of_mode = &self.modes[index(mode)].1;
        let spare = (0..half).map_while(|_| {
            Some(Free {
                running: Arc::clone(&self.running),
                of_all: Arc::clone(&self.all).try_acquire_owned().ok()?,
                of_modes: vec![(mode, Arc::clone(of_mode).try_acquire_owned().ok()?)],
            })
        });
        spare.collect()
    }
}

impl Free {
    /// The modes that have a slot, in the order in which to look at them this time.
    pub(super) fn modes(&self) -> Vec<Mode> {
        let mut left: Vec<Mode> = self.of_modes.iter().map(|(mode, _)| *mode).collect();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let total: u32 = left.iter().copied().map(weight).sum();
            let mut drawn = rand::random_range(0..total);
            let first = left.iter().position(|mode| {
                let hit = drawn < weight(*mode);
                drawn = drawn.saturating_sub(weight(*mode));
                hit
            });
            order.push(left.remove(first.unwrap_or(0)));
        }
        order
    }

    /// The slot for a search of `mode`; the other modes' are given back.
    pub(super) fn take(self, mode: Mode) -> Option<Slot> {
        let (_, of_mode) = self.of_modes.into_iter().find(|(free, _)| *free == mode)?;
        self.running[index(mode)].fetch_add(1, Ordering::Relaxed);
        Some(Slot {
            mode,
            running: self.running,
            _of_all: self.of_all,
            _of_mode: of_mode,
        })
    }
}

const fn index(mode: Mode) -> usize {
    match mode {
        Mode::Speed => 0,
        Mode::Balanced => 1,
        Mode::Deep => 2,
    }
}

fn per_mode(number: impl Fn(Mode) -> usize) -> PerMode {
    PerMode {
        speed: number(Mode::Speed),
        balanced: number(Mode::Balanced),
        deep: number(Mode::Deep),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SlotLimits = SlotLimits {
        all: 4,
        balanced: 2,
        deep: 1,
    };

    #[tokio::test]
    async fn a_mode_without_a_free_slot_is_left_out() {
        let slots = Slots::new(LIMITS);
        let _deep = slots.free().await.unwrap().take(Mode::Deep).unwrap();
        let modes = slots.free().await.unwrap().modes();
        assert!(!modes.contains(&Mode::Deep));
        assert!(modes.contains(&Mode::Speed) && modes.contains(&Mode::Balanced));
    }

    #[tokio::test]
    async fn a_dropped_slot_can_be_taken_again() {
        let slots = Slots::new(LIMITS);
        drop(slots.free().await.unwrap().take(Mode::Deep));
        assert!(slots.free().await.unwrap().modes().contains(&Mode::Deep));
    }

    #[tokio::test]
    async fn a_search_counts_as_running_until_its_slot_is_dropped() {
        let slots = Slots::new(LIMITS);
        let slot = slots.free().await.unwrap().take(Mode::Balanced).unwrap();
        assert_eq!((slots.running().balanced, slots.running().speed), (1, 0));
        drop(slot);
        assert_eq!(slots.running(), PerMode::default());
    }

    #[tokio::test]
    async fn every_mode_comes_first_now_and_then() {
        let slots = Slots::new(LIMITS);
        let mut firsts = std::collections::HashSet::new();
        // The rarest comes first once in ten: missing it 1,000 times has a chance of 10⁻⁴⁶.
        for _ in 0..1000 {
            firsts.insert(slots.free().await.unwrap().modes()[0]);
        }
        assert_eq!(firsts.len(), 3);
    }
}
