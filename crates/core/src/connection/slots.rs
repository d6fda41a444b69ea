//! Cluster slots: of a key or a command, and their owners in the replies of servers.

use redis::{Arg, Cmd, FromRedisValue, RedisResult, Value, from_redis_value};
use std::ops::RangeInclusive;

const SLOT_COUNT: u16 = 16384;

/// A host and a port.
pub(super) type HostPort = (String, u16);

/// The slot of a key: the hash of its hash tag (the text in the first pair of braces), or of the
/// whole key without one.
pub(super) fn of_key(key: &[u8]) -> u16 {
    crc16(hash_tag(key).unwrap_or(key)) % SLOT_COUNT
}

/// The slot of the first key of a command; `None` without keys. Handles only the commands used
/// here: a script's keys follow their count, other commands begin with their key.
pub(super) fn of_command(command: &Cmd) -> Option<u16> {
    let argument = |index| match command.args_iter().nth(index) {
        Some(Arg::Simple(bytes)) => Some(bytes),
        _ => None,
    };
    let key = match argument(0)?.to_ascii_uppercase().as_slice() {
        b"PING" | b"INFO" | b"ROLE" | b"SCRIPT" | b"CLIENT" | b"CLUSTER" | b"SCAN" => None,
        b"EVALSHA" | b"EVAL" if argument(2)? == b"0" => None,
        b"EVALSHA" | b"EVAL" => argument(3),
        _ => argument(1),
    };
    key.map(of_key)
}

fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|byte| *byte == b'{')?;
    let after = key.get(open + 1..)?;
    let close = after.iter().position(|byte| *byte == b'}')?;
    after.get(..close).filter(|tag| !tag.is_empty())
}

/// CRC-16/XMODEM, by the Cluster specification.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

/// The masters in a reply to CLUSTER SLOTS. A missing host stands for `asked`, the node that
/// replied.
///
/// # Errors
/// When the reply is malformed.
pub(super) fn parse_masters(
    reply: Value,
    asked: &str,
) -> RedisResult<Vec<(RangeInclusive<u16>, HostPort)>> {
    let rows: Vec<Vec<Value>> = from_redis_value(reply)?;
    let mut masters = Vec::with_capacity(rows.len());
    for row in rows {
        let mut row = row.into_iter();
        let (Some(first), Some(last), Some(master)) = (row.next(), row.next(), row.next()) else {
            continue;
        };
        let range = u16::from_redis_value(first)?..=u16::from_redis_value(last)?;
        let mut master = Vec::<Value>::from_redis_value(master)?.into_iter();
        let (Some(host), Some(port)) = (master.next(), master.next()) else {
            continue;
        };
        let host = Option::<String>::from_redis_value(host)?.filter(|host| !host.is_empty());
        let host = host.unwrap_or_else(|| asked.to_owned());
        masters.push((range, (host, u16::from_redis_value(port)?)));
    }
    Ok(masters)
}

/// The server in a redirection. An empty host stands for `asked`, the node that replied.
pub(super) fn redirection_target(error: &redis::RedisError, asked: &str) -> Option<HostPort> {
    let (address, _slot) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    let host = if host.is_empty() { asked } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_match_the_cluster_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(of_key(b"foo"), 12182);
        assert_eq!(of_key(b"{foo}:bar"), 12182);
        assert_eq!(of_key(b"job:x"), of_key(b"{job:x}:ctl"));
        assert_eq!(of_key(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOT_COUNT);
    }

    #[test]
    fn the_key_of_a_script_follows_the_number_of_keys() {
        let mut script = redis::cmd("EVALSHA");
        script.arg("sha").arg(2).arg("foo").arg("{foo}2").arg("x");
        assert_eq!(of_command(&script), Some(12182));
        let mut get = redis::cmd("GET");
        get.arg("foo");
        assert_eq!(of_command(&get), Some(12182));
        assert_eq!(of_command(&redis::cmd("PING")), None);
    }

    #[test]
    fn a_master_without_a_host_is_the_node_that_replied() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let row = |first, last, host| {
            let node = Value::Array(vec![host, Value::Int(7001), text("id")]);
            Value::Array(vec![Value::Int(first), Value::Int(last), node])
        };
        let reply = Value::Array(vec![row(0, 99, text("h")), row(100, 16383, Value::Nil)]);
        assert_eq!(
            parse_masters(reply, "asked").unwrap(),
            [
                (0..=99, ("h".to_owned(), 7001)),
                (100..=16383, ("asked".to_owned(), 7001))
            ]
        );
    }
}
