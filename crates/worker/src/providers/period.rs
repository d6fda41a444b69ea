//! The period of publication that a query asks for.

use crate::pipeline::{ProviderQuery, TimeRange};
use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// An earlier year in a question is its subject, not a date of publication: pages about it were
/// written later.
const MIN_YEAR: i32 = 2000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    /// Any time.
    Any,
    /// At most this long ago.
    MaxAge(TimeRange),
    /// On or after this day.
    Since(NaiveDate),
}

impl Period {
    /// The period of `query`. Pages about a year are published in it or later, so the year is a
    /// start and never an end. An earlier year replaces "in the last year", which would contradict
    /// it; a narrower range wins over the year.
    pub(super) fn from_query(query: &ProviderQuery, now: DateTime<Utc>) -> Self {
        let past = query
            .year
            .filter(|year| (MIN_YEAR..now.year()).contains(year))
            .and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
        match (query.time_range, past) {
            (None | Some(TimeRange::Year), Some(first)) => Self::Since(first),
            (Some(range), _) => Self::MaxAge(range),
            (None, None) => Self::Any,
        }
    }
}

/// `date` in US format, as some engines require: "1/31/2023".
pub(super) fn us_date(date: NaiveDate) -> String {
    format!("{}/{}/{}", date.month(), date.day(), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::tests::question;
    use chrono::TimeZone;

    #[test]
    fn past_year_is_a_start_date_and_replaces_only_the_last_year() {
        let now = Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap();
        let since = |year| Period::Since(NaiveDate::from_ymd_opt(year, 1, 1).unwrap());
        let month = TimeRange::Month;
        let year = TimeRange::Year;
        for (named, range, expected) in [
            (None, None, Period::Any),
            (Some(2023), None, since(2023)),
            (Some(2023), Some(year), since(2023)),
            (Some(2023), Some(month), Period::MaxAge(month)),
            (Some(2026), Some(year), Period::MaxAge(year)),
            (Some(2026), None, Period::Any),
            (Some(2027), None, Period::Any),
            (Some(1969), None, Period::Any),
            (Some(1969), Some(year), Period::MaxAge(year)),
        ] {
            let query = ProviderQuery {
                year: named,
                time_range: range,
                ..question("x")
            };
            assert_eq!(
                Period::from_query(&query, now),
                expected,
                "{named:?} {range:?}"
            );
        }
    }
}
