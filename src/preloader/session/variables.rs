//! Environment variables as they come from a configuration: base64 of names and values, each ended by a NUL (PA-15).
//!
//! The trap: base64 has dialects. This is the one of RFC 4648 with or without its padding; line breaks are passed over. Anything else is no base64 at
//! all: half of a secret is worse than none.

use serde_json::{Map, Value};

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &text[..text.len() - padding];
    // One digit alone has not even a byte.
    if padding > 2 || padding > 0 && !text.len().is_multiple_of(4) || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut word = 0;
        for byte in group {
            word = word << 6 | digit(*byte)?;
        }
        word <<= 6 * (4 - group.len());
        bytes.extend_from_slice(&word.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

/// An object of names and values. A last name without a value is left out.
pub fn decode(text: &[u8]) -> Option<Value> {
    let bytes = base64(text)?;
    let text = String::from_utf8(bytes).ok()?;
    // The last NUL ends a value, and begins nothing.
    let mut words = text.strip_suffix('\0').unwrap_or(&text).split('\0');
    let mut variables = Map::new();
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        variables.insert(name.to_owned(), value.into());
    }
    Some(Value::Object(variables))
}

/// What is wrong with such an object.
pub fn violation(value: &Value) -> Option<String> {
    let Value::Object(variables) = value else { return Some("environment_variables is no object".to_owned()) };
    let wrong = variables.iter().find(|(name, value)| {
        let no_name = name.is_empty() || name.contains(['=', '\0']);
        no_name || value.as_str().is_none_or(|value| value.contains('\0'))
    });
    // Only the name: the value is confidential.
    wrong.map(|(name, _)| format!("environment_variables: {name:?} is no name of a variable with a text for its value"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // covers: PA-15
    #[test]
    fn base64_is_read_by_the_book() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zg", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9v\nYmE=", "fooba"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(base64(text.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{text:?}");
        }
        for text in ["Z", "Zm9vZ", "Zg=", "Zg===", "=", "====", "Zg======", "Z=g=", "Zm9-", "Zg==Zg=="] {
            assert_eq!(base64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(decode(b"//8="), None, "not UTF-8");
        assert_eq!(decode(b"").unwrap(), serde_json::json!({}));
        assert_eq!(decode(b"QQAA").unwrap(), serde_json::json!({"A": ""}));
        assert_eq!(decode(b"QQBiAEMAZAA=").unwrap(), serde_json::json!({"A": "b", "C": "d"}));
    }

    #[test]
    fn a_variable_has_a_name_and_a_text() {
        assert_eq!(violation(&serde_json::json!({"A": "b", "C": ""})), None);
        for value in [serde_json::json!([]), serde_json::json!({"": "x"}), serde_json::json!({"A=B": "x"}), serde_json::json!({"A": 1})] {
            assert!(violation(&value).is_some(), "{value}");
        }
        assert!(violation(&serde_json::json!({"A": "b\0c"})).is_some_and(|text| !text.contains("b\0c")), "no value is shown");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much_for_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(found) = base64(&bytes) {
                prop_assert!(found.len() <= bytes.len() / 4 * 3 + 2);
            }
            let _ = decode(&bytes);
        }
    }
}
