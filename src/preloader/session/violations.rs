//! Whether the arguments of a session make sense together: all that is wrong is told, not only the first of it (PA-9).
//!
//! What was not said has a default where there is a sensible one (`predefined.rs`), and is no violation then; what was said empty is one.

use serde_json::Value;

use super::arguments::{Arguments, FLAGS, NUMBERS};
use super::{Purpose, port, variables};

/// The longest `socket_dir`: a loader cuts the name of its socket at 98 bytes, and what it cuts is what no two sockets have in common.
pub const LONGEST_SOCKET_DIR: usize = 70;

/// Required, and without a default here: who starts the process knows them from its command.
const REQUIRED: [&str; 2] = ["app_root", "start_command"];
/// Required; with a default, so that only an empty one is wrong.
const NOT_EMPTY: [&str; 10] =
    ["app_group_name", "app_type", "app_env", "spawn_method", "bind_address", "base_uri", "user", "group", "socket_dir", "instance_dir"];
/// How a process may be started, by the reference's names. `dummy` starts none, and is for its own tests.
const METHODS: [&str; 4] = ["smart", "smart-lv2", "direct", "conservative"];

/// Whether the process is started by a program that loads the application (PA-11): as it was said, or else if there is a file for it to load.
pub fn uses_wrapper(arguments: &Arguments) -> bool {
    let said = arguments.get("starts_using_wrapper").and_then(Value::as_bool);
    let loads = || arguments.text("startup_file").is_some_and(|file| !file.is_empty());
    said.unwrap_or_else(loads) && !arguments.flag("generic_app")
}

fn range(arguments: &Arguments, name: &str, least: i64, most: i64, found: &mut Vec<String>) {
    if let Some(number) = arguments.integer(name)
        && !(least..=most).contains(&number)
    {
        found.push(format!("{name} is {number}, and must be from {least} to {most}"));
    }
}

impl Arguments {
    /// All that is wrong with them for this purpose, each a sentence.
    pub fn violations(&self, purpose: Purpose) -> Vec<String> {
        let mut found = Vec::new();
        let mut required = REQUIRED.to_vec();
        if uses_wrapper(self) {
            required.push("startup_file");
        }
        for name in &required {
            if self.get(name).is_none() {
                found.push(format!("{name} is not given"));
            }
        }
        let texts = |name: &str| !FLAGS.contains(&name) && !NUMBERS.contains(&name);
        for name in required.iter().chain(&NOT_EMPTY).filter(|name| texts(name)) {
            match self.get(name) {
                Some(Value::String(text)) if text.is_empty() => found.push(format!("{name} is empty")),
                None | Some(Value::String(_)) => {}
                Some(_) => found.push(format!("{name} is no text")),
            }
        }
        for (names, is_one, what) in
            [(&FLAGS, Value::is_boolean as fn(&Value) -> bool, "neither true nor false"), (&NUMBERS, Value::is_i64, "no whole number")]
        {
            let wrong = names.iter().filter(|name| self.get(name).is_some_and(|value| !is_one(value)));
            found.extend(wrong.map(|name| format!("{name} is {what}")));
        }
        found.extend(self.get("environment_variables").and_then(variables::violation));
        if let Some(method) = self.text("spawn_method").filter(|method| !method.is_empty() && !METHODS.contains(method)) {
            found.push(format!("spawn_method is {method:?}, and must be one of {}", METHODS.join(", ")));
        }
        range(self, "file_descriptor_ulimit", 0, i64::from(u32::MAX), &mut found);
        range(self, "lve_min_uid", 0, i64::from(u32::MAX), &mut found);
        range(self, "UNIX_PATH_MAX", 1, 107, &mut found);
        range(self, "expected_start_port", 1, 65_535, &mut found);
        found.extend(port::Range::of(self).err());
        self.violations_of_paths(purpose, &mut found);
        found
    }

    fn violations_of_paths(&self, purpose: Purpose, found: &mut Vec<String>) {
        for name in ["app_root", "startup_file", "socket_dir", "instance_dir", "spawn_dir"] {
            if self.text(name).is_some_and(|path| path.contains('\0') || path.len() >= 4096) {
                found.push(format!("{name} is no path"));
            }
        }
        let socket_dir = self.text("socket_dir").map(|dir| dir.trim_end_matches('/').len());
        let of_instance = self.text("instance_dir").map(|dir| dir.trim_end_matches('/').len() + "/apps.s".len());
        if let Some(length) = socket_dir.or(of_instance).filter(|length| *length > LONGEST_SOCKET_DIR) {
            found.push(format!(
                "socket_dir has {length} bytes, and {LONGEST_SOCKET_DIR} are the most: loaders cut the path of a socket at 98 bytes, and two sockets would get one name"
            ));
        }
        if purpose == Purpose::Worker && socket_dir.or(of_instance).is_none() {
            found.push("socket_dir is not given, and a worker's is that of its preloader".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(list: &[(&str, &str)]) -> Arguments {
        let mut arguments = Arguments::default();
        for (name, text) in list {
            arguments.set(name, Some(text)).unwrap();
        }
        arguments
    }

    const GOOD: [(&str, &str); 2] = [("app_root", "/srv/app"), ("start_command", "run")];

    // covers: PA-10
    #[test]
    fn what_has_a_default_need_not_be_said() {
        assert_eq!(arguments(&GOOD).violations(Purpose::Direct), [""; 0]);
        assert_eq!(arguments(&GOOD).violations(Purpose::Worker).len(), 1, "a worker has its preloader's socket_dir");
    }

    // covers: PA-9, PA-10, PA-12, PA-1
    #[test]
    fn every_violation_is_told() {
        let wrong = arguments(&[
            ("app_root", ""),
            ("app_env", ""),
            ("user", ""),
            ("spawn_method", "psychic"),
            ("file_descriptor_ulimit", "-1"),
            ("start_port_min", "9000"),
            ("start_port_max", "8000"),
            ("socket_dir", &format!("/{}", "d".repeat(70))),
            ("environment_variables", "{\"A=\":\"x\"}"),
            ("base_uri.json", "7"),
        ]);
        let found = wrong.violations(Purpose::Direct);
        for part in [
            "app_root is empty",
            "start_command is not given",
            "app_env is empty",
            "user is empty",
            "psychic",
            "file_descriptor_ulimit is -1",
            "start_port_min",
            "socket_dir has 71 bytes",
            "environment_variables",
            "base_uri is no text",
        ] {
            assert!(found.iter().any(|text| text.contains(part)), "{part} is not among {found:#?}");
        }
        assert_eq!(found.len(), 10, "{found:#?}");
    }

    // covers: PA-10, PA-11
    #[test]
    fn a_startup_file_belongs_to_a_wrapper_and_a_wrapper_to_what_is_not_generic() {
        let mut wrapped = arguments(&GOOD);
        wrapped.set("starts_using_wrapper", Some("true")).unwrap();
        assert_eq!(wrapped.violations(Purpose::Direct), ["startup_file is not given"]);
        assert!(uses_wrapper(&wrapped));
        wrapped.set("generic_app", Some("true")).unwrap();
        assert_eq!(wrapped.violations(Purpose::Direct), [""; 0]);
        assert!(!uses_wrapper(&wrapped));
    }

    // covers: PA-11
    #[test]
    fn what_has_a_file_to_load_is_a_wrapper_unless_it_is_said_to_be_none() {
        let mut given = arguments(&GOOD);
        assert!(!uses_wrapper(&given));
        given.set("startup_file", Some("config.ru")).unwrap();
        assert!(uses_wrapper(&given));
        given.set("starts_using_wrapper", Some("false")).unwrap();
        assert!(!uses_wrapper(&given));
    }

    // covers: PA-12
    #[test]
    fn a_limit_of_zero_is_none() {
        let mut none = arguments(&GOOD);
        none.set("file_descriptor_ulimit", Some("0")).unwrap();
        assert_eq!(none.violations(Purpose::Direct), [""; 0]);
    }

    // covers: D-13
    #[test]
    fn a_directory_of_sockets_is_short() {
        let mut long = arguments(&GOOD);
        long.set("socket_dir", Some(&format!("/{}/", "d".repeat(69)))).unwrap();
        assert_eq!(long.violations(Purpose::Direct), [""; 0]);
        long.set("socket_dir", None).unwrap();
        long.set("instance_dir", Some(&format!("/{}", "d".repeat(63)))).unwrap();
        let found = long.violations(Purpose::Direct);
        assert!(found.len() == 1 && found[0].contains("98 bytes"), "{found:?}");
    }
}
