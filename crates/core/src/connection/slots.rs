//! Which slot of a Cluster a command belongs to, and which server a slot belongs to.

use redis::{Arg, Cmd, FromRedisValue, RedisResult, Value, from_redis_value};
use std::ops::RangeInclusive;

const SLOTS: u16 = 16384;

/// A host and a port.
pub(super) type Server = (String, u16);

/// The slot of a key: of what is between the first pair of braces, if that is anything.
pub(super) fn of_key(key: &[u8]) -> u16 {
    crc16(hash_tag(key).unwrap_or(key)) % SLOTS
}

/// The slot of the first key of a command, `None` when it has none. Knows the commands that are
/// used here: a script's keys come after its number of keys, all others begin with their key.
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

/// CRC-16/XMODEM, as the Cluster specification asks for.
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

/// The masters in a reply to CLUSTER SLOTS. A node that does not know its own name means `asked`.
///
/// # Errors
/// When the reply has another form.
pub(super) fn masters(
    reply: Value,
    asked: &str,
) -> RedisResult<Vec<(RangeInclusive<u16>, Server)>> {
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

/// The server that a redirection names. An empty host means `asked`.
pub(super) fn redirection(error: &redis::RedisError, asked: &str) -> Option<Server> {
    let (address, _slot) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    let host = if host.is_empty() { asked } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(of_key(b"foo"), 12182);
        assert_eq!(of_key(b"{foo}:bar"), 12182);
        assert_eq!(of_key(b"job:x"), of_key(b"{job:x}:ctl"));
        assert_eq!(of_key(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
    }

    #[test]
    fn the_key_of_a_script_is_found_behind_its_number_of_keys() {
        let mut script = redis::cmd("EVALSHA");
        script.arg("sha").arg(2).arg("foo").arg("{foo}2").arg("x");
        assert_eq!(of_command(&script), Some(12182));
        let mut get = redis::cmd("GET");
        get.arg("foo");
        assert_eq!(of_command(&get), Some(12182));
        assert_eq!(of_command(&redis::cmd("PING")), None);
    }

    #[test]
    fn masters_are_read_and_a_nameless_one_is_the_one_that_was_asked() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let row = |first, last, host| {
            let node = Value::Array(vec![host, Value::Int(7001), text("id")]);
            Value::Array(vec![Value::Int(first), Value::Int(last), node])
        };
        let reply = Value::Array(vec![row(0, 99, text("h")), row(100, 16383, Value::Nil)]);
        assert_eq!(
            masters(reply, "asked").unwrap(),
            [
                (0..=99, ("h".to_owned(), 7001)),
                (100..=16383, ("asked".to_owned(), 7001))
            ]
        );
    }
}
