//! Text that is shown as it is, whatever it holds.
//!
//! The trap: a path, an argument, a child's output or a peer's words may carry what a terminal obeys (ESC and the C1 controls, CR, BEL), what splits a
//! line of a log in two, or what turns the order of the letters round (Unicode's overrides). Such characters are shown as C would write
//! them; all others stay, letters of every script among them. What is escaped once is not changed by a second time.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether it is obeyed, and not shown.
fn is_obeyed(c: char) -> bool {
    // C0, DEL and C1; marks and overrides of direction; separators of lines and paragraphs.
    c.is_control() || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool, write: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let is_meant = |c: char| is_obeyed(c) && !stays(c);
    if !text.contains(is_meant) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_meant(c) { write(&mut plain, c) } else { plain.push(c) }
    }
    plain.into()
}

fn as_in_c(plain: &mut String, c: char) {
    let _ = match c {
        '\n' => plain.write_str("\\n"),
        '\r' => plain.write_str("\\r"),
        '\t' => plain.write_str("\\t"),
        c if c.is_ascii() => write!(plain, "\\x{:02x}", c as u32),
        c => write!(plain, "\\u{:04x}", c as u32),
    };
}

/// As one line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false, as_in_c)
}

/// The same, but tabs stay: a line of a program's output.
pub(crate) fn tabbed(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\t', as_in_c)
}

/// With its lines, for a page.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'), as_in_c)
}

/// JSON in which serde_json has escaped what JSON demands: the rest, which can only stand in its strings.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.is_ascii() && c != '\x7F', |plain, c| _ = write!(plain, "\\u{:04x}", c as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f27_what_a_terminal_obeys_is_shown_as_c_writes_it() {
        assert_eq!(line("\x1b[31m\x07\r\n\t\0\x7f"), r"\x1b[31m\x07\r\n\t\x00\x7f");
        assert_eq!(line("\u{9b}31m\u{202e}txt\u{2066}\u{200f}\u{61c}\u{2028}"), r"\u009b31m\u202etxt\u2066\u200f\u061c\u2028");
    }

    #[test]
    fn f27_letters_of_every_script_stay() {
        let text = "grün 漢字 עברית \u{200d}👩\u{200d}🔧 \\ \"x\" \u{fffd}";
        assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn f27_a_second_time_changes_nothing() {
        let once = line("a\x1b\nb").into_owned();
        assert_eq!(line(&once), once);
    }
}
