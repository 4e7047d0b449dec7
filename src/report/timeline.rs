//! A journey in a page: a line per step, with a bar where it lies in the whole.
//!
//! Steps of the preloading protocol stand in lanes, by who takes them; such a name says so by how it begins. All others are one lane, as they are.

use std::fmt::Write as _;

use super::duration;
use super::escape::{capital, escape};
use crate::journey::{Journey, Progress};

/// Who takes a step, and what it is called among theirs.
const LANES: [(&str, &str); 3] = [("SPAWNING_KIT_", "Host"), ("PRELOADER_", "Preloader"), ("SUBPROCESS_", "Process")];

fn lane(name: &str) -> (Option<&'static str>, String) {
    for (prefix, lane) in LANES {
        if let Some(rest) = name.strip_prefix(prefix) {
            return (Some(lane), capital(&rest.replace('_', " ").to_lowercase()).replace("Os ", "OS "));
        }
    }
    (None, name.to_owned())
}

/// The list of its steps.
pub(super) fn timeline(journey: &Journey) -> String {
    let (first, last) = journey.span().unwrap_or_default();
    let whole = last.saturating_sub(first).max(1) as f64;
    let percent = |nanos: i64| (nanos as f64 / whole * 100.0).clamp(0.0, 100.0);
    let mut list = String::from("<ol>");
    let mut before = None;
    let steps = journey.steps();
    for (place, step) in steps.iter().enumerate() {
        let class = match step.progress {
            Progress::NotStarted => "idle",
            Progress::InProgress => "busy",
            Progress::Performed => "performed",
            Progress::Errored => "errored",
        };
        let (lane, name) = self::lane(step.name);
        if lane != before
            && let Some(lane) = lane
        {
            let _ = write!(list, "<li class=\"lane\">{lane}</li>");
        }
        before = lane;
        let is_end = steps.get(place + 1).is_some_and(|next| self::lane(next.name).0 != lane);
        // Without an end it goes on until the last moment that is known.
        let end = || if step.progress == Progress::InProgress { last } else { journey.end_of(place).unwrap_or(last) };
        let bar = step.begin.map(|begin| {
            let (left, width) = (percent(begin.saturating_sub(first)), percent(end().saturating_sub(begin)));
            format!("<i style=\"left:{left:.1}%;width:{width:.1}%\"></i>")
        });
        let at = step.begin.map(|begin| format!(", at {}", duration(begin.saturating_sub(first))));
        let _ = write!(
            list,
            "<li class=\"{class}{}\" title=\"{}\"><b>{}<small>{}{}</small></b><u>{}</u><span>{}</span></li>",
            if is_end { " end" } else { "" },
            escape(step.name),
            escape(&name),
            step.progress.name(),
            at.unwrap_or_default(),
            bar.unwrap_or_default(),
            journey.duration(place).map(duration).unwrap_or_default(),
        );
    }
    list.push_str("</ol>");
    list
}
