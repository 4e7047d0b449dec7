//! What goes to the next generation: descriptors under their names, connections, and state.

use core::ffi::{c_char, c_void};
use std::os::fd::IntoRawFd;

use super::ps_handoff;
use crate::capi::error::ps_error;
use crate::capi::guard::{PS_OK, call};
use crate::capi::{convert, ps_status, shapes};
use crate::error::{Error, Status};
use crate::handoff::Handoff;

/// Hands a descriptor of any kind on under a name; one of the same name is replaced. A duplicate is kept,
/// `fd` stays yours. May be called during a handoff, too: what is set before ps_handoff_sealed (with overlap:
/// ps_handoff_drained) still reaches the successor. What a successor has taken is handed on by itself.
///
/// To close a listener takes both, -1 here and your own close(2): the duplicate would answer on, and
/// connections wait in its queue for nobody. During a probation the old generation has one, too, until it
/// retires. Connections would be held open in the same way: for those there is ps_handoff_pass_connection.
///
/// @param name  1 to 255 bytes without a newline, not beginning with "procsup:"; copied
/// @param fd    -1: this name is handed on no more (PS_ERR_NOT_FOUND if it was not)
/// @return PS_OK; PS_ERR_STATE if this generation is over
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_fd(handoff: *mut ps_handoff, name: *const c_char, fd: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let name = unsafe { convert::string("name", name) }?;
        if fd < -1 {
            return Err(Error::invalid("fd", format!("fd: {fd} is not an open descriptor")));
        }
        object.set_fd(name.to_bytes(), fd)
    })
}

/// Successor: claims a descriptor that was handed on. Each can be taken once, until ps_handoff_live, which
/// closes what nobody has taken. What the running generation sets anew while this one loads can be taken
/// again: ps_handoff_fd_names at PS_HANDOFF_LIVE lists it.
///
/// The library keeps a duplicate, so each takes two numbers of your limit of open files.
///
/// @param fd  receives it: close-on-exec, now yours. Its open file description (offset, O_NONBLOCK, socket
///            options) is shared with the old generation: change nothing of that while the old generation may
///            take back
/// @return PS_OK; PS_ERR_NOT_FOUND if nothing of that name was handed on, as in the first generation
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_take_fd(
    handoff: *mut ps_handoff,
    name: *const c_char,
    fd: *mut i32,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Handoff, _>(handoff)?;
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let name = unsafe { convert::string("name", name) }?;
        shapes::put("fd", fd, || Ok(object.take_fd(name.to_bytes())?.into_raw_fd()))
    })
}

/// Successor: the names that were handed on and not taken, in the order of their bytes, each followed by a
/// newline.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_fd_names(
    handoff: *const ps_handoff,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(handoff, buf, cap, needed, error, Handoff::fd_names)
}

/// Owner: passes an open connection on to the successor, with what was read of it and is not answered yet (see
/// CONNECTIONS at ps_handoff_new). From PS_HANDOFF_DRAIN on until ps_handoff_sealed (with overlap, in which
/// who passes one must have stopped reading it: until ps_handoff_drained). Called again for the same
/// connection it replaces the bytes. A duplicate is kept, `fd` stays yours. If the handoff comes to nothing,
/// nothing is passed any more; each handoff begins anew.
///
/// It takes one number of the limit of open files here and one in the successor, one more each with bytes.
/// What is passed before ps_handoff_drained is sent while this process still serves; what is passed after that
/// is sent between ps_handoff_sealed and the commit, in messages of 252, each of which is acknowledged. A
/// successor whose limit is too low ends the handoff, and PS_HANDOFF_RESUME follows. Never blocks.
///
/// @param fd    the connection: a socket, or any descriptor of which that holds
/// @param data  copied; the successor gets them with the descriptor
/// @param len   how many bytes; 0: none
/// @return PS_OK; PS_ERR_STATE if it is not the time (any more), as when the handoff was called off
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_pass_connection(
    handoff: *mut ps_handoff,
    fd: i32,
    data: *const c_void,
    len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        // SAFETY: as long as the caller says.
        object.pass_connection(fd, unsafe { convert::slice("data", data.cast::<u8>(), len) }?)
    })
}

/// Owner: passes a connection on no more. Call it before you close one that was passed: else the duplicate
/// that the library keeps holds it open, and the successor gets it. Never blocks.
///
/// @return PS_OK; PS_ERR_NOT_FOUND if it is not passed on; PS_ERR_STATE after ps_handoff_sealed, if it is:
///         the successor has it, or is about to
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_keep_connection(handoff: *mut ps_handoff, fd: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.keep_connection(fd))
}

/// Successor: claims the next connection that was passed on, in no order that means anything. At
/// PS_HANDOFF_LIVE, until ps_handoff_live, which closes those that nobody has taken. Go on as if the bytes had
/// just been read. Nothing of it stays with the library. There is none if `unsealed` is 1: the last owner has
/// read on until its death, nobody knows how far, and its clients see its connections end. Never blocks.
///
/// While the old generation stands by it has each connection, too: end one by shutdown(2) before close(2).
///
/// @param fd      receives it: close-on-exec, now yours. Its open file description is shared with the old
///                generation, as with ps_handoff_take_fd
/// @param buf     receives what the old generation has read of it and not answered; may be NULL if `cap` is 0
/// @param cap     how many bytes there is room for
/// @param needed  receives how many bytes they are, also where there is no room for them; may be NULL
/// @return PS_OK; PS_ERR_NOT_FOUND if none is left; PS_ERR_LIMIT if the buffer is too small: it is still the
///         next one; PS_ERR_STATE before PS_HANDOFF_LIVE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_take_connection(
    handoff: *mut ps_handoff,
    fd: *mut i32,
    buf: *mut c_void,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Handoff, _>(handoff)?;
        let place = convert::out("fd", fd)?;
        if buf.is_null() && cap > 0 {
            return Err(Error::invalid("buf", format!("buf is NULL, and cap is {cap}")));
        }
        let mut length = 0;
        let taken = object.take_connection(cap, |needed| length = needed);
        let told = taken.as_ref().map_or_else(|error| error.status == Status::Limit, |_| true);
        if told && !needed.is_null() {
            // SAFETY: not null, and valid by the caller's contract.
            unsafe { *needed = length };
        }
        let (taken, bytes) = taken?;
        // SAFETY: `buf` has room for `cap` bytes, and there are no more; `fd` is not null, and valid by the caller's contract.
        unsafe {
            if !bytes.is_empty() {
                core::ptr::copy_nonoverlapping(bytes.as_ptr(), buf.cast::<u8>(), bytes.len());
            }
            *place = taken.into_raw_fd();
        }
        Ok(PS_OK)
    })
}

/// Sets the state for the next generation: any bytes, copied into sealed memory. It may be set again at SEAL:
/// the successor reads at LIVE what was set last. A successor that is to hand on in turn sets its own.
///
/// @return PS_OK; PS_ERR_STATE if this generation is over
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_state(
    handoff: *mut ps_handoff,
    data: *const c_void,
    len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        // SAFETY: as long as the caller says.
        object.set_state(unsafe { convert::slice("data", data.cast::<u8>(), len) }?)
    })
}

/// Successor: the state that was handed on; empty if there is none. It stays readable, and its memory taken,
/// until the handle is freed or this process hands over.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_state(
    handoff: *const ps_handoff,
    buf: *mut c_void,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Handoff, _>(handoff)?;
        // SAFETY: the caller gave a valid place for the length, or null.
        if !unsafe { convert::is_room(object.state_length()?, buf.cast(), cap, needed) }? {
            return Ok(PS_OK);
        }
        let state = object.state()?;
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[&state], buf.cast(), cap, needed) }
    })
}
