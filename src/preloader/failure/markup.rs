//! HTML that an application wrote, as plain text.
//!
//! The trap: the reference shows such HTML as it is, and with it whatever script an application (or a request whose words it quotes) puts
//! there, to an operator who is logged in somewhere. Here it is read for what it says: paragraphs, lists and quotations of code stay, as plain text
//! that is escaped like all other; a tag never comes through. One pass, no recursion, an answer that is bounded whatever comes in.

use super::texts::cut;

/// The longest answer, in characters.
pub const LONGEST: usize = 128 * 1024;

/// A tag longer than this is none: to look for the end of each of many that have none must not take long.
const LONGEST_TAG: usize = 1024;

/// What stands in these is not for reading.
const SILENT: &[&str] = &["script", "style", "head", "template", "noscript", "svg", "math", "iframe", "object"];
/// These begin a paragraph, and end one.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "aside",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "dl",
    "table",
    "pre",
    "blockquote",
    "hr",
    "form",
    "fieldset",
    "details",
];
/// These begin a line.
const LINES: &[&str] = &["br", "tr", "dt", "dd", "summary", "caption"];

/// The text of it.
pub fn text_of(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = beginning(html, LONGEST);
    let mut silent: Option<String> = None;
    while !rest.is_empty() && text.is_room() {
        let Some(at) = rest.find('<') else {
            if silent.is_none() {
                text.say(rest);
            }
            break;
        };
        let (before, tag) = rest.split_at(at);
        if silent.is_none() {
            text.say(before);
        }
        let Some((tag, after)) = Tag::of(tag) else {
            if silent.is_none() {
                text.say("<");
            }
            rest = &rest[at + 1..];
            continue;
        };
        rest = after;
        match &silent {
            Some(within) if tag.closes && tag.name == *within => silent = None,
            Some(_) => {}
            None if SILENT.contains(&tag.name.as_str()) && !tag.closes && !tag.is_empty => silent = Some(tag.name),
            None => text.turn(&tag),
        }
    }
    cut(text.done.trim_matches('\n'), LONGEST)
}

/// So many bytes of it, and no half letter.
pub fn beginning(text: &str, most: usize) -> &str {
    &text[..(0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)]
}

/// A tag, or what is like one.
struct Tag {
    /// In small letters; empty for a comment.
    name: String,
    closes: bool,
    is_empty: bool,
}

impl Tag {
    /// The tag that this begins with, and what comes after it.
    fn of(text: &str) -> Option<(Self, &str)> {
        let none = |after| Some((Self { name: String::new(), closes: false, is_empty: true }, after));
        if let Some(comment) = text.strip_prefix("<!--") {
            return none(comment.split_once("-->").map_or("", |(_, after)| after));
        }
        let inside = text.get(1..)?;
        if inside.starts_with(['!', '?']) {
            return none(inside.split_once('>').map_or("", |(_, after)| after));
        }
        let closes = inside.starts_with('/');
        let inside = inside.strip_prefix('/').unwrap_or(inside);
        if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let end = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
        let name = inside[..end].to_ascii_lowercase();
        // A `>` within a quoted value does not end it.
        let mut quote = None;
        let close = beginning(&inside[end..], LONGEST_TAG).find(|c| match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                false
            }
            (Some(open), c) if c == open => {
                quote = None;
                false
            }
            (None, '>') => true,
            _ => false,
        });
        // One that never ends is no tag.
        let close = end + close?;
        Some((Self { name, closes, is_empty: inside[..close].ends_with('/') }, &inside[close + 1..]))
    }
}

/// The text so far.
#[derive(Default)]
struct Text {
    done: String,
    /// Within how many `pre`.
    verbatim: usize,
    /// White space that has not been written: it may stand at an end.
    space: bool,
}

impl Text {
    fn is_room(&self) -> bool {
        self.done.len() <= LONGEST * 4
    }

    fn say(&mut self, text: &str) {
        for c in Letters(text) {
            if self.verbatim > 0 {
                self.done.push(c);
                if c == '\n' {
                    self.done.push_str("    ");
                }
            } else if c.is_whitespace() {
                self.space = true;
            } else {
                if core::mem::take(&mut self.space) && !self.done.ends_with([' ', '\n']) && !self.done.is_empty() {
                    self.done.push(' ');
                }
                self.done.push(c);
            }
            if !self.is_room() {
                break;
            }
        }
    }

    /// So many ends of lines stand at the end, if there is anything before them.
    fn lines(&mut self, count: usize) {
        self.space = false;
        while self.done.ends_with([' ', '\t']) {
            self.done.pop();
        }
        let there = self.done.bytes().rev().take_while(|byte| *byte == b'\n').count();
        if !self.done.is_empty() {
            self.done.extend(core::iter::repeat_n('\n', count.saturating_sub(there)));
        }
    }

    fn turn(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "li" if !tag.closes => {
                self.lines(1);
                self.done.push_str("- ");
            }
            "td" | "th" if !tag.closes => self.space = true,
            name if LINES.contains(&name) => self.lines(1),
            name if BLOCKS.contains(&name) => {
                self.lines(2);
                if name == "pre" {
                    self.verbatim = if tag.closes { self.verbatim.saturating_sub(1) } else { self.verbatim + 1 };
                    if !tag.closes {
                        self.done.push_str("    ");
                    }
                }
            }
            _ => {}
        }
    }
}

/// The characters of a text, with those that are written as entities.
struct Letters<'a>(&'a str);

impl Iterator for Letters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(entity) = self.0.strip_prefix('&')
            && let Some(end) = entity.bytes().take(12).position(|byte| byte == b';')
            && let Some(c) = meant(&entity[..end])
        {
            self.0 = &entity[end + 1..];
            return Some(c);
        }
        let c = self.0.chars().next()?;
        self.0 = &self.0[c.len_utf8()..];
        Some(c)
    }
}

/// What an entity stands for.
fn meant(entity: &str) -> Option<char> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).filter(|c| *c != '\0');
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "mdash" => Some('\u{2014}'),
        "ndash" => Some('\u{2013}'),
        "hellip" => Some('\u{2026}'),
        _ => match entity.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(&hex[1..], 16),
            digits => number(digits, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // covers: PA-75
    #[test]
    fn paragraphs_lists_and_quotations_stay() {
        let html = "<!-- no --><h2>Cannot  load</h2>\n<p>The gem <code>rack</code> is&nbsp;missing &amp; <b>needed</b>.</p>\
                    <ul><li>run <code>bundle</code>\n</li><li>or <a href=\"http://x/?a>b\">ask</a></li></ul>\
                    <pre>a  &lt;b&gt;\n  c</pre><p>one<br/>two";
        assert_eq!(
            text_of(html),
            "Cannot load\n\nThe gem rack is missing & needed.\n\n- run bundle\n- or ask\n\n    a  <b>\n      c\n\none\ntwo"
        );
    }

    // covers: PA-75
    #[test]
    fn what_is_not_for_reading_is_left_out() {
        assert_eq!(text_of("a<script>alert('x')</script><STYLE>b{}</STYLE ><svg onload=x>c</svg>d<!doctype html>e<?x?>f"), "adef");
        assert_eq!(text_of("a<script>never closed <p>b"), "a");
    }

    #[test]
    fn what_only_looks_like_a_tag_is_text() {
        assert_eq!(text_of("a < b && c > d &unknown; &#; &#x110000; &#0; <3 <"), "a < b && c > d &unknown; &#; &#x110000; &#0; <3 <");
        assert_eq!(text_of("x <a href='never closed"), "x <a href='never closed");
        assert_eq!(text_of("&#65;&#x42;&lt;script&gt;"), "AB<script>");
        assert_eq!(text_of("&lt\u{fc};é&é;&"), "&lt\u{fc};é&é;&");
    }

    #[test]
    fn a_long_one_ends_in_time_and_is_bounded() {
        for part in ["<p>", "<", "<a ", "&", "<pre>\n", "<pre>\n\n\n", "<li>", "</pre>", "<!--", "<script>"] {
            assert!(text_of(&part.repeat(LONGEST / 32 / part.len())).len() <= LONGEST * 5, "{part}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(html in "(<|>|/|&|#x?|;|\"|'|p|pre|li|script|!--|-->|[a-z0-9]|\\PC| |\n){0,200}") {
            prop_assert!(text_of(&html).len() <= html.len() * 6 + 8);
        }
    }
}
