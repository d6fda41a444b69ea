//! Statistics of a Redis.

use redis::aio::MultiplexedConnection;

/// The value of `name` in a section of `INFO`.
pub async fn value(redis: &mut MultiplexedConnection, section: &str, name: &str) -> Option<String> {
    let info: String = redis::cmd("INFO")
        .arg(section)
        .query_async(redis)
        .await
        .expect("INFO");
    info.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(known, value)| (known == name).then(|| value.trim().to_owned()))
}

/// How often it has run a command since its statistics were reset.
pub async fn calls(redis: &mut MultiplexedConnection, command: &str) -> u64 {
    let name = format!("cmdstat_{command}");
    let statistics = value(redis, "commandstats", &name).await;
    statistics.map_or(0, |line| {
        let calls = line
            .strip_prefix("calls=")
            .and_then(|it| it.split(',').next());
        calls.expect("a count").parse().expect("a number")
    })
}
