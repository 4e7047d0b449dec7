//! `response/properties.json`: where a process is to be found, by its own word (passenger.md 3.4). Pure: bytes and rules in, sockets or all that is wrong out.
//!
//! The trap: the bytes are a stranger's. Whatever they are, the answer is one of these two; how much is told of what is wrong has an end; and a path is believed
//! only where the rules have seen it (`unix`).

use std::path::Path;

use serde_json::{Map, Value};

/// Somewhere a process listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Socket {
    /// What it calls it; may be empty.
    pub name: String,
    /// `tcp://host:port` or `unix:/path`.
    pub address: String,
    /// `http`, `session`, `preloader`, or another one.
    pub protocol: String,
    /// How many requests at once; 0: no limit; less: not known.
    pub concurrency: i32,
    /// Whether requests of HTTP may be sent there.
    pub accepts_http: bool,
    /// What it says of it; may be empty.
    pub description: String,
}

/// All that is wrong with what a process says of its sockets, by whose fault it is (PA-61).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Violations {
    /// The application's, or that of the wrapper that its author supplied.
    pub application: Vec<String>,
    /// That of the wrapper, which came with the library.
    pub library: Vec<String>,
}

/// What is asked of a process.
pub struct Rules<'a> {
    /// It is a preloader: then one of its sockets is where it takes commands (PA-59).
    pub preloader: bool,
    /// The port on which it has answered: then it is found there, whatever else it says (PA-57).
    pub port: Option<u16>,
    /// What it says was written by a wrapper that came with the library.
    pub library: bool,
    /// What is wrong with the socket of an absolute path.
    pub unix: &'a dyn Fn(&Path) -> Option<String>,
}

/// The longest texts: what the C face has room for.
const LONGEST_ADDRESS: usize = 255;
const LONGEST_PROTOCOL: usize = 31;
const LONGEST_NAME: usize = 63;
/// The longest path of a socket (unix(7)).
const LONGEST_PATH: usize = 107;
/// How many violations are told.
const MOST: usize = 64;

/// Violations of one kind, as a whole.
pub fn refused(rules: &Rules<'_>, why: String) -> Violations {
    violated(rules, vec![why])
}

fn violated(rules: &Rules<'_>, mut found: Vec<String>) -> Violations {
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("and {more} more"));
    }
    if rules.library {
        Violations { library: found, ..Violations::default() }
    } else {
        Violations { application: found, ..Violations::default() }
    }
}

fn at_port(port: u16) -> Socket {
    Socket {
        name: String::new(),
        address: format!("tcp://127.0.0.1:{port}"),
        protocol: "http".to_owned(),
        concurrency: -1,
        accepts_http: true,
        description: String::new(),
    }
}

fn wanted(rules: &Rules<'_>) -> &'static str {
    if rules.preloader { "has no socket with the protocol \"preloader\"" } else { "has no socket with accept_http_requests" }
}

/// There is no properties.json: that is a matter of sockets, not of files (PA-62).
pub fn missing(rules: &Rules<'_>) -> Result<Vec<Socket>, Violations> {
    match rules.port {
        Some(port) => Ok(vec![at_port(port)]),
        None => Err(refused(rules, format!("there is no properties.json, so the process {}", wanted(rules)))),
    }
}

/// What stands in properties.json.
pub fn sockets(bytes: &[u8], rules: &Rules<'_>) -> Result<Vec<Socket>, Violations> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| refused(rules, format!("properties.json is no JSON: {error}")))?;
    let Value::Object(document) = document else { return Err(refused(rules, "properties.json is no object".to_owned())) };
    let listed = match document.get("sockets") {
        Some(Value::Array(listed)) => listed.as_slice(),
        None if rules.port.is_some() => &[],
        None => return Err(refused(rules, format!("sockets is missing, so the process {}", wanted(rules)))),
        Some(_) => return Err(refused(rules, "sockets is no array".to_owned())),
    };
    let mut found = Vec::new();
    if listed.is_empty() && rules.port.is_none() {
        found.push("sockets is empty".to_owned());
    }
    let mut all: Vec<Socket> = rules.port.map(at_port).into_iter().collect();
    all.extend(listed.iter().enumerate().filter_map(|(index, entry)| socket(index, entry, rules, &mut found)));
    let suits = |socket: &Socket| if rules.preloader { socket.protocol == "preloader" } else { socket.accepts_http };
    if found.is_empty() && !all.iter().any(suits) {
        found.push(format!("sockets {}", wanted(rules)));
    }
    if found.is_empty() { Ok(all) } else { Err(violated(rules, found)) }
}

/// One entry; what is wrong with it goes to the others.
fn socket(index: usize, entry: &Value, rules: &Rules<'_>, found: &mut Vec<String>) -> Option<Socket> {
    let Value::Object(entry) = entry else {
        found.push(format!("sockets[{index}] is no object"));
        return None;
    };
    let before = found.len();
    let mut wrong = |field: &str, why: &str| found.push(format!("sockets[{index}].{field} {why}"));
    let address = required(entry, "address", LONGEST_ADDRESS, &mut wrong);
    let protocol = required(entry, "protocol", LONGEST_PROTOCOL, &mut wrong);
    if let Some(why) = address.and_then(|address| wrong_address(address, rules)) {
        wrong("address", &why);
    }
    let concurrency = match entry.get("concurrency") {
        None => Err("is missing"),
        Some(number) if !number.is_i64() && !number.is_u64() => Err("is no whole number"),
        Some(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()).ok_or("does not fit in 32 bits"),
    };
    let concurrency = concurrency.map_err(|why| wrong("concurrency", why)).unwrap_or_default();
    let accepts_http = match entry.get("accept_http_requests") {
        None => false,
        Some(Value::Bool(yes)) => *yes,
        Some(_) => {
            wrong("accept_http_requests", "is neither true nor false");
            false
        }
    };
    if accepts_http && protocol.is_some_and(|protocol| !["http", "session"].contains(&protocol)) {
        wrong("protocol", "must be http or session where accept_http_requests is true");
    }
    let description = match entry.get("description") {
        None => "",
        Some(Value::String(text)) if !text.is_empty() => text,
        Some(Value::String(_)) => {
            wrong("description", "is empty");
            ""
        }
        Some(_) => {
            wrong("description", "is no text");
            ""
        }
    };
    if found.len() > before {
        return None;
    }
    // A key that the protocol does not know: taken as far as it makes sense.
    let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
    Some(Socket {
        name: shortened(name),
        address: address?.to_owned(),
        protocol: protocol?.to_owned(),
        concurrency,
        accepts_http,
        description: description.replace('\0', "\u{fffd}"),
    })
}

fn shortened(name: &str) -> String {
    let end = (0..=name.len().min(LONGEST_NAME)).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name[..end].replace('\0', " ")
}

fn required<'a>(entry: &'a Map<String, Value>, field: &str, longest: usize, wrong: &mut impl FnMut(&str, &str)) -> Option<&'a str> {
    let why = match entry.get(field) {
        Some(Value::String(text)) if text.is_empty() => "is empty",
        Some(Value::String(text)) if text.len() > longest => "is too long",
        Some(Value::String(text)) if text.contains('\0') => "holds a NUL",
        Some(Value::String(text)) => return Some(text),
        Some(_) => "is no text",
        None => "is missing",
    };
    wrong(field, why);
    None
}

fn wrong_address(address: &str, rules: &Rules<'_>) -> Option<String> {
    if let Some(place) = address.strip_prefix("tcp://") {
        let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
        let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit())).and_then(|port| port.parse::<u16>().ok());
        let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]%".contains(&byte));
        return if is_host && port.is_some_and(|port| port > 0) { None } else { Some("is not tcp://HOST:PORT".to_owned()) };
    }
    let Some(path) = address.strip_prefix("unix:") else { return Some("begins neither with tcp:// nor with unix:".to_owned()) };
    match path {
        "" => Some("has no path".to_owned()),
        _ if !path.starts_with('/') => Some("is no absolute path".to_owned()),
        _ if path.len() > LONGEST_PATH => Some(format!("has a path of more than {LONGEST_PATH} bytes")),
        _ => (rules.unix)(Path::new(path)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORKER: Rules<'static> = Rules { preloader: false, port: None, library: false, unix: &|_| None };
    const PRELOADER: Rules<'static> = Rules { preloader: true, ..WORKER };
    const GOOD: &str = r#"{"sockets":[{"address":"unix:/s/a","protocol":"session","concurrency":1,"accept_http_requests":true,"name":"main"},
        {"address":"tcp://127.0.0.1:80","protocol":"http","concurrency":0}]}"#;

    fn wrong(text: &str, rules: &Rules<'_>) -> Vec<String> {
        sockets(text.as_bytes(), rules).unwrap_err().application
    }

    // covers: PA-58, PA-59
    #[test]
    fn what_is_right_is_taken_with_its_extra_keys() {
        let found = sockets(GOOD.as_bytes(), &WORKER).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].name, &*found[0].address, found[0].concurrency, found[0].accepts_http), ("main", "unix:/s/a", 1, true));
        assert_eq!((&*found[1].name, &*found[1].protocol, found[1].accepts_http), ("", "http", false));
        let one = r#"{"sockets":[{"address":"unix:/s/p","protocol":"preloader","concurrency":1}]}"#;
        assert_eq!(sockets(one.as_bytes(), &PRELOADER).unwrap().len(), 1);
    }

    // covers: PA-58
    #[test]
    fn every_violation_is_told_with_its_index() {
        let text = r#"{"sockets":[{"address":"","protocol":7,"concurrency":"x","accept_http_requests":1,"description":""},
            5, {"address":"unix:","protocol":"http","concurrency":1e3}, {"address":"unix:a","protocol":"http","concurrency":4294967296},
            {"address":"ftp://x","protocol":"x","concurrency":0,"accept_http_requests":true}, {}, {"address":"tcp://:0","protocol":"","concurrency":1}]}"#;
        let found = wrong(text, &WORKER);
        let must_be = [
            "sockets[0].address is empty",
            "sockets[0].protocol is no text",
            "sockets[0].concurrency is no whole number",
            "sockets[0].accept_http_requests is neither true nor false",
            "sockets[0].description is empty",
            "sockets[1] is no object",
            "sockets[2].address has no path",
            "sockets[2].concurrency is no whole number",
            "sockets[3].address is no absolute path",
            "sockets[3].concurrency does not fit in 32 bits",
            "sockets[4].address begins neither with tcp:// nor with unix:",
            "sockets[4].protocol must be http or session where accept_http_requests is true",
            "sockets[5].address is missing",
            "sockets[5].protocol is missing",
            "sockets[5].concurrency is missing",
            "sockets[6].protocol is empty",
            "sockets[6].address is not tcp://HOST:PORT",
        ];
        assert_eq!(found, must_be);
    }

    // covers: PA-60
    #[test]
    fn a_path_is_believed_where_it_was_seen() {
        let seen = Rules { unix: &|path| (path != Path::new("/s/a")).then(|| "is elsewhere".to_owned()), ..WORKER };
        assert!(sockets(GOOD.as_bytes(), &seen).is_ok());
        assert_eq!(wrong(&GOOD.replace("/s/a", "/s/b"), &seen), ["sockets[0].address is elsewhere"]);
        assert_eq!(
            wrong(&GOOD.replace("/s/a", &format!("/{}", "x".repeat(107))), &WORKER),
            ["sockets[0].address has a path of more than 107 bytes"]
        );
    }

    // covers: PA-59
    #[test]
    fn a_preloader_takes_commands_and_any_other_requests() {
        assert_eq!(wrong(GOOD, &PRELOADER), ["sockets has no socket with the protocol \"preloader\""]);
        let none = GOOD.replace("true", "false");
        assert_eq!(wrong(&none, &WORKER), ["sockets has no socket with accept_http_requests"]);
    }

    // covers: PA-61
    #[test]
    fn the_fault_is_whose_wrapper_it_is() {
        let library = Rules { library: true, ..WORKER };
        let found = sockets(b"{}", &library).unwrap_err();
        assert!(found.application.is_empty() && found.library.len() == 1);
        assert!(sockets(b"{}", &WORKER).unwrap_err().library.is_empty());
    }

    // covers: PA-62, P-b6
    #[test]
    fn none_at_all_is_a_matter_of_sockets() {
        assert!(missing(&WORKER).unwrap_err().application[0].contains("accept_http_requests"));
        assert!(missing(&PRELOADER).unwrap_err().application[0].contains("preloader"));
    }

    // covers: PA-57
    #[test]
    fn who_has_answered_on_his_port_is_found_there() {
        let pinged = Rules { port: Some(5123), ..WORKER };
        let one = missing(&pinged).unwrap();
        assert_eq!(
            (&*one[0].address, &*one[0].protocol, one[0].concurrency, one[0].accepts_http),
            ("tcp://127.0.0.1:5123", "http", -1, true)
        );
        for text in ["{}", r#"{"sockets":[]}"#] {
            assert_eq!(sockets(text.as_bytes(), &pinged).unwrap(), one);
        }
        assert_eq!(sockets(GOOD.as_bytes(), &pinged).unwrap().len(), 3);
    }

    // covers: D-10, PA-58
    #[test]
    fn garbage_is_an_answer() {
        let deep = format!("{{\"sockets\":{}{}}}", "[".repeat(16_000), "]".repeat(16_000));
        for text in ["", "null", "[]", "{", "{\"sockets\":1e999}", "{\"sockets\":[1e400]}", "\u{feff}{}", "{\"sockets\":{}}", &deep] {
            assert_eq!(wrong(text, &WORKER).len(), 1, "{:.40}", text);
        }
        assert_eq!(sockets(b"{\"sockets\":[{\"address\":\"\xff\"}]}", &WORKER).unwrap_err().application.len(), 1);
        let many = format!("{{\"sockets\":[{}0]}}", "0,".repeat(10_000));
        assert_eq!(wrong(&many, &WORKER).len(), MOST + 1);
        let twice = r#"{"sockets":[],"sockets":[{"address":"tcp://h:1","address":"tcp://h:2","protocol":"http","concurrency":1,"accept_http_requests":true}]}"#;
        assert_eq!(sockets(twice.as_bytes(), &WORKER).unwrap()[0].address, "tcp://h:2");
        for field in ["address", "protocol"] {
            let nul = GOOD.replacen(&format!("\"{field}\":\""), &format!("\"{field}\":\"\\u0000"), 1);
            assert!(wrong(&nul, &WORKER)[0].ends_with("holds a NUL"));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_abort(bytes in proptest::collection::vec(any::<u8>(), 0..300), port in proptest::option::of(1..=65_535u16)) {
            let _ = sockets(&bytes, &Rules { port, ..WORKER });
        }

        #[test]
        fn what_is_taken_keeps_the_bounds(name in ".{0,90}", address in ".{0,300}", protocol in ".{0,40}", concurrency in any::<i64>()) {
            let entry = serde_json::json!({"name": name, "address": address, "protocol": protocol, "concurrency": concurrency});
            let text = serde_json::json!({"sockets": [entry]}).to_string();
            if let Ok(found) = sockets(text.as_bytes(), &Rules { port: Some(1), ..WORKER }) {
                let socket = &found[1];
                prop_assert!(socket.address.len() <= LONGEST_ADDRESS && socket.protocol.len() <= LONGEST_PROTOCOL);
                prop_assert!(socket.name.len() <= LONGEST_NAME && !socket.name.contains('\0'));
            }
        }
    }
}
