//! procsup.ffi.h: the same declarations, flat.

/// The declarations of the header for those who read C without a preprocessor: no directive, no comment, nothing that is not C. What was a macro is a
/// constant of an enum; a text that has a name is left out, for there it is compared as text.
pub fn flat(header: &str) -> String {
    let mut text = String::from(
        "/* procsup.h for those who read C without a preprocessor (cffi, LuaJIT, PHP, ...): the same declarations, flat. The types of stdint.h and size_t\n   \
         are taken for known. What all of it means stands in procsup.h. Generated; do not edit. */\n",
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
            _ => text += &format!("{line}\n"),
        }
    }
    text
}
