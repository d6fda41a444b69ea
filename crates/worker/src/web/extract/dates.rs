//! Dates as pages write them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

/// Reads a date; one without a time zone counts as UTC, one without a time as midnight.
pub(super) fn parse(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let date = exact(text).or_else(|| local(text)).or_else(|| day(text))?;
    (1990..2100).contains(&date.year()).then_some(date)
}

fn exact(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z"))
        .or_else(|_| DateTime::parse_from_rfc2822(text))
        .ok()
        .map(|date| date.with_timezone(&Utc))
}

fn local(text: &str) -> Option<DateTime<Utc>> {
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .map(|date| date.and_utc())
}

fn day(text: &str) -> Option<DateTime<Utc>> {
    [
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y%m%d",
        "%B %d, %Y",
        "%b %d, %Y",
        "%d %B %Y",
        "%d %b %Y",
    ]
    .iter()
    .find_map(|form| NaiveDate::parse_from_str(text, form).ok())
    .and_then(|date| date.and_hms_opt(0, 0, 0))
    .map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_usual_spellings_are_read() {
        for text in [
            "2024-03-05T00:00:00Z",
            "2024-03-05T02:00:00+02:00",
            "2024-03-05T02:00:00.000+0200",
            "2024-03-05 00:00:00",
            "2024-03-05",
            "2024/03/05",
            "March 5, 2024",
            "5 March 2024",
            "Tue, 5 Mar 2024 00:00:00 GMT",
        ] {
            let date = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(date.to_rfc3339(), "2024-03-05T00:00:00+00:00", "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in ["", "yesterday", "0001-01-01", "2024-13-45", "9999-01-01"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
