use super::*;
use proptest::prelude::*;
use serde_json::json;

/// The lenient parser alone.
fn lenient(text: &str) -> Result<ParsedJson, JsonError> {
    lenient::parse(text, &mut None)
}

fn value(bytes: impl AsRef<[u8]>) -> Value {
    read(bytes.as_ref()).unwrap().value
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Escapes every character outside ASCII.
fn escaped(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect()
}

/// Malformed items that do not affect the items beside them.
const MALFORMED_ITEMS: [&str; 8] = [
    "{\"a\": 1} {\"b\": 2}",
    "'single'",
    "\"x\" : 1",
    "#",
    "<b>x</b>",
    "=1",
    "(1)",
    "\"a\"\"b\"",
];

/// Values that JSON does not allow, and how they are read.
fn invalid_values() -> [(&'static str, Value); 12] {
    let fffd = "\u{fffd}";
    [
        ("NaN", Value::Null),
        ("Infinity", Value::Null),
        ("-Infinity", Value::Null),
        ("1e999", Value::Null),
        ("undefined", Value::Null),
        ("\"\\ud83d\"", json!(fffd)),
        ("\"a\\ude00b\"", json!(format!("a{fffd}b"))),
        (
            "\"\\ud83d\\ud83d\\ude00\"",
            json!(format!("{fffd}\u{1f600}")),
        ),
        ("\"\\uzzzz\"", json!(format!("{fffd}zzzz"))),
        ("\"one\ntwo\u{1}\"", json!("one\ntwo\u{1}")),
        ("\"\\x\"", json!("x")),
        ("[1,2,]", json!([1, 2])),
    ]
}

proptest! {
    #[test]
    fn valid_json_is_read_as_by_serde_json(value in any_value()) {
        let value = json!([value]);
        let plain = value.to_string();
        for text in [&plain, &escaped(&plain), &serde_json::to_string_pretty(&value).unwrap()] {
            let read = lenient(text).unwrap();
            prop_assert_eq!(&read.value, &serde_json::from_str::<Value>(text).unwrap());
            prop_assert_eq!(read.dropped, 0);
        }
    }

    #[test]
    fn every_unicode_encoding_is_read(value in any_value()) {
        let object = json!({"value": value});
        let text = object.to_string();
        let expected: Value = serde_json::from_str(&text).unwrap();
        for marked in [text.clone(), format!("\u{feff}{text}")] {
            let units = || marked.encode_utf16();
            let chars = || marked.chars().map(u32::from);
            let encodings: [Vec<u8>; 5] = [
                marked.clone().into_bytes(),
                units().flat_map(u16::to_le_bytes).collect(),
                units().flat_map(u16::to_be_bytes).collect(),
                chars().flat_map(u32::to_le_bytes).collect(),
                chars().flat_map(u32::to_be_bytes).collect(),
            ];
            for bytes in encodings {
                prop_assert_eq!(&read(&bytes).unwrap().value, &expected);
            }
        }
    }

    #[test]
    fn malformed_item_is_dropped_alone(
        before in prop::collection::vec(any_value(), 0..4),
        broken in prop::sample::select(&MALFORMED_ITEMS[..]),
        after in prop::collection::vec(any_value(), 0..4),
    ) {
        let written = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>();
        let items = [written(&before), vec![broken.to_owned()], written(&after)].concat();
        let parsed = read(format!("{{\"results\": [{}]}}", items.join(",")).as_bytes()).unwrap();
        let results = parsed.value["results"].as_array().unwrap();
        let text = |values: &[Value]| Value::from(values.to_vec()).to_string();
        let expected: Vec<Value> = before.iter().chain(&after).cloned().collect();
        let expected: Vec<Value> = serde_json::from_str(&text(&expected)).unwrap();
        prop_assert!(parsed.dropped >= 1);
        // Compare numbers after one round trip through text.
        prop_assert!(results.starts_with(&expected[..before.len()]), "{:?}", results);
        prop_assert!(results.ends_with(&expected[before.len()..]), "{:?}", results);
    }

    #[test]
    fn bad_byte_costs_one_character(
        text in "[a-zé]{1,12}", at in any::<prop::sample::Index>(), byte in 0x80_u8..,
    ) {
        let mut bytes = text.clone().into_bytes();
        bytes.insert(at.index(bytes.len() + 1), byte);
        let body = [b"{\"a\": \"", bytes.as_slice(), b"\", \"b\": 2}"].concat();
        let read = value(&body);
        prop_assert_eq!(&read["a"], &json!(String::from_utf8_lossy(&bytes)));
        prop_assert_eq!(&read["b"], &json!(2));
    }

    #[test]
    fn arbitrary_input_does_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        text in "[\\[\\]{}\",:\\\\u0-9a-fA-FdDnNI. ]{0,200}",
    ) {
        let _ = read(&bytes);
        let _ = read(text.as_bytes());
        let _ = read(format!("[{text}]").as_bytes());
    }

    #[test]
    fn surrogate_pair_split_between_chunks_is_joined(
        before in "[a-zé]{0,6}", c in "[\u{10000}-\u{10ffff}]", after in "[a-zé]{0,6}",
    ) {
        let units: Vec<u16> = c.encode_utf16().collect();
        let mut half = PendingSurrogate::default();
        let first = format!("{{\"a\": \"{before}\\u{:04x}\"}}", units[0]);
        let second = format!("{{\"a\": \"\\u{:04x}{after}\"}}", units[1]);
        let first = read_piece(&first, &mut half).unwrap();
        let second = read_piece(&second, &mut half).unwrap();
        let joined = [&first, &second].map(|piece| piece["a"].as_str().unwrap().to_owned());
        prop_assert_eq!(joined.concat(), before + &c + &after);
        prop_assert_eq!(half, PendingSurrogate::default());
    }
}

#[test]
fn invalid_values_are_read_leniently() {
    for (written, expected) in invalid_values() {
        let object = format!("{{\"before\": 1, \"odd\": {written}, \"after\": [2]}}");
        let expected = json!({"before": 1, "odd": expected, "after": [2]});
        assert_eq!(value(&object), expected, "{written}");
    }
}

#[test]
fn unpaired_surrogate_is_lost() {
    let mut half = PendingSurrogate::default();
    let texts = [
        r#"{"a": "x\ud83d"}"#,
        r#"{"a": "y"}"#,
        r#"{"a": "\ude00z"}"#,
    ];
    let read = texts.map(|text| read_piece(text, &mut half).unwrap());
    assert_eq!(
        read,
        [
            json!({"a": "x"}),
            json!({"a": "y"}),
            json!({"a": "\u{fffd}z"})
        ]
    );
}

#[test]
fn other_or_incomplete_text_is_an_error() {
    for text in [
        "",
        "<html>",
        "NaN",
        "\"text\"x",
        "{",
        "{\"a\": [1, 2",
        "{\"a\": \"cut",
        "{\"a\": 1} {\"b\": 2}",
        "[1] x",
        "callback([1])",
    ] {
        assert_eq!(read(text.as_bytes()), Err(JsonError::NotJson), "{text}");
    }
}

#[test]
fn too_deeply_nested_item_is_dropped_alone() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for deep in [130, 50_000] {
            let nest = format!("{}1{}", open.repeat(deep), close.repeat(deep));
            let text = format!("{{\"results\": [1, [{nest}], 2, {{\"a\": {nest}}}, 3]}}");
            let parsed = read(text.as_bytes()).unwrap();
            let results = parsed.value["results"].as_array().unwrap();
            let numbers: Vec<&Value> = results.iter().filter(|item| item.is_number()).collect();
            assert_eq!(numbers, [&json!(1), &json!(2), &json!(3)]);
            // The result nests no deeper than serde_json accepts.
            let again = serde_json::from_str::<Value>(&parsed.value.to_string());
            assert_eq!(again.unwrap(), parsed.value);
        }
    }
}

#[test]
fn too_many_values_are_an_error() {
    let many = format!("[{}0]", "0,".repeat(MAX_VALUES + 1));
    assert_eq!(read(many.as_bytes()), Err(JsonError::TooManyValues));
}
