//! `ps_error`: the details of a failure.

use core::ffi::c_char;
use std::ffi::{CStr, CString};
use std::sync::{Arc, OnceLock};

use super::{convert, guard, handles};
use crate::error::{Error, Status};

/// What a function answers: a number of enum ps_status_code.
pub type ps_status = i32;

pub use crate::error::Status as ps_status_code;

/// The name of a status, for example "PS_ERR_TIMEOUT"; "PS_ERR_UNKNOWN" for a number that is none. Static,
/// never NULL; do not free it. May be called in any context; never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn ps_status_name(status: ps_status) -> *const c_char {
    Status::from_repr(status).map_or("PS_ERR_UNKNOWN\0", Status::terminated_name).as_ptr().cast()
}

/// The details of one failure: code, errno, step, message, captured output. Free it with ps_error_free.
pub struct ps_error {
    _private: [u8; 0],
}

/// What stands behind the handle.
pub struct ErrorObject {
    error: Error,
    step: CString,
    message: CString,
    /// By the numbers of ps_error_text_kind, from 1 on; made when the first is asked for.
    texts: OnceLock<[CString; 5]>,
}

impl ErrorObject {
    pub(super) fn new(error: Error) -> Self {
        Self { step: c_string(error.step), message: c_string(&error.to_string()), texts: OnceLock::new(), error }
    }

    fn text(&self, kind: ps_error_text_kind) -> &CStr {
        let texts = self.texts.get_or_init(|| self.error.texts().map(|text| c_string(&text)));
        &texts[kind as usize - 1]
    }
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default()
}

/// The status that the failed function returned. PS_ERR_BAD_HANDLE or PS_ERR_FORKED if `error` is no live
/// error.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_status(error: *const ps_error) -> ps_status {
    guard::value(Status::Internal as ps_status, || match convert::object::<ErrorObject, _>(error) {
        Ok(object) => object.error.status as ps_status,
        Err(bad) => bad.status as ps_status,
    })
}

/// The errno of the system call that failed, or 0 if none did.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_errno(error: *const ps_error) -> i32 {
    guard::value(0, || convert::object::<ErrorObject, _>(error).ok().and_then(|object| object.error.errno).map_or(0, |errno| errno as i32))
}

/// What failed: a system call or step (PS_STEP_EXEC, "exec", and the other PS_STEP_* below), or the name of
/// the argument or setter that was refused. Never NULL. Valid until the error is freed.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_step(error: *const ps_error) -> *const c_char {
    text(error, |object| &object.step)
}

/// One sentence in English, on one line: what it quotes (a path, an argument, another process's words) has its
/// control characters, and those that turn the direction of writing, as in C ("\x1b", "\n", "\u202e"). That of
/// an application that failed to start ends with the id by which a page of it is found (PS_ERROR_TEXT_ID).
/// Never NULL. Valid until the error is freed.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_message(error: *const ps_error) -> *const c_char {
    text(error, |object| &object.message)
}

/// Of which kind the failure of an application to start is (ps_spawn_direct, ps_preloader_spawn):
/// "INTERNAL_ERROR", "FILE_SYSTEM_ERROR", "OPERATING_SYSTEM_ERROR", "IO_ERROR" or "TIMEOUT_ERROR"; "" for any
/// other error. The application may have named it. Static, never NULL; do not free it. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_category(error: *const ps_error) -> *const c_char {
    guard::value(c"".as_ptr(), || {
        let case = convert::object::<ErrorObject, _>(error).ok().and_then(|object| object.error.case.as_ref().map(|case| case.category));
        case.map_or(c"".as_ptr(), |category| category.terminated_name().as_ptr().cast())
    })
}

/// What ps_error_text tells of an application that failed to start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum ps_error_text_kind {
    /// Eight letters and digits, by chance, which tie what a visitor sees to what stands in a log.
    #[strum(serialize = "PS_ERROR_TEXT_ID")]
    Id = 1,
    /// What happened, in one line.
    #[strum(serialize = "PS_ERROR_TEXT_SUMMARY")]
    Summary = 2,
    /// What is wrong.
    #[strum(serialize = "PS_ERROR_TEXT_PROBLEM")]
    Problem = 3,
    /// What to do about it.
    #[strum(serialize = "PS_ERROR_TEXT_SOLUTION")]
    Solution = 4,
    /// What the application adds for those who know it: a backtrace.
    #[strum(serialize = "PS_ERROR_TEXT_ADVANCED")]
    Advanced = 5,
}

/// What is told to people of an application that failed to start (ps_spawn_direct, ps_preloader_spawn), by a
/// number of enum ps_error_text_kind: its own words where it gave any, else those of the library. Plain text
/// in lines: paragraphs with an empty line between, lists of lines that begin with "- ", quotations that are
/// indented by four spaces; HTML that an application gave is told as what it says. It commands no terminal,
/// and is no HTML: escape it there. "" for any other error, for another number, and for what there is nothing
/// of. Never NULL. Valid until the error is freed. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_text(error: *const ps_error, which: i32) -> *const c_char {
    let part = |object: Arc<ErrorObject>| ps_error_text_kind::from_repr(which).map_or(c"".as_ptr(), |kind| object.text(kind).as_ptr());
    guard::value(c"".as_ptr(), || convert::object::<ErrorObject, _>(error).map_or(c"".as_ptr(), part))
}

fn text(error: *const ps_error, part: impl FnOnce(&ErrorObject) -> &CString) -> *const c_char {
    guard::value(c"".as_ptr(), || convert::object::<ErrorObject, _>(error).map_or(c"".as_ptr(), |object| part(&object).as_ptr()))
}

/// In how many milliseconds another try makes sense; -1 if that is not known.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_retry_after_ms(error: *const ps_error) -> i64 {
    guard::value(-1, || convert::object::<ErrorObject, _>(error).ok().and_then(|object| object.error.retry_after_ms).unwrap_or(-1))
}

/// 1 if this is the first refusal of a budget in its window (ps_budget_begin): the one at which to do what is
/// to be done once, however many are refused after it. Else 0.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_is_storm(error: *const ps_error) -> i32 {
    guard::value(0, || convert::object::<ErrorObject, _>(error).map_or(0, |object| i32::from(object.error.storm)))
}

/// What the failed process had written, as far as it was captured: its very bytes, also those that command a
/// terminal.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_error_output(error: *const ps_error, buf: *mut c_char, cap: usize, needed: *mut usize) -> ps_status {
    guard::call(core::ptr::null_mut(), || {
        let object = convert::object::<ErrorObject, _>(error)?;
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[&object.error.output], buf, cap, needed) }
    })
}

/// How ps_error_render writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum ps_render_format {
    /// Plain text, several lines.
    #[strum(serialize = "PS_RENDER_TEXT")]
    Text = 1,
    /// One JSON object.
    #[strum(serialize = "PS_RENDER_JSON")]
    Json = 2,
    /// A self-contained HTML page, with everything that is known: for those who run the server.
    #[strum(serialize = "PS_RENDER_HTML")]
    Html = 3,
    /// An HTML page for anybody: that something failed, and the id by which its reason is found in a log.
    #[strum(serialize = "PS_RENDER_HTML_BRIEF")]
    HtmlBrief = 4,
}

/// Writes the whole error for a reader, NUL-terminated. Whatever it quotes commands no terminal, and is no
/// syntax of JSON or HTML. A page loads nothing, runs nothing, and follows the reader's choice of light or
/// dark.
///
/// Of an application that failed to start, JSON and the page hold what it and the host said of themselves:
/// environment, user, limits. What was given to it as confidential, and what looks like a secret, is masked
/// there; its own words and its output are not. Text, for a log, leaves these out. To the outside give
/// PS_RENDER_HTML_BRIEF, or a page of your own with the id (PS_ERROR_TEXT_ID).
///
/// @param format            PS_RENDER_TEXT, PS_RENDER_JSON, PS_RENDER_HTML or PS_RENDER_HTML_BRIEF
/// @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_error_render(
    error: *const ps_error,
    format: i32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> ps_status {
    guard::call(core::ptr::null_mut(), || {
        let object = convert::object::<ErrorObject, _>(error)?;
        let mut text = match convert::choice("format", format, ps_render_format::from_repr)? {
            ps_render_format::Text => object.error.render_text(),
            ps_render_format::Json => object.error.render_json(),
            ps_render_format::Html => object.error.render_html(),
            ps_render_format::HtmlBrief => object.error.render_brief(),
        };
        text.push('\0');
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[text.as_bytes()], buf, cap, needed) }
    })
}

/// Frees an error. NULL and a freed error do nothing. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn ps_error_free(error: *mut ps_error) {
    guard::quiet(|| drop(handles::remove::<ErrorObject>(error.addr() as u64)));
}
