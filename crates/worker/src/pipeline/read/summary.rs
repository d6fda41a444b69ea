//! Summarises the pages that were not read, for a warning.

use crate::pipeline::FetchError;

/// Whether the site does not allow the page to be read.
pub(super) fn is_blocked(error: &FetchError) -> bool {
    match error {
        FetchError::Forbidden(_) | FetchError::Status(401 | 403 | 429 | 451) => true,
        FetchError::NoContent(reason) => reason == "a bot check",
        _ => false,
    }
}

/// "2 of 5 pages could not be read: 1 too slow, 1 HTTP 403".
pub(super) fn failure_summary(failures: &[FetchError], total: usize) -> String {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for reason in failures.iter().map(ToString::to_string) {
        match counted.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => counted.push((reason, 1)),
        }
    }
    // Sorted, because the order in which pages fail is random.
    counted.sort_by(|(a, many), (b, few)| few.cmp(many).then_with(|| b.cmp(a)));
    let reasons: Vec<String> = counted
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    format!(
        "{} of {total} pages could not be read: {}",
        failures.len(),
        reasons.join(", ")
    )
}
