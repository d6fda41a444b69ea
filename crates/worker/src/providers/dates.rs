//! Parses the dates that search engines write.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Parses ISO 8601 (UTC without a time zone), RFC 2822, "Jan 2, 2024", "2 January 2024" and "3 days
/// ago". Dates in the future are rejected.
pub(super) fn parse(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let at = parse_timestamp(text)
        .or_else(|| parse_day(text))
        .or_else(|| parse_relative(text, now))?;
    // One day of tolerance for time zones ahead of UTC.
    (at <= now + TimeDelta::days(1)).then_some(at)
}

fn parse_timestamp(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text))
    {
        return Some(at.with_timezone(&Utc));
    }
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .map(|at| at.and_utc())
}

fn parse_day(text: &str) -> Option<DateTime<Utc>> {
    ["%Y-%m-%d", "%b %d, %Y", "%d %b %Y", "%B %d, %Y", "%d %B %Y"]
        .iter()
        .find_map(|form| NaiveDate::parse_from_str(text, form).ok())
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .map(|at| at.and_utc())
}

fn parse_relative(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut words = text.split_whitespace();
    let number: u32 = match words.next()? {
        "a" | "an" => 1,
        digits => digits.parse().ok()?,
    };
    let unit = words.next()?;
    if words.next()? != "ago" {
        return None;
    }
    match unit.trim_end_matches('s') {
        "second" | "sec" => now.checked_sub_signed(TimeDelta::seconds(number.into())),
        "minute" | "min" => now.checked_sub_signed(TimeDelta::minutes(number.into())),
        "hour" => now.checked_sub_signed(TimeDelta::hours(number.into())),
        "day" => now.checked_sub_days(Days::new(number.into())),
        "week" => now.checked_sub_days(Days::new(u64::from(number) * 7)),
        "month" => now.checked_sub_months(Months::new(number)),
        "year" => now.checked_sub_months(Months::new(number.checked_mul(12)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{SecondsFormat, TimeZone};

    fn read(text: &str) -> Option<String> {
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
        parse(text, now).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    #[test]
    fn all_documented_formats_are_parsed() {
        for (text, expected) in [
            ("2024-05-01T10:20:30", "2024-05-01T10:20:30Z"),
            ("2024-05-01T10:20:30.123", "2024-05-01T10:20:30Z"),
            ("2024-05-01T10:20:30+02:00", "2024-05-01T08:20:30Z"),
            ("2024-05-01 10:20:30", "2024-05-01T10:20:30Z"),
            ("2024-05-01", "2024-05-01T00:00:00Z"),
            ("Jan 2, 2024", "2024-01-02T00:00:00Z"),
            ("2 Jan 2024", "2024-01-02T00:00:00Z"),
            ("January 2, 2024", "2024-01-02T00:00:00Z"),
            ("3 days ago", "2026-11-20T12:00:00Z"),
            ("1 hour ago", "2026-11-23T11:00:00Z"),
            ("2 months ago", "2026-09-23T12:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_and_future_dates_are_rejected() {
        for text in [
            "",
            "yesterday",
            "vor 3 Tagen",
            "2031-01-01",
            "99999999999 days ago",
            "4000000000 years ago",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
