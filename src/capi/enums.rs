//! The header, the C++ header and the enums here have the same names and numbers.

use std::collections::{BTreeMap, BTreeSet};

use strum::VariantNames;

use super::{
    child, command, command_landlock, command_processors, command_scope, error, handoff, handoff_supervisor, preload, preloader, readiness,
    spawn_lock, supervisor, worker,
};

const HEADER: &str = include_str!("../../include/procsup.h");
const CPP: &str = include_str!("../../include/procsup.hpp");

/// PS_STDIO_FD has no name in C++: there a stream is given the descriptor itself.
const ONLY_C: [&str; 1] = ["PS_STDIO_FD"];

type Values = BTreeMap<String, i32>;

/// The enums of the header, by their tags.
fn of_the_header() -> BTreeMap<String, Values> {
    let mut all = BTreeMap::<String, Values>::new();
    for part in HEADER.split("\ntypedef enum ").skip(1) {
        let (tag, rest) = part.split_once(" {").unwrap();
        let (body, _) = rest.split_once("\n}").unwrap();
        let entries = body.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(" = "));
        let entries = entries.filter(|(name, _)| name.starts_with("PS_"));
        all.insert(tag.to_owned(), entries.map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect());
    }
    all
}

/// The values of an enum here; `known` is its `from_repr`.
fn of_rust<T: VariantNames + Into<&'static str>>(known: impl Fn(i32) -> Option<T>) -> Values {
    let name = |value: T| value.into().trim_end_matches('\0').to_owned();
    let values: Values = (-100..=100).filter_map(|number| known(number).map(|value| (name(value), number))).collect();
    assert_eq!(values.len(), T::VARIANTS.len());
    values
}

#[test]
fn the_header_has_every_value_of_every_enum() {
    macro_rules! small {
        ($type:ty) => {
            |number| <$type>::from_repr(u8::try_from(number).ok()?)
        };
    }
    let rust = BTreeMap::from(
        [
            ("ps_status_code", of_rust(error::ps_status_code::from_repr)),
            ("ps_render_format", of_rust(error::ps_render_format::from_repr)),
            ("ps_error_text_kind", of_rust(error::ps_error_text_kind::from_repr)),
            ("ps_env_base", of_rust(command::ps_env_base::from_repr)),
            ("ps_stdio_kind", of_rust(command::ps_stdio_kind::from_repr)),
            ("ps_pipe_direction", of_rust(command::ps_pipe_direction::from_repr)),
            ("ps_isolation", of_rust(command::ps_isolation::from_repr)),
            ("ps_survivors_policy", of_rust(command::ps_survivors_policy::from_repr)),
            ("ps_stop_scope", of_rust(command_scope::ps_stop_scope::from_repr)),
            ("ps_output_if_exists", of_rust(command::ps_output_if_exists::from_repr)),
            ("ps_output_failure_policy", of_rust(command::ps_output_failure_policy::from_repr)),
            ("ps_scheduling_policy", of_rust(command_processors::ps_scheduling_policy::from_repr)),
            ("ps_allow", of_rust(command_landlock::ps_allow::from_repr)),
            ("ps_restart_policy", of_rust(command::ps_restart_policy::from_repr)),
            ("ps_readiness_kind", of_rust(readiness::ps_readiness_kind::from_repr)),
            ("ps_notify_access", of_rust(readiness::ps_notify_access::from_repr)),
            ("ps_exit_kind", of_rust(small!(child::ps_exit_kind))),
            ("ps_exit_cause", of_rust(small!(child::ps_exit_cause))),
            ("ps_exit_oom", of_rust(small!(child::ps_exit_oom))),
            ("ps_child_state_code", of_rust(child::ps_child_state_code::from_repr)),
            ("ps_spawn_tier", of_rust(small!(child::ps_spawn_tier))),
            ("ps_event_kind", of_rust(supervisor::ps_event_kind::from_repr)),
            ("ps_reason", of_rust(supervisor::ps_reason::from_repr)),
            ("ps_worker_kind", of_rust(worker::ps_worker_kind::from_repr)),
            ("ps_preloader_protocol", of_rust(preloader::ps_preloader_protocol::from_repr)),
            ("ps_preload_role", of_rust(preload::ps_preload_role::from_repr)),
            ("ps_fork_way", of_rust(preload::ps_fork_way::from_repr)),
            ("ps_worker_wish", of_rust(preload::ps_worker_wish::from_repr)),
            ("ps_spawn_lock_event_kind", of_rust(spawn_lock::ps_spawn_lock_event_kind::from_repr)),
            ("ps_handoff_role_code", of_rust(handoff::ps_handoff_role_code::from_repr)),
            ("ps_handoff_phase_code", of_rust(handoff::ps_handoff_phase_code::from_repr)),
            ("ps_handoff_mode", of_rust(handoff::ps_handoff_mode::from_repr)),
            ("ps_handoff_timeout", of_rust(handoff::ps_handoff_timeout::from_repr)),
            ("ps_handoff_protocol", of_rust(handoff_supervisor::ps_handoff_protocol::from_repr)),
            ("ps_health_kind", of_rust(handoff_supervisor::ps_health_kind::from_repr)),
            ("ps_handoff_supervisor_event_kind", of_rust(handoff_supervisor::ps_handoff_supervisor_event_kind::from_repr)),
            ("ps_handoff_event_kind", of_rust(handoff::events::ps_handoff_event_kind::from_repr)),
        ]
        .map(|(tag, values)| (tag.to_owned(), values)),
    );
    assert_eq!(of_the_header(), rust);
}

/// `enum class` of C++ takes every value of C, under the end of its name: `kill_all = PS_CAUSE_KILL_ALL`.
#[test]
fn the_cpp_header_has_every_value_once() {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let enums = CPP.split("enum class ").skip(1).filter_map(|part| part.split_once('{')?.1.split_once('}'));
    let entries: Vec<(&str, &str)> = enums
        .flat_map(|(body, _)| body.split(','))
        .filter_map(|entry| entry.trim().split_once(" = "))
        .filter(|(name, value)| name.chars().all(is_word) && value.starts_with("PS_"))
        .collect();
    let wanted: BTreeSet<String> = of_the_header().into_values().flat_map(BTreeMap::into_keys).collect();
    let found: BTreeSet<String> = entries.iter().map(|(_, value)| (*value).to_owned()).collect();
    assert_eq!(found.len(), entries.len(), "each once");
    assert_eq!(found, wanted.into_iter().filter(|name| !ONLY_C.contains(&name.as_str())).collect());
    for (name, value) in entries {
        assert!(value.ends_with(&format!("_{}", name.to_uppercase())), "{name} = {value}");
    }
}

/// The tables of the phases, in the header and in the guide, say what the machine says.
#[test]
fn the_tables_of_phases_are_true() {
    let (guide, yes) = (include_str!("../../docs/guide/handoff-server.md"), |word: &str| word == "yes");
    let section = HEADER.split_once("PS_HANDOFF_PHASE_  accept  write  at SIGTERM").unwrap().1.split_once("\n *\n").unwrap().0;
    let (mut header, mut answers) = (BTreeMap::new(), (false, false));
    for line in section.lines().map(|line| line.trim_start_matches(" *").replace(',', " ")).filter(|line| line.starts_with("   _")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let names: Vec<&str> = words.iter().map_while(|word| word.strip_prefix('_')).collect();
        // Names that did not fit into the line of their answers follow in the next.
        if matches!(words[names.len()], "yes" | "no") {
            answers = (yes(words[names.len()]), yes(words[names.len() + 1]));
        }
        header.extend(names.iter().map(|name| ((*name).to_owned(), answers)));
    }
    let rows = guide.split_once("| `PS_HANDOFF_PHASE_` |").unwrap().1.split_once("\n\n").unwrap().0.lines().skip(2);
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let guide: BTreeMap<_, _> = cells.map(|row| (row[1].trim_matches('`').to_owned(), (yes(row[2]), yes(row[3])))).collect();
    let machine: BTreeMap<_, _> = (1..=100)
        .filter_map(handoff::ps_handoff_phase_code::from_repr)
        .map(|standing| (<&str>::from(standing)["PS_HANDOFF_PHASE_".len()..].to_owned(), (standing.may_accept(), standing.may_write())))
        .collect();
    assert_eq!(header, machine, "the header");
    assert_eq!(guide, machine, "the guide");
}

#[test]
fn no_line_of_the_header_is_too_long() {
    let long: Vec<_> = HEADER.lines().filter(|line| line.chars().count() > 110).collect();
    assert!(long.is_empty(), "{long:#?}");
}
