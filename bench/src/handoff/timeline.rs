//! The pictures: what the clients of each method saw within the same seconds, below each other. The line is the worst
//! latency of each few milliseconds, the marks are handoffs, the crosses requests that failed.

use super::case::Case;
use super::client::{Outcome, Sample};
use crate::chart::{INK, MUTED, WIDTH, colour, text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// What is shown of one method.
pub struct Panel<'a> {
    pub id: &'static str,
    pub ours: bool,
    pub label: String,
    pub said: String,
    pub failed: bool,
    pub samples: &'a [Sample],
    pub marks: &'a [u64],
}

pub struct Picture<'a> {
    /// File name without its ending.
    pub name: &'static str,
    pub title: String,
    pub window_ms: usize,
    pub bucket_ms: usize,
    pub panels: Vec<Panel<'a>>,
}

pub fn panel(case: &Case) -> Panel<'_> {
    let failed = case.all_failed();
    Panel {
        id: case.plan.method.id,
        ours: case.plan.method.ours,
        label: case.plan.method.label.into(),
        said: format!("{} handoffs, {failed} of {} failed", case.taken.whole.len(), case.requests),
        failed: failed > 0,
        samples: &case.timeline,
        marks: &case.marks,
    }
}

const TOP: i32 = 84;
const LEFT: i32 = 250;
const RIGHT: i32 = 70;
const PANEL: i32 = 92;
const HEIGHT: i32 = 70;
/// The latency axis, in ms, and its lines.
const DECADES: (f64, f64) = (0.05, 1000.0);
const TICKS: [(f64, &str); 5] = [(0.1, "0.1 ms"), (1.0, "1 ms"), (10.0, "10 ms"), (100.0, "100 ms"), (1000.0, "1 s")];
const FAILED: RGBColor = RGBColor(0xc0, 0x00, 0x3c);
const GRID: RGBColor = RGBColor(0xe4, 0xe7, 0xeb);

impl Picture<'_> {
    pub fn write_svg(&self, dir: &Path, subtitle: &str) -> Result<(), String> {
        if self.panels.is_empty() {
            return Ok(());
        }
        let path = dir.join(format!("{}.svg", self.name));
        draw(self, &path, subtitle).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// The worst answer of each bucket, and whether a request of it has failed.
fn buckets(picture: &Picture, samples: &[Sample], start_ns: u64) -> Vec<(Option<f64>, bool)> {
    let mut buckets = vec![(None, false); picture.window_ms / picture.bucket_ms];
    for sample in samples {
        let Some(after) = sample.intended_ns.checked_sub(start_ns) else { continue };
        let Some(bucket) = buckets.get_mut((after / 1_000_000) as usize / picture.bucket_ms) else { continue };
        if sample.outcome == Outcome::Answered {
            let ms = f64::from(sample.us) / 1e3;
            bucket.0 = Some(bucket.0.map_or(ms, |most: f64| most.max(ms)));
        } else {
            bucket.1 = true;
        }
    }
    buckets
}

fn draw(picture: &Picture, path: &Path, subtitle: &str) -> Result<(), Box<dyn std::error::Error>> {
    let rows = picture.panels.len() as i32;
    let height = TOP + rows * PANEL + 30;
    let root = SVGBackend::new(path, (WIDTH, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(picture.title.as_str(), (24, 22), text(20, FontStyle::Bold, &INK)))?;
    let subtitle = format!("marks: handoffs; crosses: failed requests.  {subtitle}");
    root.draw(&Text::new(subtitle, (24, 50), text(13, FontStyle::Normal, &MUTED)))?;
    let right = WIDTH as i32 - RIGHT;
    let x = |ms: f64| LEFT + (ms / picture.window_ms as f64 * f64::from(right - LEFT)) as i32;
    for (row, panel) in picture.panels.iter().enumerate() {
        let top = TOP + row as i32 * PANEL;
        let y = |ms: f64| {
            let share = (ms.clamp(DECADES.0, DECADES.1) / DECADES.0).ln() / (DECADES.1 / DECADES.0).ln();
            top + HEIGHT - (share * f64::from(HEIGHT)) as i32
        };
        let colour = colour(if panel.ours { "procsup" } else { panel.id });
        let weight = if panel.ours { FontStyle::Bold } else { FontStyle::Normal };
        let label = text(14, weight, &colour).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw(&Text::new(panel.label.as_str(), (LEFT - 12, top + 20), label))?;
        let (style, ink) = if panel.failed { (FontStyle::Bold, &FAILED) } else { (FontStyle::Normal, &MUTED) };
        let small = text(11, style, ink).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw(&Text::new(panel.said.as_str(), (LEFT - 12, top + 40), small))?;
        for (ms, name) in TICKS {
            root.draw(&PathElement::new(vec![(LEFT, y(ms)), (right, y(ms))], GRID.stroke_width(1)))?;
            let style = text(10, FontStyle::Normal, &MUTED).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(name, (right + 6, y(ms)), style))?;
        }
        let start_ns = panel.samples.iter().map(|sample| sample.intended_ns).min().unwrap_or(0);
        for mark in panel.marks {
            let ms = mark.saturating_sub(start_ns) as f64 / 1e6;
            if *mark > start_ns && ms < picture.window_ms as f64 {
                let foot = vec![(x(ms), top + HEIGHT), (x(ms), top + HEIGHT + 6)];
                root.draw(&PathElement::new(foot, INK.stroke_width(2)))?;
            }
        }
        let buckets = buckets(picture, panel.samples, start_ns);
        let middle = |i: usize| x((i * picture.bucket_ms) as f64 + picture.bucket_ms as f64 / 2.0);
        let line =
            buckets.iter().enumerate().filter_map(|(i, (ms, _))| Some((middle(i), y((*ms)?)))).collect::<Vec<_>>();
        root.draw(&PathElement::new(line, colour.stroke_width(1)))?;
        for (i, _) in buckets.iter().enumerate().filter(|(_, (_, failed))| *failed) {
            root.draw(&Cross::new((middle(i), top + 3), 3, FAILED.stroke_width(1)))?;
        }
    }
    let foot = text(12, FontStyle::Normal, &MUTED).pos(Pos::new(HPos::Center, VPos::Top));
    for ms in (0..=picture.window_ms).step_by(picture.window_ms / 4) {
        let name = format!("{:.1} s", ms as f64 / 1e3);
        root.draw(&Text::new(name, (x(ms as f64), TOP + rows * PANEL), foot.clone()))?;
    }
    root.present()?;
    Ok(())
}
