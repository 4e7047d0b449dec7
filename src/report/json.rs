//! As JSON: one object; what is not known is null. Times are nanoseconds of CLOCK_MONOTONIC.

use serde_json::{Value, json};

use super::{errno_name, plain};
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
            "output": (!self.output.is_empty()).then(|| String::from_utf8_lossy(&self.output).into_owned()),
        });
        plain::json(&whole.to_string()).into_owned()
    }
}

/// A list, for an object has no order.
fn journey(journey: &Journey) -> Value {
    let step = |(place, step): (usize, &crate::journey::Step)| {
        json!({
            "name": step.name,
            "state": step.progress.name(),
            "begin_ns": step.begin,
            "end_ns": journey.end_of(place),
            "duration_ns": journey.duration(place),
        })
    };
    json!({"title": journey.title(), "steps": journey.steps().iter().enumerate().map(step).collect::<Vec<_>>()})
}
