use super::*;

const REDIS_MD: &str = include_str!("../../../../docs/REDIS.md");

#[test]
fn redis_md_lists_exactly_the_keys_of_the_table() {
    let rows: Vec<String> = KEY_TABLE
        .iter()
        .map(|key| {
            let KeySpec {
                pattern,
                kind,
                ttl,
                writer,
                readers,
                holds,
            } = key;
            format!("| `{pattern}` | {kind} | {ttl} | {writer} | {readers} | {holds} |")
        })
        .collect();
    let shown: Vec<&str> = REDIS_MD
        .lines()
        .filter(|line| line.starts_with("| `{search") || line.starts_with("| `search_"))
        .collect();
    assert_eq!(shown, rows);
}

#[test]
fn every_key_that_is_built_has_a_row() {
    let id = Uuid::nil();
    let built = [record(id), control(id), events(id), erased(id)]
        .into_iter()
        .chain(
            Mode::ALL
                .into_iter()
                .flat_map(|mode| [queue(mode), pending(mode)]),
        )
        .chain([cached_result, leader_lock, cached_page, rate_limit].map(|key| key("<digest>")))
        .chain(
            [
                LIVE,
                SEQ,
                UNSAVED,
                FAILURES,
                CALLBACKS,
                WORKERS,
                WORKER_DESCRIPTIONS,
                WRITE_PROBE,
            ]
            .map(str::to_owned),
        );
    for key in built {
        let pattern = Mode::ALL
            .into_iter()
            .fold(key.replace(&id.to_string(), "<id>"), |pattern, mode| {
                pattern.replace(&format!(":{mode}"), ":<mode>")
            });
        assert!(
            KEY_TABLE.iter().any(|row| row.pattern == pattern),
            "{key} has no row"
        );
    }
}

#[test]
fn only_the_record_key_starts_with_its_prefix() {
    let others = KEY_TABLE
        .iter()
        .filter(|key| key.pattern.starts_with("search_job:"));
    assert_eq!(others.count(), 1);
}

#[test]
fn an_aside_key_stays_in_its_group_and_is_no_record() {
    let id = Uuid::nil();
    let of_job = [record(id), control(id), events(id)];
    for key in of_job.iter().map(String::as_str).chain([LIVE, SEQ]) {
        let aside = aside(key);
        let group = if key.contains("search_job:") {
            format!("{{search_job:{id}}}:aside:")
        } else {
            "{search}:aside:".to_owned()
        };
        assert!(aside.starts_with(&group), "{aside}");
        assert!(is_aside(&aside) && !is_aside(key), "{aside}");
        assert_ne!(aside, group);
    }
}
