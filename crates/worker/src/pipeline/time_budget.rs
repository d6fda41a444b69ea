//! The time budget: divides the time of a search into the deadlines of its stages.
//!
//! | stage | deadline |
//! |---|---|
//! | plan | a tenth of the whole, at most 4 s; at once in speed mode and without a model |
//! | search | half of the time for search and read (all of it in speed mode, which reads nothing), at most 20 s |
//! | read | 15 s after its start, at the latest when rank must start |
//! | rank | when answer must start; a tenth of the whole is reserved, at most 2 s |
//! | answer | 0.3 s before check; a quarter of the whole is reserved, 3 to 20 s; 1 s without a model |
//! | check | the deadline of the search; 0.3 s is reserved |
//!
//! A stage that ends early leaves its time to the next ones, so the answer usually has far more
//! than its reserve. When the whole is short, all reserves shrink.

use super::deadline::Deadline;
use std::time::Duration;

const MAX_PLAN_TIME: Duration = Duration::from_secs(4);
const MAX_SEARCH_TIME: Duration = Duration::from_secs(20);
const MAX_READ_TIME: Duration = Duration::from_secs(15);
const MAX_RANK_TIME: Duration = Duration::from_secs(2);
const MIN_ANSWER_TIME: Duration = Duration::from_secs(3);
const MAX_ANSWER_TIME: Duration = Duration::from_secs(20);
const EXTRACT_TIME: Duration = Duration::from_secs(1);
const CHECK_TIME: Duration = Duration::from_millis(300);
/// After the answer's deadline, for closing it or for falling back to an extracted answer.
const ANSWER_GRACE: Duration = Duration::from_millis(300);

/// The deadline of each stage.
#[derive(Debug, Clone, Copy)]
pub struct StageDeadlines {
    /// For planning with a model.
    pub plan: Deadline,
    pub search: Deadline,
    pub rank: Deadline,
    /// By which the answer stage should end by itself.
    pub answer: Deadline,
    /// At which the answer stage is aborted.
    pub answer_cut: Deadline,
    /// The same as the deadline of the search.
    pub check: Deadline,
    read: Deadline,
}

impl StageDeadlines {
    /// Divides what is left until `total`.
    #[must_use]
    pub fn new(total: Deadline, reads: bool, has_model: bool) -> Self {
        let budget = total.remaining();
        let plan = if reads && has_model {
            (budget / 10).min(MAX_PLAN_TIME)
        } else {
            Duration::ZERO
        };
        let answer = if has_model {
            (budget / 4).clamp(MIN_ANSWER_TIME, MAX_ANSWER_TIME)
        } else {
            EXTRACT_TIME
        };
        let answer = answer.min(budget / 2);
        let rank = (budget / 10).min(MAX_RANK_TIME);
        let check = CHECK_TIME.min(answer / 4);
        let grace = ANSWER_GRACE.min(answer / 4);

        let gathering = budget.saturating_sub(answer + rank);
        let search = if reads { gathering / 2 } else { gathering };
        Self {
            plan: total.at_most(plan),
            search: total.at_most(search.min(MAX_SEARCH_TIME)),
            read: total.earlier_by(answer + rank),
            rank: total.earlier_by(answer),
            answer: total.earlier_by(check + grace),
            answer_cut: total.earlier_by(check),
            check: total,
        }
    }

    /// The deadline of the read stage if it starts now.
    #[must_use]
    pub fn read(&self) -> Deadline {
        self.read.at_most(MAX_READ_TIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[tokio::test(start_paused = true)]
    async fn stage_deadlines_follow_the_table() {
        let shares = |seconds, reads, model| {
            let shares =
                StageDeadlines::new(Deadline::after(Duration::from_secs(seconds)), reads, model);
            [shares.plan, shares.search, shares.rank, shares.answer]
                .map(|at| at.remaining().as_secs_f64())
        };
        assert_eq!(shares(15, false, true), [0.0, 9.75, 11.25, 14.4]);
        assert_eq!(shares(45, true, true), [4.0, 15.875, 33.75, 44.4]);
        assert_eq!(shares(60, true, false), [0.0, 20.0, 59.0, 59.5]);
    }

    proptest! {
        #[test]
        fn stage_deadlines_are_in_order_and_end_with_the_total(
            milliseconds in 0u64..300_000, reads in any::<bool>(), model in any::<bool>(),
        ) {
            let total = Deadline::after(Duration::from_millis(milliseconds));
            let shares = StageDeadlines::new(total, reads, model);
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
