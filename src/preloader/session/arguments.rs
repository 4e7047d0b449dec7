//! What a session is told: the arguments by the reference's names, each of its type.
//!
//! The trap: a name becomes the name of a file that a privileged host makes (`args/<name>`), and a value comes from whoever configures an application. So
//! both are checked where they are said; what only makes sense together is checked before a start, all of it at once (`violations.rs`).
//!
//! | type      | names                                                                                  | its text                        |
//! |-----------|----------------------------------------------------------------------------------------|---------------------------------|
//! | yes or no | [`FLAGS`]                                                                              | `true`, `false`                 |
//! | number    | [`NUMBERS`]                                                                            | decimal                         |
//! | variables | `environment_variables`                                                                | base64 of NUL-separated names and values, or a JSON object |
//! | any JSON  | `NAME.json`, for the argument NAME: the name that its file has                         | JSON                            |
//! | text      | all others, also those that nobody here knows                                          | as it is                        |

use core::fmt;

use serde_json::Map;
pub use serde_json::Value;

use super::variables;
use crate::error::{Error, Result, Status};

/// The longest name.
pub const LONGEST_NAME: usize = 64;
/// The longest value, as text: what is longer could be no argument or variable of a program either (MAX_ARG_STRLEN of execve(2)).
pub const LONGEST_VALUE: usize = 128 * 1024;
/// The most of them.
pub const MOST: usize = 256;

/// Those that are yes or no.
pub const FLAGS: [&str; 7] = [
    "generic_app",
    "starts_using_wrapper",
    "wrapper_supplied_by_third_party",
    "preload_bundler",
    "load_shell_envvars",
    "debug_work_dir",
    "find_free_port",
];
/// Those that are numbers.
pub const NUMBERS: [&str; 7] =
    ["log_level", "file_descriptor_ulimit", "lve_min_uid", "UNIX_PATH_MAX", "expected_start_port", "start_port_min", "start_port_max"];
/// Those that are for the host alone, and not passed on.
pub const OWN: [&str; 7] =
    ["spawn_dir", "debug_work_dir", "start_port_min", "start_port_max", "find_free_port", "default_user", "default_group"];
/// Those that nobody is to read in a report (PA-14).
pub const CONFIDENTIAL: [&str; 4] = ["environment_variables", "api_key", "group_uuid", "connect_password"];
/// What stands in their place.
const MASK: &str = "(confidential)";

/// Arguments by name, in the order in which they were said.
#[derive(Clone, Default, PartialEq)]
pub struct Arguments {
    list: Vec<(Box<str>, Value)>,
    warnings: Vec<String>,
}

impl fmt::Debug for Arguments {
    /// Without secrets, wherever it may be printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arguments").field(&self.public()).finish()
    }
}

/// A copy of what may be long.
fn copy(text: &str) -> Result<String> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len()).map_err(|_| no_memory())?;
    copy.push_str(text);
    Ok(copy)
}

fn no_memory() -> Error {
    Error::system("malloc", nix::errno::Errno::ENOMEM, "no memory for an argument of the session")
}

/// Refuses what would be no name of a file in `args/`, or another argument's.
fn check_name(name: &str) -> Result<()> {
    let why = match name {
        "" => "is empty",
        "." | ".." => "means a directory",
        "start_timeout_msec" => "is not said here: the time of a start is the timeout of the call",
        _ if name.len() > LONGEST_NAME => "has more than 64 bytes",
        _ if name.contains('/') => "holds a slash, and it becomes the name of a file",
        _ if name.contains(char::is_control) => "holds a control character",
        _ if name.ends_with(".json") => "ends twice in .json",
        _ => return Ok(()),
    };
    let shown: String = name.chars().take(LONGEST_NAME).collect();
    Err(Error::invalid("name", format!("name: {shown:?} {why}")))
}

fn typed(name: &str, text: &str, warnings: &mut Vec<String>) -> Result<Value> {
    let refused = |what: &str| Error::invalid("value", format!("value: {name} is {what}"));
    Ok(match name {
        _ if FLAGS.contains(&name) => Value::Bool(text.parse().map_err(|_| refused("true or false"))?),
        _ if NUMBERS.contains(&name) => Value::from(text.parse::<i64>().map_err(|_| refused("a whole number"))?),
        "environment_variables" if text.starts_with('{') => json(name, text)?,
        "environment_variables" => variables::decode(text.as_bytes()).unwrap_or_else(|| {
            warnings.push("environment_variables: this is no base64 of pairs of names and values, so there are none".to_owned());
            Value::Object(Map::new())
        }),
        _ => Value::String(copy(text)?),
    })
}

fn json(name: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::invalid("value", format!("value: {name} is no JSON: {error}")))
}

impl Arguments {
    /// Sets one, from its text; none takes it away. Refused, it changes nothing.
    pub fn set(&mut self, name: &str, text: Option<&str>) -> Result<()> {
        let (name, is_json) = name.strip_suffix(".json").map_or((name, false), |name| (name, true));
        check_name(name)?;
        let Some(text) = text else {
            self.list.retain(|(known, _)| **known != *name);
            return Ok(());
        };
        if text.len() > LONGEST_VALUE {
            return Err(Error::invalid("value", format!("value: {name} has {} bytes, the most is {LONGEST_VALUE}", text.len())));
        }
        if text.contains('\0') {
            return Err(Error::invalid("value", format!("value: {name} holds a NUL")));
        }
        let mut warnings = Vec::new();
        let value = if is_json { json(name, text)? } else { typed(name, text, &mut warnings)? };
        self.put(name, value)?;
        self.warnings.append(&mut warnings);
        self.warnings.truncate(16);
        Ok(())
    }

    /// Sets one whose value is at hand. Whether its type is right is told by `violations`.
    pub fn put(&mut self, name: &str, value: Value) -> Result<()> {
        check_name(name)?;
        if let Some((_, known)) = self.list.iter_mut().find(|(known, _)| **known == *name) {
            *known = value;
            return Ok(());
        }
        if self.list.len() == MOST {
            return Err(Error::new(Status::Limit, "name", format!("name: {MOST} arguments of a session are the most")));
        }
        self.list.try_reserve(1).map_err(|_| no_memory())?;
        self.list.push((name.into(), value));
        Ok(())
    }

    /// Sets one that was not said.
    pub fn otherwise(&mut self, name: &str, value: impl Into<Value>) -> Result<()> {
        if self.get(name).is_none() { self.put(name, value.into()) } else { Ok(()) }
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

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.list.iter().map(|(name, value)| (&**name, value))
    }

    /// What was strange about them, each a sentence.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// These, and what they do not say from `base`.
    pub fn over(&self, base: &Self) -> Self {
        let mut both = base.clone();
        for (name, value) in &self.list {
            match both.list.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = value.clone(),
                None => both.list.push((name.clone(), value.clone())),
            }
        }
        both.warnings.extend(self.warnings.iter().cloned());
        both
    }

    /// All of them, for people: what is confidential is masked.
    pub fn public(&self) -> Value {
        let shown = |name: &str, value: &Value| if CONFIDENTIAL.contains(&name) { MASK.into() } else { value.clone() };
        Value::Object(self.iter().map(|(name, value)| (name.to_owned(), shown(name, value))).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(arguments: &mut Arguments, name: &str, text: &str) -> Result<()> {
        arguments.set(name, Some(text))
    }

    // covers: PA-17, D-10
    #[test]
    fn what_could_not_be_a_name_of_a_file_is_refused() {
        let long = "n".repeat(65);
        for name in ["", ".", "..", "a/b", "../x", "a\0b", "a\nb", ".json", "a.json.json", &long, "start_timeout_msec"] {
            let mut arguments = Arguments::default();
            let error = set(&mut arguments, name, "1").unwrap_err();
            assert_eq!((error.status, error.step), (Status::InvalidArgument, "name"), "{name:?}");
            assert_eq!(arguments, Arguments::default());
        }
        set(&mut Arguments::default(), &"n".repeat(64), "1").unwrap();
    }

    // covers: PA-10, PA-17
    #[test]
    fn each_name_has_its_type_and_an_unknown_one_is_a_text() {
        let mut arguments = Arguments::default();
        for name in FLAGS {
            assert!(set(&mut arguments, name, "1").is_err() && set(&mut arguments, name, "").is_err());
            set(&mut arguments, name, "true").unwrap();
            assert!(arguments.flag(name));
        }
        for name in NUMBERS {
            assert!(set(&mut arguments, name, "1.5").is_err() && set(&mut arguments, name, "99999999999999999999").is_err());
            set(&mut arguments, name, "-7").unwrap();
            assert_eq!(arguments.integer(name), Some(-7));
        }
        set(&mut arguments, "my_own", "true").unwrap();
        assert_eq!(arguments.text("my_own"), Some("true"));
        set(&mut arguments, "my_own.json", "[1,{\"a\":null}]").unwrap();
        assert!(arguments.get("my_own").unwrap().is_array() && arguments.get("my_own.json").is_none());
        assert!(set(&mut arguments, "my_own.json", "[1").is_err());
        assert!(arguments.get("my_own").unwrap().is_array(), "it stays as it was");
        arguments.set("my_own", None).unwrap();
        assert!(arguments.get("my_own").is_none());
    }

    // covers: PA-14
    #[test]
    fn what_is_confidential_is_never_shown() {
        let mut arguments = Arguments::default();
        set(&mut arguments, "environment_variables", "{\"TOKEN\":\"hunter2\"}").unwrap();
        for name in ["api_key", "group_uuid", "connect_password"] {
            set(&mut arguments, name, "hunter2").unwrap();
        }
        set(&mut arguments, "app_root", "/srv/app").unwrap();
        let shown = format!("{} {arguments:?}", arguments.public());
        assert!(!shown.contains("hunter2") && !shown.contains("TOKEN") && shown.contains("/srv/app"), "{shown}");
        assert_eq!(shown.matches(MASK).count(), 8);
    }

    // covers: PA-15
    #[test]
    fn variables_come_as_base64_or_as_an_object_and_what_cannot_be_read_is_a_warning() {
        let mut arguments = Arguments::default();
        set(&mut arguments, "environment_variables", "QQBiAEMA").unwrap();
        assert_eq!(arguments.get("environment_variables").unwrap(), &serde_json::json!({"A": "b"}), "a name without a value is none");
        assert!(arguments.warnings().is_empty());
        set(&mut arguments, "environment_variables", "%%%").unwrap();
        assert_eq!(arguments.get("environment_variables").unwrap(), &serde_json::json!({}));
        assert_eq!(arguments.warnings().len(), 1);
        assert!(set(&mut arguments, "environment_variables", "{").is_err());
    }

    #[test]
    fn the_nearer_ones_win() {
        let (mut near, mut far) = (Arguments::default(), Arguments::default());
        set(&mut near, "app_env", "test").unwrap();
        set(&mut far, "app_env", "production").unwrap();
        set(&mut far, "log_level", "3").unwrap();
        let both = near.over(&far);
        assert_eq!((both.text("app_env"), both.integer("log_level")), (Some("test"), Some(3)));
    }

    // covers: LAW-17
    #[test]
    fn there_is_an_end_to_their_number_and_length() {
        let mut arguments = Arguments::default();
        assert!(set(&mut arguments, "a", &"x".repeat(LONGEST_VALUE + 1)).is_err());
        for number in 0..MOST {
            set(&mut arguments, &format!("a{number}"), "").unwrap();
        }
        assert_eq!(set(&mut arguments, "one_more", "").unwrap_err().status, Status::Limit);
        set(&mut arguments, "a0", "again").unwrap();
    }

    proptest! {
        #[test]
        fn no_text_of_a_name_or_value_leads_out_of_the_directory(name in ".{0,80}", text in ".{0,80}") {
            let mut arguments = Arguments::default();
            if arguments.set(&name, Some(&text)).is_ok() {
                for (name, _) in arguments.iter() {
                    let path = std::path::Path::new(name);
                    prop_assert!(path.components().count() == 1 && path.file_name().is_some() && name.len() <= LONGEST_NAME);
                }
            }
        }
    }
}
