//! What is done at each step, by whom, and where to look when it fails there: the words of the texts, in the order of the three ways.
//!
//! Total: a step that is none of these (there is no such one today) has words, too.

use super::super::journey::step::*;

/// Who takes a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// The library, in the host's process.
    Host,
    /// The preloader.
    Preloader,
    /// The process that is started.
    Process,
}

/// What there is to say of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Who takes it.
    pub who: Who,
    /// What it does, to be put behind "while": "loading the application".
    pub doing: &'static str,
    /// Where to look, whatever the category.
    pub advice: &'static str,
}

/// The words for a step.
pub fn place(step: &str) -> Place {
    use Who::{Host, Preloader, Process};
    let (who, doing, advice) = match step {
        SPAWNING_KIT_PREPARATION => (
            Host,
            "preparing the session (a private directory, the arguments, the user, a port)",
            "Look whether the directory in which sessions are made (`spawn_dir`, else $TMPDIR, else /tmp) is there, may be written by this process \
             and has room, and whether the user and the group of the arguments exist.",
        ),
        SPAWNING_KIT_FORK_SUBPROCESS => (
            Host,
            "making the process",
            "Look at what limits processes and memory here: `ulimit -u`, pids.max and memory.max of the control group, and how many processes there are.",
        ),
        SPAWNING_KIT_CONNECT_TO_PRELOADER => (
            Host,
            "connecting to the preloader",
            "The preloader has ended, or its socket is gone. Look at its output for why it ended, and whether something cleans up the directory \
             of its socket (`socket_dir`). The next spawn starts it again.",
        ),
        SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER => (
            Host,
            "sending the command to the preloader",
            "The preloader took the connection and not the command: it is ending, or hangs. Look at its output. The next spawn starts it again.",
        ),
        SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER => (
            Host,
            "waiting for the preloader's answer",
            "The preloader took the command and gave no answer. Look at its output and, if it still runs, at where it stands (gdb, py-spy, rbspy): \
             something that the application started while it was loaded may keep its main thread.",
        ),
        SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER => (
            Host,
            "reading sense into the preloader's answer",
            "An answer is one line of JSON: {\"result\": \"ok\", \"pid\": NUMBER} or {\"result\": \"error\", \"message\": TEXT}. Look whether the \
             program that is run as preloader is the one that was meant, and of which version.",
        ),
        SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER => (
            Host,
            "acting upon the preloader's answer",
            "Look at the output of the preloader and of the worker. The process that it names must be alive, of the right user, and forked by \
             the preloader for this very request.",
        ),
        SPAWNING_KIT_HANDSHAKE_PERFORM => (
            Host,
            "waiting for the process to say that it is ready",
            "Look at the output of the process, which says why it did not get there, and try the start command by hand.",
        ),
        SPAWNING_KIT_FINISH => (
            Host,
            "finishing the start",
            "The process was ready already. This is no fault of the application's: look at the message, and at the limits of this process.",
        ),
        PRELOADER_PREPARATION => (
            Preloader,
            "preparing to fork the worker",
            "Look at the output of the preloader. The work directory must be there and be readable for its user.",
        ),
        PRELOADER_FORK_SUBPROCESS => (
            Preloader,
            "forking the worker",
            "Look at what limits the preloader's user: `ulimit -u`, pids.max and memory.max of the control group. A loaded application that is \
             forked may need as much memory again.",
        ),
        PRELOADER_SEND_RESPONSE => (
            Preloader,
            "answering to the command",
            "The worker was forked, and the answer did not get out. Look at the output of the preloader and of the worker.",
        ),
        PRELOADER_FINISH => (
            Preloader,
            "finishing the command",
            "The worker was forked. Look at the output of the preloader for what failed in it afterwards.",
        ),
        SUBPROCESS_BEFORE_FIRST_EXEC => (
            Process,
            "getting ready for its first program",
            "Look whether the start command names a program that exists and that the user may run, and at the limits of the process.",
        ),
        SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL => (
            Process,
            "setting up limits, user and directory",
            "Look whether the user may be changed to (this takes root), whether the limits that were asked for are within the hard ones, and \
             whether the user may enter the application's directory and each one above it.",
        ),
        SUBPROCESS_OS_SHELL => (
            Process,
            "running the user's login shell for its environment",
            "Look at the start-up files of that shell (/etc/profile, ~/.bash_profile, ~/.bashrc, ~/.zshenv, ...): one that exits, asks or waits ends \
             the start here. Or do without: `load_shell_envvars` false.",
        ),
        SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL => (
            Process,
            "setting up the environment after the login shell",
            "Look whether the login shell changes the directory or takes rights away, and whether the user may enter the application's directory.",
        ),
        SUBPROCESS_EXEC_WRAPPER => (
            Process,
            "executing the wrapper, which loads the application",
            "Look whether the program of the start command exists, may be executed by the user, and whether the interpreter that its first line names \
             is there.",
        ),
        SUBPROCESS_WRAPPER_PREPARATION => (
            Process,
            "preparing the wrapper",
            "The wrapper failed before it came to the application: look whether the interpreter has the version and the libraries that it needs.",
        ),
        SUBPROCESS_APP_LOAD_OR_EXEC => (
            Process,
            "loading the application",
            "Look at the output and at the details: the cause is in the application, in what it depends on (a library, a setting, a database), or in its \
             start command.",
        ),
        SUBPROCESS_PREPARE_AFTER_FORKING_FROM_PRELOADER => (
            Process,
            "preparing itself after it was forked",
            "Look at what the application does right after a fork: connections, threads and files that were made while it was loaded are \
             not usable in a worker and must be made anew.",
        ),
        SUBPROCESS_LISTEN => (
            Process,
            "opening the sockets on which it is to be reached",
            "Look whether the address is taken (`ss -ltnp`, `ss -lxp`), whether `socket_dir` may be written by the user, and whether the application \
             listens at the address and port that it was given.",
        ),
        SUBPROCESS_FINISH => (
            Process,
            "telling that it is ready",
            "It listens, and failed at its very end: look at its output, and whether it may write to its work directory.",
        ),
        NATIVE_PREPARATION => (
            Host,
            "making the channel on which host and process speak",
            "Look at the limits of this process: a channel takes two descriptors (`ulimit -n`), and a process a place in the table of children.",
        ),
        NATIVE_START => (
            Host,
            "starting the preloader's program",
            "Look whether the program exists and may be run by the user, and at what limits processes and memory here (`ulimit -u`, pids.max).",
        ),
        NATIVE_OPEN => (
            Process,
            "starting up, before it calls ps_preload_open",
            "Look at its output, and whether the program is the one that was meant: a native preloader calls ps_preload_open, in the very process \
             that was started. A script between must `exec` it.",
        ),
        NATIVE_LOAD => (
            Process,
            "loading the application",
            "Look at its output: the cause is in the application, in what it depends on (a library, a setting, a database), or it never calls \
             ps_preload_ready.",
        ),
        NATIVE_FORK => (
            Preloader,
            "forking the worker",
            "Look at the output of the preloader. It must come to ps_preload_fork (or ps_preload_accept) again and again, have one thread only \
             when it forks, and be allowed as many processes (`ulimit -u`, pids.max).",
        ),
        NATIVE_PROOF => (
            Host,
            "looking whether who was born is the worker",
            "Who says that it is the worker must be the process that the preloader has forked, of the preloader's user, and nobody else's child.",
        ),
        NATIVE_GATE => (
            Host,
            "handing the worker over and opening its gate",
            "Look at the limits of this process, and at the descriptors that are given to the worker.",
        ),
        NATIVE_WORK => (
            Process,
            "getting ready for work, after it was forked",
            "Look at what the application does right after a fork, before it calls ps_worker_ready: connections, threads and files that were made \
             while it was loaded are not usable in a worker and must be made anew.",
        ),
        NATIVE_PROMOTION => (
            Process,
            "draining, to become the next preloader",
            "Look at what the worker does when ps_worker_asked tells it PS_ASKED_PROMOTE: it must end what it has under way, have one thread \
             only, and \
             call ps_preload_ready. Whatever its application does not close or end before that, its own workers will have, too.",
        ),
        _ => (Host, "taking a step of the start", "Look at the output of the process."),
    };
    Place { who, doing, advice }
}
