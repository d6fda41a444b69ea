//! How the time of a search is divided.
//!
//! | stage | ends at the latest |
//! |---|---|
//! | plan | after a tenth of the whole, 4 s at most; at once in speed and without a model |
//! | search | after 20 s, or half of the time that search and reading have (all of it in speed, which reads nothing) |
//! | read | 15 s after it starts, and when ranking has to start |
//! | rank | when the answer has to start; it has a tenth of the whole, 2 s at most |
//! | answer | 0.3 s before check; it has a quarter of the whole, 3 s at least, 20 s at most; 1 s without a model |
//! | check | at the deadline; it has 0.3 s |
//!
//! These are the latest moments. A stage that is done earlier hands its time on, so that the answer
//! usually has far more than its reserve. Reserves shrink together when the whole is short.

use super::deadline::Deadline;
use std::time::Duration;

const PLAN_MOST: Duration = Duration::from_secs(4);
const SEARCH_MOST: Duration = Duration::from_secs(20);
const READ_MOST: Duration = Duration::from_secs(15);
const RANK_MOST: Duration = Duration::from_secs(2);
const ANSWER_LEAST: Duration = Duration::from_secs(3);
const ANSWER_MOST: Duration = Duration::from_secs(20);
const ANSWER_WITHOUT_MODEL: Duration = Duration::from_secs(1);
const CHECK: Duration = Duration::from_millis(300);
/// For the answerer to wrap up, or to go without the model, once its own deadline has passed.
const GRACE: Duration = Duration::from_millis(300);

/// The latest end of each stage.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    /// Of planning with a model.
    pub plan: Deadline,
    /// Of searching.
    pub search: Deadline,
    /// Of ranking.
    pub rank: Deadline,
    /// What the answerer is told.
    pub answer: Deadline,
    /// When it is cut.
    pub answer_cut: Deadline,
    /// Of the check and of the whole.
    pub check: Deadline,
    read: Deadline,
}

impl Shares {
    /// Divides what is left until `total`.
    #[must_use]
    pub fn new(total: Deadline, reads: bool, has_model: bool) -> Self {
        let budget = total.remaining();
        let plan = if reads && has_model {
            (budget / 10).min(PLAN_MOST)
        } else {
            Duration::ZERO
        };
        let answer = if has_model {
            (budget / 4).clamp(ANSWER_LEAST, ANSWER_MOST)
        } else {
            ANSWER_WITHOUT_MODEL
        };
        let answer = answer.min(budget / 2);
        let rank = (budget / 10).min(RANK_MOST);
        let check = CHECK.min(answer / 4);
        let grace = GRACE.min(answer / 4);

        let gathering = budget.saturating_sub(answer + rank);
        let search = if reads { gathering / 2 } else { gathering };
        Self {
            plan: total.within(plan),
            search: total.within(search.min(SEARCH_MOST)),
            read: total.keep(answer + rank),
            rank: total.keep(answer),
            answer: total.keep(check + grace),
            answer_cut: total.keep(check),
            check: total,
        }
    }

    /// The latest end of reading, when it starts now.
    #[must_use]
    pub fn read(&self) -> Deadline {
        self.read.within(READ_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[tokio::test(start_paused = true)]
    async fn the_modes_divide_their_time_as_the_table_says() {
        let shares = |seconds, reads, model| {
            let shares = Shares::new(Deadline::after(Duration::from_secs(seconds)), reads, model);
            [shares.plan, shares.search, shares.rank, shares.answer]
                .map(|at| at.remaining().as_secs_f64())
        };
        assert_eq!(shares(15, false, true), [0.0, 9.75, 11.25, 14.4]);
        assert_eq!(shares(45, true, true), [4.0, 15.875, 33.75, 44.4]);
        assert_eq!(shares(60, true, false), [0.0, 20.0, 59.0, 59.5]);
    }

    proptest! {
        #[test]
        fn stages_end_in_their_order_and_within_the_whole(
            milliseconds in 0u64..300_000, reads in any::<bool>(), model in any::<bool>(),
        ) {
            let total = Deadline::after(Duration::from_millis(milliseconds));
            let shares = Shares::new(total, reads, model);
            let order = [
                shares.plan, shares.search, shares.rank, shares.answer, shares.answer_cut,
                shares.check,
            ];
            prop_assert!(order.is_sorted());
            prop_assert!(shares.read() <= shares.rank);
            prop_assert_eq!(shares.check, total);
        }
    }
}
