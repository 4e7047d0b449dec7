//! What a session is told: the arguments by the reference's names, each of its type.

pub use serde_json::Value;

use super::Purpose;
use crate::error::Result;

/// Arguments by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    list: Vec<(Box<str>, Value)>,
}

impl Arguments {
    /// Sets one, from its text; none takes it away.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let _ = (name, value);
        unimplemented!()
    }

    /// Sets one whose type is known.
    pub fn put(&mut self, name: &str, value: Value) -> Result<()> {
        let _ = (name, value);
        unimplemented!()
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.list.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }

    /// One that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// One that is yes or no; no, if it was not said.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// One that is a number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// These, and what they do not say from `base`.
    pub fn over(&self, base: &Self) -> Self {
        let _ = base;
        unimplemented!()
    }

    /// All that is wrong with them.
    pub fn violations(&self, purpose: Purpose) -> Vec<String> {
        let _ = purpose;
        unimplemented!()
    }

    /// All of them, for people: what is confidential is masked.
    pub fn public(&self) -> Value {
        unimplemented!()
    }
}
