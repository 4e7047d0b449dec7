//! The environment of an application, beside what its command says by itself.
//!
//! The trap is the order. First the reference's defaults, then who the user is, then what was given: the last word on a name is the caller's, and what he
//! says of one in the command itself is more than a default. Three names are not his there: the session's directory, without which nothing can be said to
//! the host, the port, on which the application is waited for, and the working directory.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::preloader::session::{Arguments, Owner, Value};

/// A variable; none: it is removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<OsString>,
    /// Whether it is set again behind a login shell. (Who the user is the shell may say otherwise.)
    pub again: bool,
}

/// What decides.
pub struct Facts<'a> {
    pub arguments: &'a Arguments,
    /// The port that was found.
    pub port: Option<u16>,
    /// The session's.
    pub directory: &'a Path,
    /// Whose name, home and shell it is to have.
    pub owner: &'a Owner,
    /// What RUBYOPT is without us.
    pub rubyopt: Option<CString>,
}

#[derive(Default)]
struct List(Vec<Variable>);

impl List {
    fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.change(name, Some(value.as_ref().to_owned()), true);
    }

    fn change(&mut self, name: &str, value: Option<OsString>, again: bool) {
        match self.0.iter_mut().find(|known| known.name == name) {
            Some(known) => (known.value, known.again) = (value, again),
            None => self.0.push(Variable { name: name.to_owned(), value, again }),
        }
    }
}

/// All that is set and removed. `said`: whether the command says something of a name itself. `missing`: whether the user's name, home or shell is to be
/// told by this variable.
pub fn all(facts: &Facts<'_>, said: &dyn Fn(&str) -> bool, missing: &dyn Fn(&str) -> bool) -> Result<Vec<Variable>> {
    let mut list = List::default();
    defaults(&mut list, facts);
    person(&mut list, facts.owner, missing);
    list.0.retain(|variable| !said(&variable.name));
    list.set("IN_PASSENGER", "1");
    if let Some(port) = facts.port {
        list.set("PORT", port.to_string());
    }
    if let Some(root) = facts.arguments.text("app_root") {
        list.set("PWD", root);
    }
    if facts.arguments.flag("preload_bundler") {
        // Whoever has set it: this is added.
        let before = facts.rubyopt.as_ref().map_or(&b""[..], |value| value.as_bytes());
        list.set("RUBYOPT", OsStr::from_bytes(&[before, b" -r bundler/setup"].concat()));
    }
    if let Some(Value::Object(given)) = facts.arguments.get("environment_variables") {
        for (name, value) in given {
            match value {
                Value::Null => list.change(name, None, true),
                Value::String(text) => list.set(name, text),
                Value::Bool(_) | Value::Number(_) => list.set(name, value.to_string()),
                Value::Array(_) | Value::Object(_) => {
                    return Err(Error::invalid(
                        "environment_variables",
                        format!("environment_variables: {name:?} has no text for its value"),
                    ));
                }
            }
        }
    }
    list.set("PASSENGER_SPAWN_WORK_DIR", facts.directory);
    Ok(list.0)
}

/// The reference's.
fn defaults(list: &mut List, facts: &Facts<'_>) {
    let arguments = facts.arguments;
    list.set("PYTHONUNBUFFERED", "1");
    if let Some(libraries) = arguments.text("node_libdir") {
        list.set("NODE_PATH", libraries);
    }
    if let Some(kind) = arguments.text("app_env") {
        for name in ["RAILS_ENV", "RACK_ENV", "WSGI_ENV", "NODE_ENV", "PASSENGER_APP_ENV"] {
            list.set(name, kind);
        }
    }
    let base = arguments.text("base_uri").filter(|base| !base.is_empty() && *base != "/");
    for name in ["RAILS_RELATIVE_URL_ROOT", "RACK_BASE_URI", "PASSENGER_BASE_URI"] {
        list.change(name, base.map(OsString::from), true);
    }
}

/// Who it is. One without an entry has its number for a name, and no home.
fn person(list: &mut List, owner: &Owner, missing: &dyn Fn(&str) -> bool) {
    let name = owner.name.clone().unwrap_or_else(|| owner.uid.to_string());
    let home = owner.home.as_deref().unwrap_or(Path::new("/"));
    let shell = owner.shell.as_deref().unwrap_or(Path::new("/bin/sh"));
    let all = [("USER", OsStr::new(&name)), ("LOGNAME", OsStr::new(&name)), ("SHELL", shell.as_os_str()), ("HOME", home.as_os_str())];
    for (variable, value) in all.into_iter().filter(|(variable, _)| missing(variable)) {
        list.change(variable, Some(value.to_owned()), false);
    }
}
