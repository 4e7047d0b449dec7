//! Which procsup this is, at compile time and at run time.

use core::ffi::c_char;

/// First part of the version. While it is 0, the second part changes with every change of the interface.
pub const PS_VERSION_MAJOR: u32 = 0;
/// Second part of the version.
pub const PS_VERSION_MINOR: u32 = 1;
/// Third part of the version.
pub const PS_VERSION_PATCH: u32 = 0;

/// The version of the library that is running: major << 16 | minor << 8 | patch. Compare it with
/// PS_VERSION_MAJOR, PS_VERSION_MINOR and PS_VERSION_PATCH, which are those of the header. May be called in
/// any context; never blocks, never fails.
#[unsafe(no_mangle)]
pub extern "C" fn ps_version() -> u32 {
    PS_VERSION_MAJOR << 16 | PS_VERSION_MINOR << 8 | PS_VERSION_PATCH
}

/// The same as text, for example "0.1.0". Static, never NULL; do not free it.
#[unsafe(no_mangle)]
pub extern "C" fn ps_version_string() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    TEXT.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_the_version_of_the_package() {
        let text = format!("{PS_VERSION_MAJOR}.{PS_VERSION_MINOR}.{PS_VERSION_PATCH}");
        assert_eq!(text, env!("CARGO_PKG_VERSION"));
    }
}
