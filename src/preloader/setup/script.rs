//! What runs behind a login shell, in a fresh `sh`, in the pid that becomes the application's.
//!
//! The traps. **Variables of the script must not be the application's**: one that is in the environment stays exported when it is assigned, so all
//! of ours have a prefix. **A failed exec ends most shells at once**: an EXIT trap tells of it in dash, ash and mksh, `execfail` lets bash go on, and for
//! the others the program is looked for beforehand. **No command need be there**: the dumps and the times are left out where env(1) and date(1) are
//! missing.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

use super::variables::Variable;
use crate::error::{Error, Result};
use crate::preloader::journey::step;
use crate::process::command::Command;
use crate::process::quote;

/// What it does.
pub struct Script<'a> {
    /// The session's.
    pub directory: &'a Path,
    /// The application's.
    pub root: Option<&'a str>,
    /// The environment; what is to be set again is.
    pub variables: &'a [Variable],
    /// The program with its arguments.
    pub command: &'a Command,
    /// The step at which it is executed.
    pub step: &'static str,
}

/// Options that an environment can bring along (SHELLOPTS) go; functions that it can (BASH_FUNC_*) go; what a failure means is said at the end.
const HEAD: &str = r#"# Set-up behind the login shell: what was given is given again, then the program takes this process over.
set +e; set +u; set +a; set +f; set +v; set +x
case ${BASH_VERSION:+bash} in
bash) unset -f cd printf test command ulimit umask; shopt -s execfail ;;
esac
__ps_say() { printf '%s' "$2" >|"$__ps_w/$1"; }
__ps_now() {
    __ps_t=
    for __ps_d in /bin/date /usr/bin/date; do
        if [ -f "$__ps_d" ]; then __ps_t=$("$__ps_d" +%s.%N 2>/dev/null); break; fi
    done
    case $__ps_t in *[!0-9.]* | .*) __ps_t= ;; esac
}
__ps_step() {
    if [ -n "$__ps_t" ]; then __ps_say "response/steps/$1/$3" "$__ps_t"; fi
    __ps_say "response/steps/$1/state" "$2"
}
__ps_failed() {
    __ps_code=$?
    trap - EXIT
    umask 077
    case $__ps_why in
    directory) __ps_what="The application's directory $__ps_root cannot be entered from behind the login shell." __ps_do="Look at owner and mode of the directory and of each one above it, and at what the user's shell files do." ;;
    absent) __ps_what="The program $__ps_p is not in the PATH that the login shell leaves: ${PATH-none}" __ps_do="Install it, name it by its path, or set PATH in the user's shell files." ;;
    missing) __ps_what="The program $__ps_p does not exist, or the user may not look into a directory above it." __ps_do="Look at the spelling of the path, and at the modes of the directories in it." ;;
    folder) __ps_what="$__ps_p is a directory, not a program." __ps_do="Name the program itself." ;;
    denied) __ps_what="The program $__ps_p may not be executed by this user." __ps_do="Give the user the right to execute it (chmod), and look at mount options (noexec)." ;;
    exec) __ps_what="The program $__ps_p could not be executed, though it is there (status $__ps_code of the shell; its own words stand in the output)." __ps_do="For a script, look at the interpreter in its first line; else whether it is a program of this machine." ;;
    *) __ps_what="The set-up behind the login shell ended with status $__ps_code before the program was reached; what the shell said of it stands in the output." __ps_do="Look at the names in environment_variables: some are a shell's own and cannot be set." ;;
    esac
    __ps_now
    __ps_step "$__ps_s" STEP_ERRORED end_time
    __ps_say response/error/category OPERATING_SYSTEM_ERROR
    __ps_say response/error/summary "$__ps_what"
    __ps_say response/error/problem_description.txt "$__ps_what"
    __ps_say response/error/solution_description.txt "$__ps_do"
    exit "$__ps_code"
}
"#;

/// The dump after the shell. The user cannot have become another one.
const DUMP: &str = r#"if [ -f /usr/bin/env ]; then /usr/bin/env; elif [ -f /bin/env ]; then /bin/env; else export -p; fi >|"$__ps_w/envdump/envvars"
ulimit -a >|"$__ps_w/envdump/ulimits"
__ps_now
"#;

/// Finds the program where exec would; says what is in the way. Whether it may be executed only the exec says for certain: where a filter forbids
/// faccessat2(2), `-x` says no of everything.
const LOOK: &str = r#"__ps_f=$__ps_p
case $__ps_p in
*/*) ;;
*)
    __ps_f=$(
        set -f
        IFS=:
        for __ps_d in ${PATH-/bin:/usr/bin}; do
            if [ -f "${__ps_d:-.}/$__ps_p" ]; then
                __ps_f=${__ps_d:-.}/$__ps_p
                if [ -x "$__ps_f" ]; then break; fi
            fi
        done
        case $__ps_f in */*) printf '%s.' "$__ps_f" ;; esac
    )
    __ps_f=${__ps_f%.}
    ;;
esac
__ps_why=
if [ -z "$__ps_f" ]; then __ps_why=absent
elif [ ! -e "$__ps_f" ]; then __ps_why=missing
elif [ -d "$__ps_f" ]; then __ps_why=folder
elif [ ! -x "$__ps_f" ]; then __ps_why=denied
fi
case $__ps_why in
'') __ps_why=exec ;;
absent | missing) exit 127 ;;
folder) exit 126 ;;
esac
"#;

/// Whether a shell can have a variable of this name.
fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    !bytes.first().is_none_or(u8::is_ascii_digit) && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

impl Script<'_> {
    /// All of it.
    pub fn text(&self) -> Result<Vec<u8>> {
        let again = || self.variables.iter().filter(|variable| variable.again);
        if let Some(odd) = again().find(|variable| !is_name(&variable.name)) {
            let message =
                format!("environment_variables: a login shell (load_shell_envvars) cannot hand on a variable named {:?}", odd.name);
            return Err(Error::invalid("environment_variables", message));
        }
        let mut text = Vec::new();
        text.try_reserve_exact(self.length()).map_err(|_| Error::system("memory", Errno::ENOMEM, "cannot write the script of a set-up"))?;
        text.extend_from_slice(HEAD.as_bytes());
        assign(&mut text, "__ps_w", self.directory.as_os_str().as_bytes());
        assign(&mut text, "__ps_p", self.command.program().to_bytes());
        assign(&mut text, "__ps_root", self.root.unwrap_or_default().as_bytes());
        let [shell, after] = [step::SUBPROCESS_OS_SHELL, step::SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL].map(str::to_ascii_lowercase);
        let exec = self.step.to_ascii_lowercase();
        assign(&mut text, "__ps_s", after.as_bytes());
        add(&mut text, "__ps_why=\ntrap __ps_failed EXIT\n__ps_now\n");
        add(&mut text, &format!("__ps_step {shell} STEP_PERFORMED end_time\n__ps_step {after} STEP_IN_PROGRESS begin_time\n"));
        if self.root.is_some() {
            add(&mut text, "cd \"$__ps_root\" || { __ps_why=directory; exit 1; }\n");
        }
        for variable in again() {
            match &variable.value {
                Some(value) => {
                    assign(&mut text, &variable.name, value.as_bytes());
                    add(&mut text, &format!("export {}\n", variable.name));
                }
                None => add(&mut text, &format!("unset {}\n", variable.name)),
            }
        }
        add(&mut text, DUMP);
        add(&mut text, &format!("__ps_step {after} STEP_PERFORMED end_time\n__ps_step {exec} STEP_IN_PROGRESS begin_time\n"));
        assign(&mut text, "__ps_s", exec.as_bytes());
        add(&mut text, LOOK);
        // A name that looks like an option would be one.
        add(&mut text, if self.command.program().to_bytes().starts_with(b"-") { "exec \"$__ps_f\"" } else { "exec \"$__ps_p\"" });
        for arg in self.command.args() {
            text.push(b' ');
            quote::word(&mut text, arg.to_bytes());
        }
        add(&mut text, "\nexit\n");
        Ok(text)
    }

    /// At least as long as it gets.
    fn length(&self) -> usize {
        let values = self.variables.iter().map(|variable| {
            let value = variable.value.as_ref().map_or(0, |value| quote::length(value.as_bytes()));
            2 * variable.name.len() + value + 16
        });
        let args = self.command.args().iter().map(|arg| quote::length(arg.to_bytes()) + 1);
        let texts = [self.directory.as_os_str().as_bytes(), self.command.program().to_bytes(), self.root.unwrap_or_default().as_bytes()];
        let fixed = HEAD.len() + DUMP.len() + LOOK.len() + 1024 + texts.into_iter().map(quote::length).sum::<usize>();
        values.chain(args).fold(fixed, usize::saturating_add)
    }
}

fn add(text: &mut Vec<u8>, more: &str) {
    text.extend_from_slice(more.as_bytes());
}

fn assign(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    add(text, name);
    text.push(b'=');
    quote::word(text, value);
    text.push(b'\n');
}
