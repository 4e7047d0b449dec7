//! procsup.ffi.h: the same declarations, flat.

/// The declarations of the header for those who read C without a preprocessor: no directive, no comment, nothing that is not C. What was a macro is a
/// constant of an enum; a text that has a name is left out, for there it is compared as text.
pub fn flat(header: &str) -> String {
    let mut text = format!(
        "/* procsup.h for those who read C without a preprocessor (cffi, LuaJIT, PHP, ...): the same declarations, each in one line. The library to load is\n   \
         {}. The types of stdint.h and size_t are taken for known. What all of it means stands in procsup.h. Generated; do not edit. */\n",
        soname()
    );
    let mut rest = header.to_owned();
    while let Some((before, (_, after))) = rest.split_once("/*").and_then(|(before, rest)| Some((before, rest.split_once("*/")?))) {
        rest = format!("{before}{after}");
    }
    let mut outside = false;
    for line in rest.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        match line.trim_start() {
            directive if directive.starts_with("#define PS_") => {
                let mut words = directive.split_whitespace().skip(1);
                if let (Some(name), Some(value)) = (words.next(), words.next().filter(|value| !value.starts_with('"'))) {
                    text += &format!("enum {{ {name} = {value} }};\n");
                }
            }
            // What is for C++ alone.
            directive if directive.starts_with("#ifdef __cplusplus") => outside = true,
            directive if directive.starts_with("#endif") => outside = false,
            directive if directive.starts_with('#') || outside => {}
            goes_on if is_open(&text) => {
                text.pop();
                text += &format!(" {goes_on}\n");
            }
            _ => text += &format!("{line}\n"),
        }
    }
    text
}

/// Whether the last declaration of a text is not over.
fn is_open(text: &str) -> bool {
    let last = text.lines().next_back().unwrap_or_default();
    last.matches('(').count() > last.matches(')').count()
}

/// As build.rs names it to the linker.
fn soname() -> String {
    match (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")) {
        ("0", minor) => format!("libprocsup.so.0.{minor}"),
        (major, _) => format!("libprocsup.so.{major}"),
    }
}
