//! The arguments that nobody has to give: what has a sensible default, what the library alone knows, paths made absolute.

use std::path::Path;

use super::{Arguments, Owner, Purpose};
use crate::error::{Error, Result};
use crate::sys::random;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// So many characters of letters and digits by chance: 32 of them, each as likely as the others.
pub fn chance(count: usize) -> String {
    random::unique().iter().take(count).map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect()
}

/// The id of a process group of an application, as the reference makes it: the minute, and ten characters by chance.
fn gupid() -> String {
    let wall = crate::clock::now().saturating_add(crate::clock::wall_ahead());
    let mut minutes = (wall / 60_000_000_000).max(0) as usize;
    let mut text = Vec::new();
    loop {
        text.push(DIGITS[minutes % 36]);
        minutes /= 36;
        if minutes == 0 {
            break;
        }
    }
    let minute: String = text.iter().rev().map(|byte| char::from(*byte)).collect();
    format!("{minute}-{}", chance(10))
}

/// Makes a path absolute, against `base` or where the host is. An empty one is left to who checks.
fn absolute(arguments: &mut Arguments, name: &'static str, base: Option<&str>) -> Result<()> {
    let Some(text) = arguments.text(name).filter(|text| !text.is_empty()) else { return Ok(()) };
    let path = base.map_or_else(|| Path::new(text).to_owned(), |base| Path::new(base).join(text));
    let path = std::path::absolute(path).map_err(|error| Error::relative(name, &error))?;
    let text =
        path.to_str().ok_or_else(|| Error::invalid(name, format!("{name}: the directory of this process is no UTF-8, and JSON is")))?;
    let text = if text.len() > 1 { text.trim_end_matches('/') } else { text };
    let value = text.to_owned();
    arguments.put(name, value.into())
}

/// These arguments with all that goes without saying.
pub fn complete(arguments: &Arguments, purpose: Purpose, owner: &Owner) -> Result<Arguments> {
    let mut all = arguments.clone();
    for name in ["app_root", "socket_dir", "instance_dir", "spawn_dir"] {
        absolute(&mut all, name, None)?;
    }
    let root = all.text("app_root").unwrap_or_default().to_owned();
    absolute(&mut all, "startup_file", Some(&root))?;
    if let Some(instance) = all.text("instance_dir").filter(|dir| !dir.is_empty()) {
        let sockets = format!("{instance}/apps.s");
        all.otherwise("socket_dir", sockets)?;
    }
    let generic = all.flag("generic_app");
    let direct = purpose == Purpose::Direct;
    all.otherwise("app_group_name", root)?;
    all.otherwise("app_type", if generic { "generic" } else { "custom" })?;
    all.otherwise("app_env", "production")?;
    all.otherwise("spawn_method", if direct { "direct" } else { "smart" })?;
    all.otherwise("bind_address", "127.0.0.1")?;
    all.otherwise("base_uri", "/")?;
    let (user, group) =
        (owner.name.clone().unwrap_or_else(|| owner.uid.to_string()), owner.group.clone().unwrap_or_else(|| owner.gid.to_string()));
    if all.get("default_user").is_some() {
        // What was asked for is not what the rules made of it.
        all.put("user", user.into())?;
        all.put("group", group.into())?;
    } else {
        all.otherwise("user", user)?;
        all.otherwise("group", group)?;
    }
    all.otherwise("log_level", 3)?;
    let wrapper = super::uses_wrapper(&all);
    all.otherwise("starts_using_wrapper", wrapper)?;
    for name in ["generic_app", "wrapper_supplied_by_third_party", "load_shell_envvars"] {
        all.otherwise(name, false)?;
    }
    all.otherwise("environment_variables", serde_json::Map::new())?;
    // "Leave it alone" is said by saying nothing: the reference's agent sets what it is told, and 0 descriptors are none.
    if all.integer("file_descriptor_ulimit") == Some(0) {
        all.set("file_descriptor_ulimit", None)?;
    }
    all.otherwise("integration_mode", "standalone")?;
    // The longest path of a socket, without the NUL behind it.
    all.otherwise("UNIX_PATH_MAX", 107)?;
    all.otherwise("gupid", gupid())?;
    if all.get("api_key").is_some() && all.get("connect_password").is_none() {
        let secret = random::secret().map_err(|errno| Error::system("getrandom", errno, "cannot make a connect_password"))?;
        let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        all.put("connect_password", text.into())?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete_of(list: &[(&str, &str)]) -> Arguments {
        let mut arguments = Arguments::default();
        for (name, text) in list {
            arguments.set(name, Some(text)).unwrap();
        }
        complete(&arguments, Purpose::Direct, &Owner::of(&Arguments::default()).unwrap()).unwrap()
    }

    // covers: PA-16
    #[test]
    fn paths_are_absolute_and_the_startup_file_counts_from_the_application() {
        let all = complete_of(&[("app_root", "app/"), ("startup_file", "config.ru"), ("instance_dir", "/run/x/")]);
        let here = std::env::current_dir().unwrap();
        assert_eq!(all.text("app_root"), Some(here.join("app").to_str().unwrap()));
        assert_eq!(all.text("startup_file"), Some(here.join("app/config.ru").to_str().unwrap()));
        assert_eq!(all.text("socket_dir"), Some("/run/x/apps.s"));
        let all = complete_of(&[("app_root", "/srv/app"), ("startup_file", "/other/config.ru"), ("socket_dir", "/s")]);
        assert_eq!((all.text("startup_file"), all.text("socket_dir")), (Some("/other/config.ru"), Some("/s")));
    }

    // covers: PA-10, PA-26
    #[test]
    fn what_goes_without_saying_is_said_and_what_was_said_stays() {
        let all = complete_of(&[("app_root", "/srv/app"), ("start_command", "run"), ("app_env", "test"), ("api_key", "k")]);
        assert!(all.violations(Purpose::Direct).is_empty(), "{:?}", all.violations(Purpose::Direct));
        assert_eq!(
            (all.text("app_env"), all.text("spawn_method"), all.integer("UNIX_PATH_MAX")),
            (Some("test"), Some("direct"), Some(107))
        );
        assert!(all.text("gupid").unwrap().split_once('-').is_some_and(|(minute, rest)| !minute.is_empty() && rest.len() == 10));
        assert_eq!(all.text("connect_password").unwrap().len(), 32);
        assert!(complete_of(&[]).get("connect_password").is_none());
    }

    // covers: PA-12
    #[test]
    fn a_limit_of_descriptors_that_is_left_alone_is_not_passed_on() {
        assert!(complete_of(&[]).get("file_descriptor_ulimit").is_none());
        assert!(complete_of(&[("file_descriptor_ulimit", "0")]).get("file_descriptor_ulimit").is_none());
        assert_eq!(complete_of(&[("file_descriptor_ulimit", "500")]).integer("file_descriptor_ulimit"), Some(500));
    }

    #[test]
    fn an_empty_path_stays_a_violation() {
        let all = complete_of(&[("app_root", ""), ("start_command", "run")]);
        assert!(all.violations(Purpose::Direct).iter().any(|text| text == "app_root is empty"));
    }
}
