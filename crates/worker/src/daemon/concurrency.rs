//! Worker slots: limit the searches that run at once, in total and by mode, so that slow modes
//! cannot take every slot.

use privachat_core::{mode::Mode, schema::worker::PerMode};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many suspects of one crash run at once.
const MAX_CONCURRENT_SUSPECTS: usize = 4;

/// How many searches run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotLimits {
    /// In total; speed searches may use every slot.
    pub total: usize,
    /// In balanced mode.
    pub balanced: usize,
    /// In deep mode.
    pub deep: usize,
}

impl SlotLimits {
    fn for_mode(&self, mode: Mode) -> usize {
        match mode {
            Mode::Speed => self.total,
            Mode::Balanced => self.balanced.min(self.total),
            Mode::Deep => self.deep.min(self.total),
        }
    }
}

/// The odds that a mode's queue is checked first: higher for quick modes, but none starves.
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
    total: Arc<Semaphore>,
    modes: Vec<(Mode, Arc<Semaphore>)>,
    limits: SlotLimits,
    running: Arc<[AtomicUsize; Mode::ALL.len()]>,
}

/// The right to run one search of a mode; freed on drop.
pub(super) struct Slot {
    mode: Mode,
    running: Arc<[AtomicUsize; Mode::ALL.len()]>,
    total: Arc<Semaphore>,
    total_slots: usize,
    /// `None` while it is exchanged.
    total_permit: Option<OwnedSemaphorePermit>,
    _mode_permit: OwnedSemaphorePermit,
}

impl Slot {
    /// Takes more slots, so that fewer searches run beside this one, which was lost `losses` times
    /// together with others. Waits until enough searches have ended; the worker starts none
    /// meanwhile.
    pub(super) async fn widen(&mut self, losses: u32) {
        // Freed first: two that wait would otherwise deadlock.
        self.total_permit = None;
        let all = Arc::clone(&self.total);
        let share = slots_for_suspect(self.total_slots, losses);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        // Slots are never closed.
        self.total_permit = all.acquire_many_owned(share).await.ok();
    }
}

/// Slots of `all` that a search takes. After one loss, [`MAX_CONCURRENT_SUSPECTS`] searches run at a time: the
/// next crash loses three others at most. After two losses a search runs alone, so that the next
/// crash is charged to it.
fn slots_for_suspect(all: usize, losses: u32) -> usize {
    match losses {
        0 => 1,
        1 => all.div_ceil(MAX_CONCURRENT_SUSPECTS),
        _ => all,
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.running[mode_index(self.mode)].fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to run one search of any of these modes.
pub(super) struct Available {
    running: Arc<[AtomicUsize; Mode::ALL.len()]>,
    total: Arc<Semaphore>,
    total_slots: usize,
    total_permit: OwnedSemaphorePermit,
    mode_permits: Vec<(Mode, OwnedSemaphorePermit)>,
}

impl Slots {
    pub(super) fn new(limits: SlotLimits) -> Self {
        let modes = Mode::ALL.map(|mode| (mode, Arc::new(Semaphore::new(limits.for_mode(mode)))));
        Self {
            total: Arc::new(Semaphore::new(limits.total)),
            modes: modes.to_vec(),
            limits,
            running: Arc::default(),
        }
    }

    /// How many searches may run, by mode.
    pub(super) fn limits(&self) -> PerMode {
        per_mode(|mode| self.limits.for_mode(mode))
    }

    /// How many searches run, by mode.
    pub(super) fn running(&self) -> PerMode {
        per_mode(|mode| self.running[mode_index(mode)].load(Ordering::Relaxed))
    }

    /// Waits for a free slot. Never `None`, as the slots are never closed.
    pub(super) async fn acquire(&self) -> Option<Available> {
        let of_all = Arc::clone(&self.total).acquire_owned().await.ok()?;
        let of_modes = self
            .modes
            .iter()
            .filter_map(|(mode, slots)| Some((*mode, Arc::clone(slots).try_acquire_owned().ok()?)))
            .collect();
        Some(self.available(of_all, of_modes))
    }
}

impl Slots {
    /// Extra slots for `mode`, without waiting: half of the free ones, so that each mode gets its
    /// turn.
    pub(super) fn try_acquire_extra(&self, mode: Mode) -> Vec<Available> {
        let half = self.total.available_permits() / 2;
        let of_mode = &self.modes[mode_index(mode)].1;
        let spare = (0..half).map_while(|_| {
            let of_all = Arc::clone(&self.total).try_acquire_owned().ok()?;
            let of_mode = Arc::clone(of_mode).try_acquire_owned().ok()?;
            Some(self.available(of_all, vec![(mode, of_mode)]))
        });
        spare.collect()
    }

    fn available(
        &self,
        of_all: OwnedSemaphorePermit,
        of_modes: Vec<(Mode, OwnedSemaphorePermit)>,
    ) -> Available {
        Available {
            running: Arc::clone(&self.running),
            total: Arc::clone(&self.total),
            total_slots: self.limits.total,
            total_permit: of_all,
            mode_permits: of_modes,
        }
    }
}

impl Available {
    /// The modes that have a free slot, in a random order weighted by [`weight`].
    pub(super) fn mode_order(&self) -> Vec<Mode> {
        let mut left: Vec<Mode> = self.mode_permits.iter().map(|(mode, _)| *mode).collect();
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

    /// The slot for a search of `mode`; frees those of the other modes.
    pub(super) fn into_slot(self, mode: Mode) -> Option<Slot> {
        let (_, of_mode) = self
            .mode_permits
            .into_iter()
            .find(|(free, _)| *free == mode)?;
        self.running[mode_index(mode)].fetch_add(1, Ordering::Relaxed);
        Some(Slot {
            mode,
            running: self.running,
            total: self.total,
            total_slots: self.total_slots,
            total_permit: Some(self.total_permit),
            _mode_permit: of_mode,
        })
    }
}

const fn mode_index(mode: Mode) -> usize {
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
        total: 4,
        balanced: 2,
        deep: 1,
    };

    #[tokio::test]
    async fn a_mode_without_a_free_slot_is_left_out() {
        let slots = Slots::new(LIMITS);
        let _deep = slots
            .acquire()
            .await
            .unwrap()
            .into_slot(Mode::Deep)
            .unwrap();
        let modes = slots.acquire().await.unwrap().mode_order();
        assert!(!modes.contains(&Mode::Deep));
        assert!(modes.contains(&Mode::Speed) && modes.contains(&Mode::Balanced));
    }

    #[tokio::test]
    async fn a_dropped_slot_can_be_taken_again() {
        let slots = Slots::new(LIMITS);
        drop(slots.acquire().await.unwrap().into_slot(Mode::Deep));
        assert!(
            slots
                .acquire()
                .await
                .unwrap()
                .mode_order()
                .contains(&Mode::Deep)
        );
    }

    #[tokio::test]
    async fn a_search_counts_as_running_until_its_slot_is_dropped() {
        let slots = Slots::new(LIMITS);
        let slot = slots
            .acquire()
            .await
            .unwrap()
            .into_slot(Mode::Balanced)
            .unwrap();
        assert_eq!((slots.running().balanced, slots.running().speed), (1, 0));
        drop(slot);
        assert_eq!(slots.running(), PerMode::default());
    }

    #[tokio::test]
    async fn a_search_that_was_lost_twice_runs_alone() {
        let slots = Slots::new(LIMITS);
        let mut suspect = slots
            .acquire()
            .await
            .unwrap()
            .into_slot(Mode::Speed)
            .unwrap();
        let other = slots
            .acquire()
            .await
            .unwrap()
            .into_slot(Mode::Speed)
            .unwrap();
        let mut widening = Box::pin(suspect.widen(2));
        let waits = futures_util::poll!(&mut widening);
        assert!(waits.is_pending(), "another runs");
        assert!(
            slots.try_acquire_extra(Mode::Speed).is_empty(),
            "nothing new is taken"
        );
        drop(other);
        widening.await;
        assert!(
            slots.try_acquire_extra(Mode::Speed).is_empty(),
            "it runs alone"
        );
        drop(suspect);
        slots.acquire().await.unwrap();
    }

    #[test]
    fn the_more_often_a_search_was_lost_the_fewer_run_beside_it() {
        let shares = |all: usize| [0, 1, 2, 3].map(|losses| slots_for_suspect(all, losses));
        assert_eq!(shares(16), [1, 4, 16, 16]);
        assert_eq!(shares(5), [1, 2, 5, 5]);
        assert_eq!(shares(1), [1, 1, 1, 1]);
    }

    #[tokio::test]
    async fn every_mode_is_checked_first_at_times() {
        let slots = Slots::new(LIMITS);
        let mut firsts = std::collections::HashSet::new();
        // The rarest comes first once in ten: the chance to miss it 1,000 times is 10⁻⁴⁶.
        for _ in 0..1000 {
            firsts.insert(slots.acquire().await.unwrap().mode_order()[0]);
        }
        assert_eq!(firsts.len(), 3);
    }
}
