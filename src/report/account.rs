//! The account of something that is over: how it went in a line, what is known of it by name, and its journey.
//!
//! The trap is that of every report: the facts may be a stranger's words. They go through the same doors as all else here.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::escape::{capital, escape};
use super::html::{END, begin, footer, prose, table};
use super::timeline::timeline;
use super::{json, plain, text, time_of_day};
use crate::journey::Journey;

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    /// What it was: a heading.
    pub title: String,
    /// How it went, in a word; and whether that is bad.
    pub word: &'static str,
    pub is_bad: bool,
    /// The same in a sentence. What stands between two backquotes is code.
    pub lead: String,
    /// What is known, by name.
    pub facts: Vec<(&'static str, String)>,
    /// Its steps.
    pub journey: &'a Journey,
}

impl Account<'_> {
    /// For a log or a terminal.
    pub fn render_text(&self) -> String {
        let mut whole = format!("{}: {}\n", plain::line(&self.title), self.word);
        for (name, fact) in &self.facts {
            let _ = writeln!(whole, "  {name}: {}", plain::line(fact));
        }
        text::render_journey(&mut whole, self.journey);
        whole
    }

    /// A page that stands by itself.
    pub fn render_html(&self) -> String {
        let mut page = begin(&self.title, "whole");
        let _ = write!(
            page,
            "<p class=\"tags\"><span class=\"tag mono\">{}</span><span class=\"tag{}\">{}</span></p><h1>{}</h1><div class=\"lead\">{}</div>\
             <section class=\"card\"><h2>Its steps</h2>{}</section><section class=\"card\"><h2>What is known</h2>{}</section>",
            escape(self.journey.kind()),
            if self.is_bad { " bad" } else { "" },
            escape(self.word),
            escape(&capital(&self.title)),
            prose(&self.lead),
            timeline(self.journey),
            table(self.facts.iter().map(|(name, fact)| (*name, fact.as_str())))
        );
        let at = self.journey.span().and_then(|(first, _)| self.journey.wall(first)).map(time_of_day);
        footer(&mut page, [at]);
        page.push_str(END);
        page
    }

    /// As a JSON object: these fields, and the journey.
    pub fn render_json(&self, mut fields: Map<String, Value>) -> String {
        fields.insert("journey".to_owned(), json::journey(self.journey));
        plain::json(&Value::Object(fields).to_string()).into_owned()
    }
}

/// A time of day, as in a journey.
pub(crate) fn time(nanos: i64) -> String {
    time_of_day(nanos)
}
