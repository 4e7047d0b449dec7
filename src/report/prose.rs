//! Plain text that has a form: paragraphs with an empty line between, lists of lines that begin with "- ", quotations that are indented by four
//! spaces. The texts of a case are written so, and what an application writes is read so.
//!
//! The trap: it may be anything. So there is no syntax that can be wrong, nothing nests, and each line is of one kind by its first letters.

/// A part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Lines that belong together.
    Paragraph(String),
    /// The items of a list.
    List(Vec<String>),
    /// As it stands, without the four spaces.
    Quotation(String),
}

/// The parts of a text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut is_open = false;
    let mut blank = 0;
    for line in text.lines() {
        if line.trim().is_empty() {
            (is_open, blank) = (false, blank + 1);
            continue;
        }
        let part = match (line.strip_prefix("    ").or_else(|| line.strip_prefix('\t')), line.trim_start().strip_prefix("- ")) {
            (Some(quoted), _) => Part::Quotation(quoted.to_owned()),
            (None, Some(item)) => Part::List(vec![item.trim().to_owned()]),
            (None, None) => Part::Paragraph(line.trim().to_owned()),
        };
        let join = |all: &mut String, text: &str, between: &str| {
            all.push_str(between);
            all.push_str(text);
        };
        match (parts.last_mut(), part) {
            // A quotation goes on after an empty line, and keeps it.
            (Some(Part::Quotation(all)), Part::Quotation(text)) => join(all, &text, &"\n".repeat(blank.min(2) + 1)),
            (Some(Part::List(all)), Part::List(items)) => all.extend(items),
            (Some(Part::List(all)), Part::Paragraph(text)) if is_open => {
                if let Some(last) = all.last_mut() {
                    join(last, &text, " ");
                }
            }
            (Some(Part::Paragraph(all)), Part::Paragraph(text)) if is_open => join(all, &text, "\n"),
            (_, part) => parts.push(part),
        }
        (is_open, blank) = (true, 0);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_kind_belong_together() {
        let text = "One\ntwo.\n\nThree:\n- a\n  b\n\n- c\n\n    x\n\n\n      y\nFour";
        let (paragraph, quotation) = (|text: &str| Part::Paragraph(text.into()), Part::Quotation("x\n\n\n  y".into()));
        let list = Part::List(vec!["a b".into(), "c".into()]);
        assert_eq!(parts(text), [paragraph("One\ntwo."), paragraph("Three:"), list, quotation, paragraph("Four")]);
        assert_eq!(parts(" \n\n"), []);
    }
}
