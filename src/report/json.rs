//! As JSON: one object; what is not known is null. Times are nanoseconds of CLOCK_MONOTONIC, and where the journey knows it the time of day.

use serde_json::{Value, json};

use super::case::Case;
use super::dumps::Dumps;
use super::{errno_name, plain, time_of_day};
use crate::error::Error;
use crate::journey::Journey;

impl Error {
    /// As a JSON object; absent details are null.
    pub fn render_json(&self) -> String {
        let whole = json!({
            "status": self.status.name(),
            "code": self.status as i32,
            "message": self.message,
            "step": self.step,
            "errno": self.errno.map(|errno| errno as i32),
            "errno_name": self.errno.map(errno_name),
            "pid": self.pid,
            "retry_after_ms": self.retry_after_ms,
            "storm": self.storm,
            "journey": self.journey.as_deref().map(journey),
            "case": self.case.as_deref().map(case),
            "output": (!self.output.is_empty()).then(|| String::from_utf8_lossy(&self.output).into_owned()),
        });
        plain::json(&whole.to_string()).into_owned()
    }
}

impl Journey {
    /// As a JSON object.
    pub fn render_json(&self) -> String {
        plain::json(&journey(self).to_string()).into_owned()
    }
}

/// Its steps are a list, for an object has no order.
pub(super) fn journey(journey: &Journey) -> Value {
    let first = journey.span().map_or(0, |(first, _)| first);
    let time = |stamp: Option<i64>| {
        stamp.map(|stamp| json!({"relative_ns": stamp.saturating_sub(first), "absolute": journey.wall(stamp).map(time_of_day)}))
    };
    let step = |(place, step): (usize, &crate::journey::Step)| {
        json!({
            "name": step.name,
            "state": step.progress.name(),
            "begin_ns": step.begin,
            "end_ns": journey.end_of(place),
            "duration_ns": journey.duration(place),
            "begin_time": time(step.begin),
            "end_time": time(journey.end_of(place)),
        })
    };
    json!({"title": journey.title(), "type": journey.kind(), "steps": journey.steps().iter().enumerate().map(step).collect::<Vec<_>>()})
}

/// What was put together about a failed start, each part for itself.
fn case(case: &Case) -> Value {
    json!({
        "basic": {
            "id": case.id,
            "category": case.category.name(),
            "summary": case.summary,
            "problem": case.problem,
            "solution": case.solution,
            "advanced": case.advanced,
            "facts": named(&case.facts),
            "config": case.config,
            "notes": case.notes,
        },
        "system": named(&case.metrics),
        "host": dumps(&case.host),
        "preloader": dumps(&case.preloader),
        "subprocess": dumps(&case.subprocess),
    })
}

fn named(list: &[(&'static str, String)]) -> Value {
    Value::Object(list.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect())
}

fn dumps(dumps: &Dumps) -> Value {
    let annotations = dumps.annotations.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({
        "envvars": dumps.envvars,
        "user_info": dumps.user_info,
        "ulimits": dumps.ulimits,
        "annotations": Value::Object(annotations),
    })
}

/// A value of the configuration, for a reader.
pub(super) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
