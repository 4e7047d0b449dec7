//! What went wrong, of a command that could not be started: the step of the reference at which it failed, and which directory, file or limit it was.
//!
//! The trap: it is looked at afterwards, so what is found may be another state than the one that failed. The kernel's own answer always stands; what
//! is found is added to it, and where nothing is found it says so by saying nothing.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};

use super::access::{self, Obstacle};
use super::shell::Shell;
use crate::error::{Error, Status};
use crate::preloader::failure::{Category, Failure};
use crate::preloader::journey::step;
use crate::preloader::session::{Arguments, Owner, Session, uses_wrapper};
use crate::process::command::Command;

/// Problem and solution, in words for people.
type Texts = Option<(String, String)>;

/// The step at which the program of the command is executed: that of the wrapper, if there is one.
pub fn exec_step(arguments: &Arguments) -> &'static str {
    if uses_wrapper(arguments) { step::SUBPROCESS_EXEC_WRAPPER } else { step::SUBPROCESS_APP_LOAD_OR_EXEC }
}

/// A path for a message.
fn shown(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
}

/// What the one of that name in the folder says.
pub fn explain(error: &Error, command: &Command, session: &Session) -> Failure {
    let shell = Shell::of(session.arguments(), session.owner());
    let owner = session.owner();
    let step = step_of(error.step, shell.is_some(), session);
    let mut failure = Failure { category: Category::OperatingSystem, ..Failure::of(step, error) };
    if failure.errno.is_none() {
        // Nothing of the system's: an argument, or a state of ours.
        failure.category = Category::Internal;
    }
    let texts = match error.step {
        "chdir" => directory(&mut failure, session),
        "exec" => program(&mut failure, command, shell.as_ref(), owner),
        "rlimit" => limit(&mut failure, session),
        "setgroups" | "setgid" | "setuid" => user(&mut failure, owner),
        _ => None,
    };
    if let Some((problem, solution)) = texts {
        // As good as the process's own; without them there are others.
        let _ = session.write("response/error/problem_description.txt", problem.as_bytes());
        let _ = session.write("response/error/solution_description.txt", solution.as_bytes());
    }
    failure
}

/// Which step of the reference a step of the engine is.
fn step_of(engine: &str, shell: bool, session: &Session) -> &'static str {
    match engine {
        "exec" if shell => step::SUBPROCESS_OS_SHELL,
        "exec" => exec_step(session.arguments()),
        "chdir" | "rlimit" | "setgroups" | "setgid" | "setuid" | "nice" | "oom_score_adj" | "prctl" | "no_new_privs" | "die_with_host" => {
            step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL
        }
        "setpgid" | "setsid" | "close_range" | "close" | "dup2" | "fcntl" | "open" => step::SUBPROCESS_BEFORE_FIRST_EXEC,
        _ => step::SPAWNING_KIT_FORK_SUBPROCESS,
    }
}

/// The user, for a sentence.
fn who(owner: &Owner) -> String {
    let name = owner.name.as_ref().map_or_else(|| format!("user {}", owner.uid), |name| format!("user '{name}' ({})", owner.uid));
    let most = owner.groups.iter().take(16).map(u32::to_string).collect::<Vec<_>>().join(", ");
    let more = if owner.groups.len() > 16 { ", ..." } else { "" };
    match owner.groups[..] {
        [] => format!("{name} with group {}", owner.gid),
        [one] if one == owner.gid => format!("{name} with group {}", owner.gid),
        _ => format!("{name} with group {} and the groups {most}{more}", owner.gid),
    }
}

fn directory(failure: &mut Failure, session: &Session) -> Texts {
    let owner = session.owner();
    let root = PathBuf::from(session.arguments().text("app_root")?);
    let Obstacle { path, errno } = access::obstacle(&root, owner)?;
    let (path, root_shown) = (shown(&path), shown(&root));
    let itself = path == root_shown;
    let what = if itself { "the application's directory" } else { "the directory" };
    failure.errno = Some(errno);
    failure.status = Status::of(errno);
    let (message, do_what) = match errno {
        Errno::EACCES | Errno::EPERM => (
            format!("{what} '{path}' is inaccessible to {}: permission denied", who(owner)),
            format!(
                "Give {} the right to enter '{path}' (the x bit of its mode, or an access list); `namei -l {root_shown}` shows the modes of the whole way.",
                who(owner)
            ),
        ),
        Errno::ENOENT => (
            format!("'{path}' does not exist"),
            "Look at the spelling of app_root, and whether the application is deployed there.".to_owned(),
        ),
        Errno::ENOTDIR => (format!("'{path}' is no directory"), "Let app_root name the application's directory.".to_owned()),
        Errno::ELOOP => (format!("'{path}' is a symbolic link that leads nowhere, or in a circle"), "Mend the link.".to_owned()),
        other => (format!("'{path}' cannot be entered: {}", other.desc()), format!("Look at '{path}' and the file system that it is on.")),
    };
    failure.message = message;
    let reason =
        format!("The process of the application must enter its directory '{root_shown}' as {}. But {}.", who(owner), failure.message);
    Some((reason, do_what))
}

fn program(failure: &mut Failure, command: &Command, shell: Option<&Shell>, owner: &Owner) -> Texts {
    let name = shell.map_or_else(|| PathBuf::from(OsStr::from_bytes(command.program().to_bytes())), |shell| shell.path.clone());
    let what = if shell.is_some() { "the login shell" } else { "the program" };
    let errno = failure.errno?;
    let file = file_of(&name, command);
    let path = shown(file.as_deref().unwrap_or(&name));
    let (message, solution) = match (errno, &file) {
        (Errno::ENOENT, None) => (
            format!("{what} '{path}' is not in the PATH of the process"),
            "Install it, name it by its path, or set PATH in environment_variables.".to_owned(),
        ),
        (Errno::ENOENT | Errno::EACCES | Errno::ENOTDIR, Some(file)) => match (first_line(file, owner), errno) {
            (Some(interpreter), _) if cannot_run(&interpreter) => (
                format!("{what} '{path}' names '{}' as its interpreter, which is not there, or cannot be executed", shown(&interpreter)),
                "Install the interpreter, or mend the first line of the file. A line that ends with a carriage return names another one."
                    .to_owned(),
            ),
            (_, Errno::EACCES) => denied(what, file, owner),
            _ if file.exists() => (
                format!("{what} '{path}' is there, but not what it needs to run: its interpreter or its dynamic loader"),
                "Look at the first line of a script, and with `file` at what a binary was made for.".to_owned(),
            ),
            _ => (
                format!("{what} '{path}' does not exist"),
                "Look at the spelling of the path, and whether the program is installed.".to_owned(),
            ),
        },
        (Errno::ENOEXEC, _) => (
            format!("{what} '{path}' is no program of this machine"),
            "Give a script a first line with #! and its interpreter; a binary must be of this architecture.".to_owned(),
        ),
        (Errno::E2BIG, _) => (
            "arguments and environment are too large for a new program".to_owned(),
            "One variable or argument can have 128 KiB, all of them a quarter of the stack's limit.".to_owned(),
        ),
        _ => return None,
    };
    let reason = format!("The process of the application was to execute '{path}' as {}. But {message}.", who(owner));
    failure.message = format!("{message}: {} ({errno:?})", errno.desc());
    Some((reason, solution))
}

/// The file that was meant, if it can be known: one with a slash counts from the application's directory.
fn file_of(name: &Path, command: &Command) -> Option<PathBuf> {
    let root = command.directory().map_or(Path::new("/"), |root| Path::new(OsStr::from_bytes(root.to_bytes())));
    if name.as_os_str().as_bytes().contains(&b'/') {
        return Some(root.join(name));
    }
    let path = command.variable("PATH").ok()??;
    let candidates = path.as_bytes().split(|byte| *byte == b':').take(256).map(|part| root.join(OsStr::from_bytes(part)).join(name));
    candidates.into_iter().find(|file| file.symlink_metadata().is_ok())
}

fn denied(what: &str, file: &Path, owner: &Owner) -> (String, String) {
    let path = shown(file);
    let kind = std::fs::metadata(file);
    if kind.as_ref().is_ok_and(|data| data.is_dir()) {
        return (format!("{what} '{path}' is a directory"), "Name the program itself.".to_owned());
    }
    if kind.as_ref().is_ok_and(|data| !data.is_file()) {
        return (format!("{what} '{path}' is no regular file"), "Name the program itself.".to_owned());
    }
    if let Some(parent) = file.parent()
        && let Some(obstacle) = access::obstacle(parent, owner)
    {
        let place = shown(&obstacle.path);
        let solution = format!("Give the user the right to enter '{place}' (the x bit of its mode, or an access list).");
        return (format!("{what} '{path}' is out of reach of {}: the directory '{place}' keeps it out", who(owner)), solution);
    }
    let solution = "Give the user the right to execute it (chmod), and look at mount options (noexec).";
    (format!("{what} '{path}' may not be executed by {}", who(owner)), solution.to_owned())
}

/// How much of a file is looked at: what the kernel looks at itself (BINPRM_BUF_SIZE).
const HEAD: u64 = 256;

/// The interpreter that a file names in its first line. Never waits: only of a regular file. A path may be a link of the application's: what its user could
/// not read is not told to it.
fn first_line(file: &Path, owner: &Owner) -> Option<PathBuf> {
    let kind = std::fs::metadata(file).ok()?.file_type();
    if !kind.is_file() || kind.is_fifo() {
        return None;
    }
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(file).ok()?;
    if owner.switch && !may_read(&opened.metadata().ok()?, owner) {
        return None;
    }
    let mut head = Vec::new();
    opened.take(HEAD).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let name = line.split(|byte| matches!(byte, b' ' | b'\t' | 0)).find(|word| !word.is_empty())?;
    Some(PathBuf::from(OsStr::from_bytes(name)))
}

/// By its mode.
fn may_read(data: &std::fs::Metadata, owner: &Owner) -> bool {
    let group = data.gid() == owner.gid || owner.groups.contains(&data.gid());
    let bit = if data.uid() == owner.uid {
        0o400
    } else if group {
        0o040
    } else {
        0o004
    };
    data.mode() & bit != 0
}

/// Whether nobody can execute this: it is not there, or has no x bit.
fn cannot_run(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    !std::fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn limit(failure: &mut Failure, session: &Session) -> Texts {
    let asked = session.arguments().integer("file_descriptor_ulimit")?;
    let hard = getrlimit(Resource::RLIMIT_NOFILE).ok()?.1;
    let most = std::fs::read_to_string("/proc/sys/fs/nr_open").unwrap_or_default();
    failure.status = Status::Limit;
    failure.message = format!("file_descriptor_ulimit: the limit of descriptors cannot be set to {asked}, the hard limit is {hard}");
    let problem =
        format!("The process of the application was to have {asked} descriptors at most. The hard limit of this process is {hard}.");
    let solution = format!(
        "Ask for no more than {hard}, or raise the hard limit of the server (LimitNOFILE= of its unit, `ulimit -Hn`). Only root goes beyond it, and \
         nobody beyond fs.nr_open, which is {}.",
        most.trim()
    );
    Some((problem, solution))
}

fn user(failure: &mut Failure, owner: &Owner) -> Texts {
    let errno = failure.errno?;
    failure.message = format!("the process cannot become {}: {} ({errno:?})", who(owner), errno.desc());
    let problem = format!("The process of the application was to run as {}. The kernel refused: {}.", who(owner), errno.desc());
    let solution = match errno {
        Errno::EPERM => {
            "To change the user takes root (CAP_SETUID, CAP_SETGID), in a container as well. Leave out `user` and `group` to stay who the server is."
        }
        Errno::EINVAL => "The user namespace of the server has no such user or group: look at /proc/self/uid_map and gid_map.",
        _ => "The user has as many processes as it may: look at `ulimit -u` and at what runs under that user.",
    };
    Some((problem, solution.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::preloader::session::Arguments;

    // covers: PA-48, LAW-17
    #[test]
    fn what_the_user_could_not_read_is_not_told() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let script = home.path().join("script");
        std::fs::write(&script, "#!/opt/secret/sh\n").unwrap();
        let mut arguments = Arguments::default();
        arguments.set("user", Some("nobody")).unwrap();
        let nobody = Owner::of(&arguments).unwrap();
        for (mode, uid, told) in [(0o755, 0, true), (0o751, 0, false), (0o700, nobody.uid, true), (0o055, nobody.uid, false)] {
            std::os::unix::fs::chown(&script, Some(uid), Some(0)).unwrap();
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(first_line(&script, &nobody).is_some(), told, "{mode:o}");
        }
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(first_line(&script, &Owner::of(&Arguments::default()).unwrap()).is_some(), "one that does not change reads it anyway");
    }
}
