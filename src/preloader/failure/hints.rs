//! What a loader's own words mean that was not told all it wants: it complains of a file of its session, and not of the setting that is missing.
//!
//! The trap: the words are a stranger's. A hint is the library's own sentence, and all that it takes from them is a name of letters.

use std::collections::BTreeSet;

/// So much of the output is looked at, from its end.
const LOOKED_AT: usize = 16 * 1024;
/// So many names at most.
const MOST: usize = 8;

/// What to set, as sentences.
pub fn hints(output: &[u8], uses_wrapper: bool) -> Vec<String> {
    let output = String::from_utf8_lossy(&output[output.len().saturating_sub(LOOKED_AT)..]);
    let mut hints = Vec::new();
    let of_wrapper = |step: &str| output.contains(&format!("/response/steps/subprocess_{step}/"));
    if !uses_wrapper && (of_wrapper("exec_wrapper") || of_wrapper("wrapper_preparation")) {
        hints.push(
            "What was run is a loader, and was not said to be one: set `startup_file` to what it loads, and with it `starts_using_wrapper` is true \
             (`ps_command_session`; `ps_preloader_set` of a preloader)."
                .to_owned(),
        );
    }
    let names = missing(&output);
    if !names.is_empty() {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        hints.push(format!(
            "It looked for what it was not told: set {} (`ps_command_session`; `ps_preloader_set` of a preloader).",
            names.join(", ")
        ));
    }
    hints
}

/// The arguments of which it says that their file is not there.
fn missing(output: &str) -> BTreeSet<&str> {
    let complaints = output.lines().filter(|line| line.contains("No such file") || line.contains("ENOENT"));
    let name = |line: &'_ str| -> Option<(usize, usize)> {
        let begin = line.find("/args/")? + "/args/".len();
        let length = line[begin..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        Some((begin, begin + length)).filter(|_| (1..=64).contains(&length))
    };
    let mut named = BTreeSet::new();
    named.extend(complaints.filter_map(|line| name(line).map(|(begin, end)| &line[begin..end])).take(MOST));
    named
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_loader_that_was_not_said_to_be_one_is_told_of() {
        let python = b"FileNotFoundError: [Errno 2] No such file or directory: '/tmp/x/response/steps/subprocess_exec_wrapper/state'";
        assert!(hints(python, false)[0].contains("`starts_using_wrapper` is true"));
        assert!(hints(python, true).is_empty() && hints(b"all is well", false).is_empty());
    }

    #[test]
    fn an_argument_that_is_looked_for_is_named() {
        let ruby = b"rack-preloader.rb:51:in `read': No such file or directory @ rb_sysopen - /tmp/x/args/ruby_libdir (Errno::ENOENT)\n";
        assert_eq!(hints(ruby, true).len(), 1);
        assert!(hints(ruby, true)[0].contains("set `ruby_libdir` ("));
        assert!(hints(b"No such file /args/<b>, /args/, ../args/", true).is_empty());
    }

    proptest! {
        #[test]
        fn whatever_was_written_a_hint_is_short(output in proptest::collection::vec(any::<u8>(), 0..400), times in 0..60usize) {
            let mut all = b"No such file /args/a ENOENT /response/steps/subprocess_exec_wrapper/\n".repeat(times);
            all.extend(output);
            let hints = hints(&all, false);
            prop_assert!(hints.iter().all(|hint| hint.len() < 1_000));
        }
    }
}
