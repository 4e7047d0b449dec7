//! Every step that an error can name is in the header: as a constant PS_STEP_*, or, where an argument is refused, as the name of a parameter or
//! setter. The sources are read for that, so that a new one is not forgotten: each text that stands where a step is expected.

#![deny(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Which functions (and closures) of the sources take a step, and in which place. One that names a parameter `step` and is not here fails the test.
const TAKES_STEP: &[(&str, usize)] = &[
    ("Error::system", 0),
    ("Self::system", 0),
    ("Error::new", 1),
    ("Fault::of", 0),
    ("failure", 0),
    ("failed", 0),
    ("fault", 0),
    ("cannot", 0),
    ("system", 0),
    ("of", 0),
    ("not_open", 2),
    ("state", 0),
    ("self::state", 0),
    ("host_is_gone", 0),
    ("timed_out", 0),
    ("wait_ready_with", 0),
    ("interrupted", 0),
    ("Error::interrupted", 0),
    ("check_free", 0),
    // Where an argument is refused.
    ("Error::invalid", 0),
    ("Self::invalid", 0),
    ("Error::relative", 0),
    ("Address::parse", 0),
    ("BuildId::given", 0),
    ("Deadline::of_timeout", 0),
    ("check_timeout", 0),
    ("clock::check_timeout", 0),
    ("crate::clock::check_timeout", 0),
    ("settings::span", 0),
    ("c_string", 0),
    ("holds_nul", 0),
    ("no_nul", 0),
    ("open_fd", 0),
    ("refused", 0),
    ("twice", 0),
    ("error", 0),
    ("convert::choice", 0),
    ("convert::counted", 0),
    ("convert::flag", 0),
    ("convert::out", 0),
    ("convert::size", 0),
    ("convert::slice", 0),
    ("convert::string", 0),
    ("convert::strings", 0),
    ("shapes::make", 0),
    ("shapes::put", 0),
    ("shapes::structure", 1),
    ("shapes::value", 1),
];

/// Of a journey, or of the start of an application: these take the constants of `preloader/step.rs`, or what is no error's.
const OF_JOURNEYS: &[&str] = &[
    "at",
    "begin",
    "end",
    "failed_at",
    "garbled",
    "said",
    "ended_at",
    "timeout",
    "new",
    "invalid",
    "inferred",
    "is_foreign",
    "is_subprocess",
];

/// Arguments of a session that are refused by their own name (ps_command_session).
const OF_SESSIONS: &[&str] = &["app_root", "arguments", "environment_variables", "port", "connect_to"];

/// What is no code and no test: comments and the tests at the end of a file are gone.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn sources(directory: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tests"));
        match path.is_dir() {
            _ if is_test => {}
            true => sources(&path, all),
            false if path.extension().is_some_and(|extension| extension == "rs") => all.push(code(&path)),
            false => {}
        }
    }
}

/// How long the literal is that begins here: a string, a raw one, a character. 0: none does.
fn literal(text: &str) -> usize {
    let end = |from: usize, quote: char| {
        let mut escaped = false;
        let closing = |c: char| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        };
        text[from..].find(closing).map_or(text.len(), |at| from + at + 1)
    };
    if text.starts_with('"') {
        return end(1, '"');
    }
    if text.starts_with("r\"") || text.starts_with("r#") {
        let hashes = text[1..].chars().take_while(|c| *c == '#').count();
        let closing = format!("\"{}", "#".repeat(hashes));
        return text.get(hashes + 2..).and_then(|rest| rest.find(&closing)).map_or(1, |at| hashes + 2 + at + closing.len());
    }
    // Not a lifetime.
    let is_char = text.starts_with("'\\") || text.starts_with('\'') && text.chars().nth(2) == Some('\'');
    if is_char { end(1, '\'') } else { 0 }
}

/// The arguments of a call, from behind its parenthesis on.
fn arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut at, mut all) = (0, 0, 0, Vec::new());
    while at < text.len() {
        let skip = literal(&text[at..]);
        if skip > 0 {
            at += skip;
            continue;
        }
        let c = text[at..].chars().next().unwrap();
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => {
                all.push(text[from..at].trim());
                return all;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                all.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    all
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Each call, by its name as it is written, and its arguments; `visit` gets both.
fn each_call<'a>(text: &'a str, mut visit: impl FnMut(&'a str, &[&'a str])) {
    for (at, _) in text.match_indices('(') {
        let begin = text[..at].rfind(|c| !is_part(c)).map_or(0, |before| before + text[before..].chars().next().unwrap().len_utf8());
        let name = text[begin..at].trim_start_matches(':');
        if TAKES_STEP.iter().any(|(known, _)| *known == name) {
            visit(name, &arguments(&text[at + 1..]));
        }
    }
}

/// A text that is a step, if that is all the argument is.
fn word(argument: &str) -> Option<&str> {
    let word = argument.strip_prefix('"')?.strip_suffix('"')?;
    (!word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(word)
}

struct Header {
    /// The texts of PS_STEP_*, by their names.
    steps: BTreeMap<String, String>,
    /// Every word of its declarations, and what is left of `ps_..._word` from any of its parts on.
    words: BTreeSet<String>,
}

fn header() -> Header {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/procsup.h")).unwrap();
    let mut steps = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("#define PS_STEP_")) {
        let (name, said) = line.split_once(' ').unwrap();
        let said = said.trim_matches('"').to_owned();
        assert_eq!(name, said.to_uppercase(), "the constant is named for its text");
        assert!(steps.insert(name.to_owned(), said).is_none(), "{name} stands there twice");
    }
    let (mut declarations, mut rest) = (String::new(), &text[..]);
    while let Some((before, after)) = rest.split_once("/*") {
        declarations += before;
        rest = after.split_once("*/").unwrap().1;
    }
    declarations += rest;
    let mut words = BTreeSet::new();
    for whole in declarations.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let parts = whole.match_indices('_').map(|(at, _)| &whole[at + 1..]);
        words.extend(parts.chain([whole]).filter(|part| !part.is_empty()).map(str::to_owned));
    }
    Header { steps, words }
}

#[test]
fn every_step_of_the_sources_is_in_the_header() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let mut found = BTreeSet::new();
    for text in &all {
        each_call(text, |name, arguments| {
            let places = TAKES_STEP.iter().filter(|(known, _)| *known == name);
            found.extend(places.filter_map(|(_, place)| word(arguments.get(*place)?)));
        });
        found.extend(text.match_indices("step: \"").filter_map(|(at, begin)| text[at + begin.len()..].split('"').next()));
    }
    let between = all.iter().find(|text| text.contains("(Step::CloseRange,")).expect("sys/spawn/orders.rs");
    found.extend(between.match_indices("(Step::").filter_map(|(at, _)| word(arguments(&between[at + 1..]).get(1)?)));
    let starts = all.iter().find(|text| text.contains("names! {")).expect("preloader/step.rs");
    let starts: BTreeSet<&str> = starts.split("names! {").nth(1).unwrap().split('}').next().unwrap().split_whitespace().collect();
    // What a process says of its own steps is in its journey.
    found.extend(starts.iter().filter(|name| name.starts_with("SPAWNING_KIT_") || name.starts_with("NATIVE_")));
    assert!(found.len() > 150 && found.contains("exec") && found.contains("NATIVE_FORK"), "the sources are not read: {found:?}");

    let Header { steps, words } = header();
    let texts: BTreeSet<&str> = steps.values().map(String::as_str).collect();
    let is_known = |step: &str| texts.contains(step) || words.contains(step) || OF_SESSIONS.contains(&step);
    let missing: Vec<_> = found.iter().filter(|step| !is_known(step)).collect();
    assert!(missing.is_empty(), "not in the header: {missing:?}. Add PS_STEP_... to src/capi/procsup.h.in");

    // And nothing is promised that no error can say.
    let said = |step: &str| all.iter().any(|text| text.contains(&format!("\"{step}\""))) || starts.contains(step);
    let never: Vec<_> = texts.iter().filter(|step| !said(step)).collect();
    assert!(never.is_empty(), "no error names these steps: {never:?}");
}

/// Who hands a step on is read for it.
#[test]
fn every_function_that_takes_a_step_is_looked_at() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let mut unknown = BTreeSet::new();
    for text in &all {
        for (at, _) in text.match_indices("step: &'static str") {
            // Behind `fn name(`, or behind `let name = |`; else it is a field.
            let before = &text[..at];
            let (function, closure) = (before.rfind("fn "), before.rfind("let "));
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            let name = match (function.filter(|at| *at >= line), closure.filter(|at| *at >= line)) {
                (Some(at), _) => &before[at + 3..],
                (None, Some(at)) => &before[at + 4..],
                _ => continue,
            };
            let name = name.split(|c| !is_part(c)).next().unwrap();
            let is_known = TAKES_STEP.iter().any(|(known, _)| known.rsplit("::").next() == Some(name)) || OF_JOURNEYS.contains(&name);
            if !is_known {
                unknown.insert(name);
            }
        }
    }
    assert!(unknown.is_empty(), "these take a step; add them to TAKES_STEP: {unknown:?}");
}
