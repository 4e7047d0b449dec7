//! Words for a shell.
//!
//! The trap: within single quotes a shell of any kind leaves every byte as it is but the quote itself; nothing else is so simple.

/// What a shell takes for the beginning of something else, where a command begins; those with a sign in them are quoted anyway.
const RESERVED: [&[u8]; 18] = [
    b"case",
    b"coproc",
    b"do",
    b"done",
    b"elif",
    b"else",
    b"esac",
    b"fi",
    b"for",
    b"function",
    b"if",
    b"in",
    b"select",
    b"then",
    b"time",
    b"until",
    b"while",
    b"namespace",
];

/// Appends one word: in single quotes, whatever it holds.
pub fn word(text: &mut Vec<u8>, word: &[u8]) {
    text.push(b'\'');
    for (at, part) in word.split(|byte| *byte == b'\'').enumerate() {
        if at > 0 {
            text.extend_from_slice(br"'\''");
        }
        text.extend_from_slice(part);
    }
    text.push(b'\'');
}

/// How long a word gets.
pub fn length(word: &[u8]) -> usize {
    word.len() + 2 + 3 * word.iter().filter(|byte| **byte == b'\'').count()
}

/// What needs no quotes.
fn is_plain(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_@%+:,./-".contains(byte))
}

/// Appends a program and its arguments as one line, quoted where there is need.
pub fn line<'a>(text: &mut Vec<u8>, program: &'a [u8], args: impl Iterator<Item = &'a [u8]>) {
    // A job is named by a percent sign.
    let is_program = is_plain(program) && !RESERVED.contains(&program) && !program.starts_with(b"%");
    if is_program {
        text.extend_from_slice(program)
    } else {
        word(text, program)
    }
    for arg in args {
        text.push(b' ');
        if is_plain(arg) { text.extend_from_slice(arg) } else { word(text, arg) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(program: &str, args: &[&str]) -> String {
        let mut text = Vec::new();
        line(&mut text, program.as_bytes(), args.iter().map(|arg| arg.as_bytes()));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_word_is_as_long_as_is_said() {
        let mut text = Vec::new();
        word(&mut text, b"it''s");
        assert_eq!((text.len(), &*text), (length(b"it''s"), &br"'it'\'''\''s'"[..]));
    }

    // covers: P-b8
    #[test]
    fn a_line_is_what_a_shell_reads_as_these_words() {
        let args = ["-e", "puts 'a'; b", "", "$(id)", "plain/word.rb"];
        assert_eq!(made("ruby", &args), r"ruby -e 'puts '\''a'\''; b' '' '$(id)' plain/word.rb");
    }

    #[test]
    fn a_program_is_never_a_word_of_the_shell() {
        assert_eq!(made("if", &["if", "A=b"]), "'if' if 'A=b'");
        assert_eq!([made("A=b", &[]), made("!", &[]), made("{", &[]), made("%1", &["%1"])], ["'A=b'", "'!'", "'{'", "'%1' %1"]);
    }
}
