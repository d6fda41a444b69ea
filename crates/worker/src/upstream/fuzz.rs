//! Generators of malformed bodies, for property tests.

use proptest::prelude::*;
use serde_json::Value;

/// JSON with members of these names and values of every type, some of them plausible.
pub(crate) fn arbitrary_json(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,40}",
        "https://[a-c]\\.example/[1-3]",
        Just("2024-05-01T10:00:00".to_owned()),
        Just("<b>3 days ago</b> &amp; [1][2]".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        let member = (prop::sample::select(names), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let members = members.into_iter();
                Value::Object(
                    members
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// A sample with random values or bytes replaced, or its end cut off.
pub(crate) fn damaged(
    samples: Vec<Vec<u8>>,
    names: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let place = any::<prop::sample::Index>;
    let values = prop::collection::vec((place(), arbitrary_json(names)), 0..4);
    let bytes = prop::collection::vec((place(), any::<u8>()), 0..3);
    // Most stay valid JSON, so that the code that reads the values runs.
    let end = prop::option::weighted(0.2, place());
    let bytes = prop_oneof![3 => Just(Vec::new()), 1 => bytes];
    (prop::sample::select(samples), values, bytes, end).prop_map(|(sample, values, bytes, end)| {
        let mut body = match serde_json::from_slice::<Value>(&sample) {
            Ok(mut json) => {
                for (place, value) in values {
                    let pointers = json_pointers(&json);
                    let pointer = place.get(&pointers);
                    *json.pointer_mut(pointer).unwrap() = value;
                }
                json.to_string().into_bytes()
            }
            Err(_) => sample,
        };
        for (place, byte) in bytes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if let Some(end) = end {
            body.truncate(end.index(body.len()));
        }
        body
    })
}

/// A JSON pointer to each value.
fn json_pointers(value: &Value) -> Vec<String> {
    let inside: Vec<(String, &Value)> = match value {
        Value::Array(items) => (0..)
            .zip(items)
            .map(|(at, item): (usize, _)| (at.to_string(), item))
            .collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, item)| (name.replace('~', "~0").replace('/', "~1"), item))
            .collect(),
        _ => Vec::new(),
    };
    let below = inside.into_iter().flat_map(|(name, item)| {
        json_pointers(item)
            .into_iter()
            .map(move |rest| format!("/{name}{rest}"))
    });
    std::iter::once(String::new()).chain(below).collect()
}
