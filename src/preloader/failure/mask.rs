//! What is not shown: what the caller called confidential, and what looks like a secret in an environment.
//!
//! The trap: a value that was given for a variable of the application comes back under other names: in the dump of its environment, in an
//! address that was made of it, in an annotation. So a confidential value is masked by the name that it was given, and wherever else it stands. A
//! word that says nothing by itself (`production`, a path) is masked under its own name only, or there would be nothing left to read.
//!
//! Nothing here is a proof: the application's own words (its output, its texts) are shown as they are.

use std::collections::BTreeSet;

use crate::preloader::session::{Arguments, Value};
use crate::report::dumps::Dumps;

/// What stands in its place.
pub const MASK: &str = "(confidential)";

/// Arguments that are confidential by themselves.
const CONFIDENTIAL: [&str; 3] = ["api_key", "group_uuid", "connect_password"];
/// Parts of a name that say what its value is.
const TELLING: &[&str] = &["SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "TOKEN", "CREDENTIAL", "APIKEY", "PRIVATE"];
/// The same, as whole words of it.
const WORDS: &[&str] = &["KEY", "KEYS", "PASS", "PW", "PWD", "AUTH", "DSN", "COOKIE", "JWT", "SALT"];

/// Knows what is confidential.
#[derive(Debug, Default)]
pub struct Mask {
    names: BTreeSet<String>,
    /// The longest first: one may be the beginning of another.
    values: Vec<String>,
}

impl Mask {
    /// By what was given.
    pub fn of(arguments: &Arguments) -> Self {
        let mut mask = Self::default();
        if let Some(Value::Object(given)) = arguments.get("environment_variables") {
            for (name, value) in given {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if is_distinct(&text) || (is_secret_name(name) && text.len() >= 4) {
                    mask.values.push(text);
                }
                mask.names.insert(name.clone());
            }
        }
        let confidential = CONFIDENTIAL.iter().filter_map(|name| arguments.text(name));
        mask.values.extend(confidential.filter(|value| value.len() >= 4).map(str::to_owned));
        mask.values.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        mask.values.dedup();
        mask
    }

    /// Any text.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            if text.contains(value.as_str()) {
                text = text.replace(value.as_str(), MASK);
            }
        }
        text
    }

    /// All texts of a value; what keys say is no secret.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            // What is within these was read as JSON by us, which nests no deeper than serde_json goes.
            Value::Array(list) => list.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(mut map) => {
                map.values_mut().for_each(|item| *item = self.value(item.take()));
                Value::Object(map)
            }
            other => other,
        }
    }

    /// One variable, `NAME=value`.
    pub fn entry(&self, entry: &str) -> String {
        match entry.split_once('=') {
            Some((name, value)) if !value.is_empty() && self.is_hidden(name, value) => format!("{}={MASK}", self.text(name)),
            Some((name, value)) => format!("{}={}", self.text(name), without_password(&self.text(value))),
            None => self.text(entry),
        }
    }

    fn is_hidden(&self, name: &str, value: &str) -> bool {
        self.names.contains(name) || is_secret_name(name) || value.contains("PRIVATE KEY-----")
    }

    /// A dump of variables, one a line. A value may have lines of its own: they go with it.
    pub fn environment(&self, dump: &str) -> String {
        let mut entries: Vec<String> = Vec::new();
        let mut in_block = false;
        for line in dump.lines() {
            match entries.last_mut() {
                Some(last) if in_block || !begins_a_variable(line) => {
                    last.push('\n');
                    last.push_str(line);
                }
                _ => entries.push(line.to_owned()),
            }
            in_block = (in_block || line.contains("-----BEGIN ")) && !line.contains("-----END ");
        }
        // A value of several lines that was given is found only in the whole.
        self.text(&entries.iter().map(|entry| self.entry(entry)).collect::<Vec<_>>().join("\n"))
    }

    /// All that a process has written down of itself.
    pub fn dumps(&self, dumps: &Dumps) -> Dumps {
        Dumps {
            envvars: dumps.envvars.as_deref().map(|dump| self.environment(dump)),
            user_info: dumps.user_info.as_deref().map(|dump| self.text(dump)),
            ulimits: dumps.ulimits.as_deref().map(|dump| self.text(dump)),
            annotations: dumps.annotations.iter().map(|(name, value)| (name.clone(), self.text(value))).collect(),
        }
    }
}

fn begins_a_variable(line: &str) -> bool {
    let is_name = |name: &str| {
        let mut letters = name.chars();
        name.len() <= 128
            && letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || "_.-()%".contains(c))
    };
    line.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Whether a variable of that name holds a secret, as far as a name can tell.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if matches!(name.as_str(), "PWD" | "OLDPWD" | "SSH_AUTH_SOCK") {
        return false;
    }
    TELLING.iter().any(|part| name.contains(part)) || name.split(['_', '-', '.']).any(|word| WORDS.contains(&word))
}

/// Whether a value is found again by chance only: no path, no plain word, no number.
fn is_distinct(value: &str) -> bool {
    let has = |kind: fn(char) -> bool| usize::from(value.contains(kind));
    let kinds = has(|c| c.is_ascii_digit()) + has(char::is_lowercase) + has(char::is_uppercase) + has(|c: char| !c.is_alphanumeric());
    value.len() >= 8 && kinds >= 2 && !value.starts_with('/')
}

/// `scheme://user:password@host`: without the password.
fn without_password(value: &str) -> String {
    let mut masked = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("://") {
        masked.push_str(before);
        masked.push_str("://");
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        let authority = &after[..end];
        match authority.rsplit_once('@').and_then(|(who, host)| Some((who.split_once(':')?.0, host))) {
            Some((user, host)) => {
                masked.push_str(user);
                masked.push(':');
                masked.push_str(MASK);
                masked.push('@');
                masked.push_str(host);
            }
            None => masked.push_str(authority),
        }
        rest = &after[end..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: PA-14
    #[test]
    fn a_secret_is_hidden_in_the_name_of_a_variable_as_well() {
        let mut arguments = Arguments::default();
        arguments.set("api_key", Some("hunter2-Hunter2")).unwrap();
        let mask = Mask::of(&arguments);
        for entry in ["hunter2-Hunter2=x", "Xhunter2-Hunter2X_TOKEN=y", "hunter2-Hunter2", "A=hunter2-Hunter2"] {
            assert!(!mask.entry(entry).contains("hunter2"), "{}", mask.entry(entry));
        }
    }
}
