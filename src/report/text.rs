//! As text: one line, then the details that exist. For a log, so the long dumps of a case stay with the page and JSON.

use std::fmt::Write as _;

use super::{details, duration, plain};
use crate::error::Error;
use crate::journey::Journey;

impl Error {
    /// As text: one line, then the details that exist.
    pub fn render_text(&self) -> String {
        let mut text = format!("{}: {self}\n", self.status.name());
        for (name, value) in details(self) {
            let _ = writeln!(text, "  {name}: {}", plain::line(&value));
        }
        if let Some(case) = &self.case {
            let _ = writeln!(text, "  category: {}", case.category.name());
            for (name, part) in [("summary", &case.summary), ("what is wrong", &case.problem), ("what to do", &case.solution)] {
                indent(&mut text, name, part);
            }
            case.advanced.iter().for_each(|advanced| indent(&mut text, "details", advanced));
            if !case.notes.is_empty() {
                indent(&mut text, "notes", &case.notes.join("\n"));
            }
        }
        if let Some(journey) = &self.journey {
            render_journey(&mut text, journey);
        }
        if !self.output.is_empty() {
            indent(&mut text, "output", &String::from_utf8_lossy(&self.output));
        }
        text
    }
}

impl Error {
    /// What there is to say of its case, plain: id, summary, problem, solution, details.
    pub(crate) fn texts(&self) -> [String; 5] {
        let Some(case) = &self.case else { return Default::default() };
        let advanced = case.advanced.as_deref().unwrap_or_default();
        [&case.id, case.summary.as_str(), &case.problem, &case.solution, advanced].map(|text| plain::lines(text).into_owned())
    }
}

/// Lines below a name.
fn indent(text: &mut String, name: &str, lines: &str) {
    let _ = writeln!(text, "  {name}:");
    for line in lines.lines() {
        let _ = writeln!(text, "{}", format!("    {}", plain::tabbed(line)).trim_end());
    }
}

impl Journey {
    /// As text: what is under way, and a line per step.
    pub fn render_text(&self) -> String {
        let mut text = format!("{} ({})\n", self.title(), self.kind());
        steps(&mut text, self, "  ");
        text
    }
}

pub(super) fn render_journey(text: &mut String, journey: &Journey) {
    let _ = writeln!(text, "  journey: {}", journey.title());
    steps(text, journey, "    ");
}

fn steps(text: &mut String, journey: &Journey, margin: &str) {
    let width = journey.steps().iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    let first = journey.span().map_or(0, |(first, _)| first);
    for (place, step) in journey.steps().iter().enumerate() {
        let at = step.begin.map(|begin| format!("  at {}", duration(begin.saturating_sub(first))));
        let took = journey.duration(place).map(|took| format!(", took {}", duration(took)));
        let (name, state) = (step.name, step.progress.name());
        let line = format!("{margin}{name:width$}  {state:11}{}{}", at.unwrap_or_default(), took.unwrap_or_default());
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
