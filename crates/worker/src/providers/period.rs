//! What an engine that filters by date is asked for.

use crate::pipeline::{ProviderQuery, TimeRange};
use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// The year of a question before this one is no date of publication: what tells of it on the web
/// was written later.
const FIRST_YEAR: i32 = 2000;

/// When results may have been published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    /// At any time.
    Any,
    /// Not longer ago than this.
    Age(TimeRange),
    /// On this day or after it.
    Since(NaiveDate),
}

impl Period {
    /// The period of `query`. What tells of a year was written in it or after it, so the year is a
    /// beginning and never an end. It replaces "in the last year" when it is an earlier one, since
    /// then the two contradict each other; a narrower range is meant.
    pub(super) fn of(query: &ProviderQuery, now: DateTime<Utc>) -> Self {
        let past = query
            .year
            .filter(|year| (FIRST_YEAR..now.year()).contains(year))
            .and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
        match (query.time_range, past) {
            (None | Some(TimeRange::Year), Some(first)) => Self::Since(first),
            (Some(range), _) => Self::Age(range),
            (None, None) => Self::Any,
        }
    }
}

/// `date` as engines from the United States want it: "1/31/2023".
pub(super) fn american(date: NaiveDate) -> String {
    format!("{}/{}/{}", date.month(), date.day(), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::tests::question;
    use chrono::TimeZone;

    #[test]
    fn a_past_year_is_where_results_begin_and_replaces_the_last_year_only() {
        let now = Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap();
        let since = |year| Period::Since(NaiveDate::from_ymd_opt(year, 1, 1).unwrap());
        let month = TimeRange::Month;
        let year = TimeRange::Year;
        for (named, range, expected) in [
            (None, None, Period::Any),
            (Some(2023), None, since(2023)),
            (Some(2023), Some(year), since(2023)),
            (Some(2023), Some(month), Period::Age(month)),
            (Some(2026), Some(year), Period::Age(year)),
            (Some(2026), None, Period::Any),
            (Some(2027), None, Period::Any),
            (Some(1969), None, Period::Any),
            (Some(1969), Some(year), Period::Age(year)),
        ] {
            let query = ProviderQuery {
                year: named,
                time_range: range,
                ..question("x")
            };
            assert_eq!(Period::of(&query, now), expected, "{named:?} {range:?}");
        }
    }
}
