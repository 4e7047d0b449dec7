//! As a page that stands by itself: no script, no picture, nothing to load; light and dark, narrow and wide.
//!
//! The trap: nearly all that stands in it was written by a stranger, and an operator reads it in a browser. Every piece goes through the one
//! [`escape()`], into text or into a quoted value, never into a name, a style or an address; and the page forbids a browser to load or run anything, should that ever fail.

use std::fmt::Write as _;

use super::case::Case;
use super::dumps::Dumps;
use super::escape::{capital, escape};
use super::prose::{Part, parts};
use super::timeline::timeline;
use super::{details, duration, time_of_day};
use crate::error::Error;
use crate::journey::{Journey, Progress};

const STYLE: &str = include_str!("page.css");

/// The beginning of a page, up to its content.
pub(super) fn begin(title: &str, class: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"referrer\" content=\"no-referrer\"><meta name=\"robots\" content=\"noindex\">\
         <title>{}</title><style>{STYLE}</style></head><body><main class=\"{class}\">",
        escape(title)
    )
}

pub(super) const END: &str = "</main></body></html>\n";

impl Error {
    /// As a page that stands by itself.
    pub fn render_html(&self) -> String {
        let (status, case) = (self.status.name(), self.case.as_deref());
        let title = case.map_or(status, |case| &case.summary);
        let mut page = begin(title, "whole");
        let _ = write!(
            page,
            "<p class=\"tags\"><span class=\"tag{} mono\">{status}</span>",
            if (self.status as i32) < 0 { " bad" } else { "" }
        );
        if let Some(case) = case {
            let _ = write!(
                page,
                "<span class=\"tag mono\">{}</span><span class=\"tag\">id <code>{}</code></span>",
                case.category.name(),
                escape(&case.id)
            );
        }
        let _ = write!(page, "</p><h1>{}</h1><p class=\"lead\">{}</p>", escape(title), escape(&self.message));
        if let Some(case) = case {
            page.push_str("<div class=\"pair\">");
            for (title, text) in [("What is wrong", &case.problem), ("What to do", &case.solution)] {
                let _ = write!(page, "<section class=\"card\"><h2>{title}</h2>{}</section>", prose(text));
            }
            page.push_str("</div>");
        }
        if let Some(journey) = &self.journey {
            let _ = write!(page, "<section class=\"card\"><h2>{}</h2>{}</section>", escape(journey.title()), timeline(journey));
        }
        let known = details(self);
        if !known.is_empty() {
            let _ = write!(
                page,
                "<section class=\"card\"><h2>What is known</h2>{}</section>",
                table(known.iter().map(|(name, value)| (*name, value.as_str())))
            );
        }
        if !self.output.is_empty() {
            fold(&mut page, true, "Output", &size(self.output.len()), &quotation(&String::from_utf8_lossy(&self.output)));
        }
        if let Some(case) = case {
            folds(&mut page, case);
        }
        let at = self.journey.as_ref().and_then(|journey| journey.wall(journey.span()?.1)).map(time_of_day);
        footer(&mut page, [at, case.map(|case| format!("id {}", case.id))]);
        page.push_str(END);
        page
    }

    /// The same for somebody who shall know that it failed and not why: nothing but the id, which the log has with all the rest.
    pub fn render_brief(&self) -> String {
        let is_failure = (self.status as i32) < 0;
        let title = if is_failure { "Something went wrong" } else { "Nothing went wrong" };
        let mut page = begin(title, "brief");
        let _ = write!(page, "<h1>{title}</h1>");
        match &self.case {
            _ if !is_failure => {}
            Some(case) => {
                let _ = write!(
                    page,
                    "<p>The application could not be started. Whoever runs this server finds the reason in its log, under this id:</p><p class=\"id mono\">{}</p>",
                    escape(&case.id)
                );
            }
            None => page.push_str("<p>Whoever runs this server finds the reason in its log.</p>"),
        }
        page.push_str(END);
        page
    }
}

impl Journey {
    /// As a page that stands by itself: how it went in one line, and the timeline.
    pub fn render_html(&self) -> String {
        let (failed, hangs) = (self.first_failed(), self.steps().iter().rfind(|step| step.progress == Progress::InProgress));
        // Who has come to the end has come there, whatever a process says of its own steps.
        let is_done = self.steps().last().is_some_and(|step| step.progress == Progress::Performed);
        let took = self.span().map(|(first, last)| duration(last.saturating_sub(first)));
        let (word, lead) = match (failed, hangs, took) {
            (Some(step), _, Some(took)) => ("failed", format!("It failed at `{}` after {took}.", step.name)),
            (Some(step), _, None) => ("failed", format!("It failed at `{}`.", step.name)),
            (None, Some(step), _) if !is_done => ("under way", format!("It is at `{}`.", step.name)),
            (None, _, Some(took)) => ("done", format!("It took {took}.")),
            (None, _, None) => ("not begun", "Nothing of it was begun.".to_owned()),
        };
        let mut page = begin(self.title(), "whole");
        let _ = write!(
            page,
            "<p class=\"tags\"><span class=\"tag mono\">{}</span><span class=\"tag{}\">{word}</span></p><h1>{}</h1><div class=\"lead\">{}</div>\
             <section class=\"card\"><h2>Its steps</h2>{}</section>",
            escape(self.kind()),
            if failed.is_some() { " bad" } else { "" },
            escape(&capital(self.title())),
            prose(&lead),
            timeline(self)
        );
        let at = self.span().and_then(|(first, _)| self.wall(first)).map(time_of_day);
        footer(&mut page, [at]);
        page.push_str(END);
        page
    }
}

/// All that is long, closed.
fn folds(page: &mut String, case: &Case) {
    if let Some(advanced) = &case.advanced {
        fold(page, false, "Details", "what the application adds", &quotation(advanced));
    }
    if !case.config.is_empty() {
        let rows: Vec<_> = case.config.iter().map(|(name, value)| (name.as_str(), super::json::shown(value))).collect();
        fold(page, false, "Configuration", "", &table(rows.iter().map(|(name, value)| (*name, value.as_str()))));
    }
    for (title, dumps) in [("The process", &case.subprocess), ("The preloader", &case.preloader), ("The host", &case.host)] {
        let parts = [("Environment", &dumps.envvars), ("User", &dumps.user_info), ("Limits", &dumps.ulimits)];
        let mut body = String::new();
        for (name, text) in parts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
            let _ = write!(body, "<h3>{name}</h3>{}", quotation(text));
        }
        for (name, text) in &dumps.annotations {
            let _ = write!(body, "<h3>{}</h3>{}", escape(name), quotation(text));
        }
        if !body.is_empty() {
            fold(page, false, title, contents(dumps), &body);
        }
    }
    if !case.metrics.is_empty() {
        fold(page, false, "The system", "at that moment", &table(case.metrics.iter().map(|(name, value)| (*name, value.as_str()))));
    }
    if !case.notes.is_empty() {
        let items: String = case.notes.iter().map(|note| format!("<li>{}</li>", escape(note))).collect();
        fold(page, false, "Notes", "what could not be found out", &format!("<ul>{items}</ul>"));
    }
}

fn contents(dumps: &Dumps) -> &'static str {
    if dumps.annotations.is_empty() { "environment, user, limits" } else { "environment, user, limits, annotations" }
}

fn fold(page: &mut String, open: bool, title: &str, note: &str, body: &str) {
    let open = if open { " open" } else { "" };
    let _ = write!(page, "<details{open}><summary>{title} <small>{note}</small></summary><div>{body}</div></details>");
}

/// What is known of it beside, and who says so.
pub(super) fn footer<const N: usize>(page: &mut String, known: [Option<String>; N]) {
    page.push_str("<footer>");
    for part in known.into_iter().chain([Some(format!("procsup {}", env!("CARGO_PKG_VERSION")))]).flatten() {
        let _ = write!(page, "<span>{}</span>", escape(&part));
    }
    page.push_str("</footer>");
}

/// `1 234 bytes`, as one reads it.
fn size(bytes: usize) -> String {
    if bytes < 10_000 { format!("{bytes} bytes") } else { format!("{} KiB", bytes / 1024) }
}

fn quotation(text: &str) -> String {
    format!("<pre>{}</pre>", escape(text.trim_end_matches('\n')))
}

pub(super) fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows: String = rows.map(|(name, value)| format!("<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(value))).collect();
    format!("<table>{rows}</table>")
}

/// A text with its form. What stands between two backquotes of a line is code.
pub(super) fn prose(text: &str) -> String {
    let line = |text: &str| {
        let mut pieces = text.split('`').enumerate().peekable();
        let mut line = String::new();
        while let Some((place, piece)) = pieces.next() {
            match (place % 2 == 1, pieces.peek().is_some()) {
                (true, true) => _ = write!(line, "<code>{}</code>", escape(piece)),
                // One that is never closed is itself.
                (true, false) => _ = write!(line, "`{}", escape(piece)),
                (false, _) => line.push_str(&escape(piece)),
            }
        }
        line
    };
    let part = |part: &Part| match part {
        Part::Paragraph(text) => format!("<p>{}</p>", line(text)),
        Part::List(items) => format!("<ul>{}</ul>", items.iter().map(|item| format!("<li>{}</li>", line(item))).collect::<String>()),
        Part::Quotation(text) => quotation(text),
    };
    parts(text).iter().map(part).collect()
}
