//! The names of the steps of a start, as the reference has them, and who tells of which; and those of our own protocol (NATIVE_).

macro_rules! names {
    ($($name:ident)*) => { $(#[allow(missing_docs)] pub const $name: &str = stringify!($name);)* };
}
names! {
    SPAWNING_KIT_PREPARATION SPAWNING_KIT_FORK_SUBPROCESS
    SPAWNING_KIT_CONNECT_TO_PRELOADER SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER
    SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER
    SPAWNING_KIT_HANDSHAKE_PERFORM SPAWNING_KIT_FINISH
    PRELOADER_PREPARATION PRELOADER_FORK_SUBPROCESS PRELOADER_SEND_RESPONSE PRELOADER_FINISH
    SUBPROCESS_BEFORE_FIRST_EXEC SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL SUBPROCESS_OS_SHELL
    SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL SUBPROCESS_EXEC_WRAPPER SUBPROCESS_WRAPPER_PREPARATION SUBPROCESS_APP_LOAD_OR_EXEC
    SUBPROCESS_PREPARE_AFTER_FORKING_FROM_PRELOADER SUBPROCESS_LISTEN SUBPROCESS_FINISH
    NATIVE_PREPARATION NATIVE_START NATIVE_OPEN NATIVE_LOAD NATIVE_FORK NATIVE_PROOF NATIVE_GATE NATIVE_WORK
}

/// Whether the step is taken by the process that is started, and told by it.
pub fn is_subprocess(step: &str) -> bool {
    step.starts_with("SUBPROCESS_")
}

/// Whether the step is told from outside: by the process, or by the preloader.
pub fn is_foreign(step: &str) -> bool {
    is_subprocess(step) || step.starts_with("PRELOADER_")
}
