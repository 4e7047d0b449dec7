//! `ps_run`, `ps_output`: one program, run to its end for what it says.

use core::ffi::c_char;
use std::sync::Arc;

use super::child::{fill_exit, ps_exit};
use super::command::{current, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, acquire};
use super::{convert, handles, ps_status, shapes};
use crate::error::Result;
use crate::process::output::Said;
use crate::supervisor::run;

/// What a program has said, its streams apart. Free it with ps_output_free.
pub struct ps_output {
    _private: [u8; 0],
}

/// Runs what `run` runs, and gives a handle to what was said, if one is wanted. That there is room for a handle is seen to first: nothing is run in vain.
fn answer(output: *mut *mut ps_output, run: impl FnOnce() -> Result<Said>) -> Result<ps_status> {
    if !output.is_null() {
        handles::make_room()?;
    }
    let said = run()?;
    if !output.is_null() {
        let handle = handles::insert(Arc::new(said))?;
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *output = convert::to_pointer(handle) };
    }
    Ok(PS_OK)
}

/// Runs a command to its end and gives what it has said: ps_spawn, ps_reap and capture in one call, without a
/// handle of the child. Any end is PS_OK here, exit code 1 as well as a signal: look at `exit`, or call
/// ps_run_checked.
///
/// STREAMS. Of 1 and 2 the first max_bytes each are kept, apart: ps_output_data. The first, where
/// ps_command_capture keeps the last: an answer is read from its beginning, a log from its end. What is beyond
/// is read and counted (ps_output_lost); the program is never held up by a full pipe. Memory grows with what
/// comes; where there is none for more, the rest counts as beyond.
/// What the command says of a stream holds: one that goes to a descriptor, a file, /dev/null or another
/// stream goes there, and nothing is kept of it. (PS_STDIO_PIPE is read like PS_STDIO_INHERIT.) What 0 is
/// comes from ps_command_input or ps_command_stdio. Where nothing was said of it, it is /dev/null, not the
/// host's: for that give PS_STDIO_FD and 0.
///
/// TIME. When timeout_ms is over, the start included, the command's stop plan runs (ps_command_stop_step), and
/// the answer is PS_ERR_TIMEOUT; the error tells how it ended, and ps_error_output what it had said. A program
/// that ends by itself before the plan reaches it was in time. The call ends with the program: a grandchild
/// that holds its streams open is not waited for, and killed with its group unless ps_command_survivors says
/// otherwise.
///
/// All else of the command holds as in ps_spawn with the NULL supervisor: ps_command_capture and its like say
/// nothing here, but a deadline of its own, a control group, a sandbox directory or an output file do.
///
/// Blocks until the program has ended, at most timeout_ms and what the stop plan takes (ps_terminate). A
/// signal handler of the host runs meanwhile and does not end the wait. Any number of threads may run
/// programs at once, one command too.
///
/// @param timeout_ms  milliseconds; -1: for ever
/// @param max_bytes   of each stream, up to 1 GiB; 0: nothing is kept, all is counted
/// @param exit        receives the exit record (set exit->size first); may be NULL
/// @param output      receives what it has said; free it with ps_output_free; may be NULL
/// @return PS_OK; PS_ERR_TIMEOUT, also where it is still there after its whole plan: then it is left to the
///         NULL supervisor; PS_ERR_PERMISSION or PS_ERR_UNSUPPORTED if the kernel refused to stop it
///         (ps_terminate); what ps_spawn answers if it cannot be started; for one that exited with 0, the
///         error that kept its output file from its place (ps_reap); PS_ERR_INVALID_ARGUMENT also if stream 0
///         is PS_STDIO_PIPE, if the command has a ps_command_pipe or ps_command_input_stream, whose other end
///         nobody could get, or lines of output, a restart policy or a budget, which need a supervisor
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_run(
    command: *const ps_command,
    timeout_ms: i64,
    max_bytes: usize,
    exit: *mut ps_exit,
    output: *mut *mut ps_output,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let command = current(command)?;
        if !exit.is_null() {
            // SAFETY: not null; the caller set the size.
            convert::size("exit", unsafe { (*exit).size }, size_of::<ps_exit>())?;
        }
        let mut ended = None;
        answer(output, || {
            let answer = run::run(&command, timeout_ms, max_bytes)?;
            ended = Some(answer.exit);
            Ok(answer.said)
        })?;
        if let Some(ended) = ended.filter(|_| !exit.is_null()) {
            // SAFETY: not null, and as large as its size says.
            unsafe { *exit = fill_exit((*exit).size, &ended) };
        }
        Ok(PS_OK)
    })
}

/// The same, and a program that does not exit with 0 is an error: PS_ERR_EXITED, whose message says how it
/// ended, and ps_error_output what it has said: stream 1, then stream 2, as far as they were kept.
///
/// Blocks as ps_run does.
///
/// @param timeout_ms  milliseconds; -1: for ever
/// @param max_bytes   of each stream, up to 1 GiB
/// @param output      receives what it has said; free it with ps_output_free; may be NULL
/// @return PS_OK: exit code 0; PS_ERR_EXITED: another code, a signal, or an end that nobody knows
///         (PS_EXIT_LOST); else as ps_run
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_run_checked(
    command: *const ps_command,
    timeout_ms: i64,
    max_bytes: usize,
    output: *mut *mut ps_output,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let command = current(command)?;
        answer(output, || run::run_checked(&command, timeout_ms, max_bytes))
    })
}

/// What it has said on a stream: whole, or its beginning (ps_output_lost). Nothing, if the stream went
/// elsewhere. Never blocks.
///
/// @param stream            1 or 2
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_output_data(
    output: *const ps_output,
    stream: i32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    super::guard::call(error, || {
        let said = convert::object::<Said, _>(output)?;
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[said.bytes(stream)?], buf, cap, needed) }
    })
}

/// How many bytes it has said on a stream beyond those that ps_output_data gives; 0: it is whole. Never
/// blocks.
///
/// @param stream  1 or 2
/// @param bytes   receives the number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_output_lost(output: *const ps_output, stream: i32, bytes: *mut u64, error: *mut *mut ps_error) -> ps_status {
    shapes::value(output, "bytes", bytes, error, |said: &Said| said.lost(stream))
}

/// Frees it. NULL and a freed one do nothing. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn ps_output_free(output: *mut ps_output) {
    shapes::free(output, |said: Arc<Said>| drop(said));
}
