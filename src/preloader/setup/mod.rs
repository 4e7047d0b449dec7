//! What a process finds when it begins: environment, user, limits, directory, login shell. And why it did not begin.
//!
//! The spawn engine does what can be done between clone and exec, with the exact error of each step; there is no helper program. So what the process
//! will find is known here, beforehand, and written down in the session for its report. The one exception is a login shell: what that makes of the
//! environment nobody knows before it has run. Then a script stands between, which takes the second half upon itself.
//!
//! The traps. **A user's shell files may do anything**: change what was given, define functions in place of commands, close descriptors, hang. So
//! nothing of ours runs in that shell but one `exec` of a fresh `sh`, and what was given is given again there. **A value is never on a command
//! line**: other users read those; it stands in a file of the session, which is the owner's. **After the shell an exec is no longer the engine's**: the
//! script says itself what failed.
//!
//! | file           | what                                                                         |
//! |----------------|------------------------------------------------------------------------------|
//! | `variables.rs` | its environment, beside what the command says (pure)                         |
//! | `shell.rs`     | whether a login shell comes first, and how it is called (pure)               |
//! | `script.rs`    | what runs behind the shell (pure)                                            |
//! | `dumps.rs`     | environment, user and limits as the session keeps them                       |
//! | `explain.rs`   | what went wrong, of a command that could not be started                      |
//! | `access.rs`    | which directory keeps a user out                                             |
//!
//! ```text
//!   the engine: limits, groups, user, directory --exec--> program
//!                                               '-exec--> login shell --exec--> sh: given again, dumped --exec--> program      (one pid throughout)
//! ```

mod access;
mod dumps;
mod explain;
mod script;
mod shell;
mod variables;

use self::shell::Shell;
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::journey::Progress;
use crate::preloader::failure::Failure;
use crate::preloader::journey::step;
use crate::preloader::session::{Arguments, Session, Value};
use crate::process::command::{Command, Credentials};

/// The name of the script in the session's directory.
const SCRIPT: &str = "setup.sh";
/// The reference's mark of a session with a login shell.
const MARK: &str = "execute_through_os_shell";

/// Completes arguments by what the command says by itself: `start_command`, a line for a shell, and `app_root`, where they were not given. The
/// command is the truth: a `start_command` that was given is handed on, and not run. Before the session is prepared.
pub fn arguments(command: &Command, arguments: &Arguments) -> Result<Arguments> {
    let mut whole = arguments.clone();
    if whole.get("start_command").is_none_or(Value::is_null) {
        whole.put("start_command", Value::from(String::from_utf8_lossy(&command.line()?)))?;
    }
    if let (None | Some(Value::Null), Some(directory)) = (whole.get("app_root"), command.directory()) {
        whole.put("app_root", Value::from(String::from_utf8_lossy(directory.to_bytes())))?;
    }
    Ok(whole)
}

/// The command as it is really started. What the process will find is written down in the session, and the steps are that it takes before it
/// begins: before `finalize`.
///
/// The defaults yield to what the command itself says of its environment, and both to `environment_variables`. A login shell sees it all and may change
/// it; the defaults and `environment_variables` are set again behind it. User, directory and limit of descriptors are those of the session.
pub fn command(command: &Command, session: &Session) -> Result<Command> {
    let begun = clock::now();
    session.mark_step(step::SUBPROCESS_BEFORE_FIRST_EXEC, Progress::Performed, Some(begun), Some(begun))?;
    let (arguments, owner) = (session.arguments(), session.owner());
    let shell = Shell::of(arguments, owner);
    let mut made = command.clone();
    become_the_owner(&mut made, session)?;
    if let Some(most) = arguments.integer("file_descriptor_ulimit").filter(|most| *most > 0) {
        made.rlimit(libc::RLIMIT_NOFILE as i32, most as u64, most as u64)?;
    }
    if let Some(root) = arguments.text("app_root") {
        made.cwd(root)?;
    }
    let facts =
        variables::Facts { arguments, port: session.port(), directory: session.path(), owner, rubyopt: command.variable("RUBYOPT")? };
    let said = |name: &str| command.changes_variable(name);
    let missing = |name: &str| owner.switch || !matches!(command.variable(name), Ok(Some(_)));
    let variables = variables::all(&facts, &said, &missing)?;
    for variable in &variables {
        made.env(&variable.name, variable.value.as_deref())?;
    }
    session.write("envdump/envvars", &dumps::environment(&made)?)?;
    session.write("envdump/user_info", dumps::user(owner).as_bytes())?;
    session.write("envdump/ulimits", dumps::limits(&made).as_bytes())?;
    if let Some(shell) = &shell {
        refuse_arg0(command)?;
        let script = script::Script {
            directory: session.path(),
            root: arguments.text("app_root"),
            variables: &variables,
            command,
            step: explain::exec_step(arguments),
        };
        session.write(SCRIPT, &script.text()?)?;
        session.write(MARK, b"")?;
        made.run_instead(&shell.path, shell.args(&session.path().join(SCRIPT)))?;
    }
    mark(session, shell.is_some(), begun)?;
    Ok(made)
}

/// The steps before the program: the host has taken them for the process, or knows that they come next.
fn mark(session: &Session, shell: bool, begun: i64) -> Result<()> {
    let now = clock::now();
    session.mark_step(step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL, Progress::Performed, Some(begun), Some(now))?;
    if shell {
        return session.mark_step(step::SUBPROCESS_OS_SHELL, Progress::InProgress, Some(now), None);
    }
    session.mark_step(step::SUBPROCESS_OS_SHELL, Progress::NotStarted, None, None)?;
    session.mark_step(step::SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL, Progress::Performed, Some(now), Some(now))?;
    session.mark_step(explain::exec_step(session.arguments()), Progress::InProgress, Some(now), None)
}

/// The files of a session belong to its owner, so its process must be nobody else.
fn become_the_owner(made: &mut Command, session: &Session) -> Result<()> {
    let owner = session.owner();
    if let Some((uid, gid)) = made.becomes().map(Credentials::ids)
        && (uid, gid) != (owner.uid, owner.gid)
    {
        let who = format!("the command becomes user {uid} and group {gid}");
        let message = format!("credentials: {who}, its session is that of {} and {}: say it by `user` and `group`", owner.uid, owner.gid);
        return Err(Error::invalid("credentials", message));
    }
    if owner.switch && made.becomes().is_none() {
        made.credentials(owner.uid, owner.gid, &owner.groups)?;
    }
    Ok(())
}

/// A shell has no way to name a program otherwise than by its path.
fn refuse_arg0(command: &Command) -> Result<()> {
    if command.own_arg0().is_some() {
        let message = "arg0: a login shell (load_shell_envvars) cannot hand on an argv[0] of its own";
        return Err(Error::new(Status::Unsupported, "arg0", message));
    }
    Ok(())
}

/// What went wrong when that command could not be started. Which directory denies access is found out by trying as its user, which costs a few
/// forks. Texts for people are left in the session, as if the process had written them.
pub fn explain(error: Error, command: &Command, session: &Session) -> Failure {
    explain::explain(&error, command, session)
}

#[cfg(test)]
mod tests;
