//! The pictures: a cost or a rate against one property of the host, every method a line, both axes with units, the y
//! axis logarithmic because the methods lie decades apart. The legend stands at the lines' right ends, in their
//! order, with the last value.

use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
pub struct Curves {
    /// File name without its ending.
    pub name: &'static str,
    pub title: &'static str,
    pub x_label: &'static str,
    #[serde(skip)]
    pub x_log: bool,
    #[serde(skip)]
    pub y_label: &'static str,
    /// Of all `y`.
    pub unit: Unit,
    pub x: Vec<f64>,
    pub lines: Vec<Line>,
}

#[derive(Serialize)]
pub struct Line {
    pub id: &'static str,
    pub label: String,
    /// One per `x`.
    pub y: Vec<f64>,
}

#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Microseconds,
    PerSecond,
}

impl Unit {
    pub fn name(self, value: f64) -> String {
        match self {
            Self::Microseconds => duration(value),
            Self::PerSecond => format!("{}/s", grouped(rounded(value))),
        }
    }
}

pub const WIDTH: u32 = 1000;
const SIZE: (u32, u32) = (WIDTH, 600);
const TOP: u32 = 84;
const LEFT: u32 = 84;
const BOTTOM: u32 = 54;
const RIGHT: u32 = 250;
const LABEL_STEP: i32 = 22;

pub const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
pub const MUTED: RGBColor = RGBColor(0x66, 0x70, 0x7a);
const GRID: RGBColor = RGBColor(0xe4, 0xe7, 0xeb);

/// Colours that stay apart for colour-blind readers; ours is the strongest.
pub fn colour(id: &str) -> RGBColor {
    match id {
        "procsup" => RGBColor(0xd5, 0x3e, 0x00),
        "procsup-blocking" => RGBColor(0xf2, 0x8e, 0x5c),
        "floor" | "bare" => INK,
        "vfork" => RGBColor(0x8a, 0x94, 0x9e),
        "posix_spawn" | "beyond" | "beyond-tuned" => RGBColor(0x00, 0x72, 0xb2),
        "fork" | "sweep" | "restart" => RGBColor(0xc9, 0x8a, 0x00),
        "libuv" | "reuseport" | "reuseport-migrate" => RGBColor(0x00, 0x9e, 0x73),
        "glib" | "xargs" => RGBColor(0xb8, 0x5c, 0x92),
        _ => RGBColor(0x4a, 0xa8, 0xde),
    }
}

pub fn text(size: u32, style: FontStyle, colour: &RGBColor) -> TextStyle<'static> {
    ("Helvetica, Arial, sans-serif", size, style).into_font().color(colour)
}

impl Curves {
    /// `subtitle`: where the figures come from.
    pub fn write_svg(&self, dir: &Path, subtitle: &str) -> Result<(), String> {
        let path = dir.join(format!("{}.svg", self.name));
        self.draw(&path, subtitle).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Where a level lies on the x axis; whole numbers, because plotters lets only those name their own ticks.
    fn position(&self, x: f64) -> i64 {
        let x = if self.x_log { x.max(1.0).log10() } else { x };
        (x * 1e4) as i64
    }

    fn draw(&self, path: &Path, subtitle: &str) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::new(path, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        root.draw(&Text::new(self.title, (24, 22), text(22, FontStyle::Bold, &INK)))?;
        root.draw(&Text::new(subtitle, (24, 50), text(13, FontStyle::Normal, &MUTED)))?;

        let positions: Vec<i64> = self.x.iter().map(|&x| self.position(x)).collect();
        let (first, last) = (positions[0], positions[positions.len() - 1]);
        let pad = (last - first) / 50;
        let values = || self.lines.iter().flat_map(|line| line.y.iter().copied());
        let low = values().fold(f64::INFINITY, f64::min) / 1.3;
        let high = values().fold(0.0, f64::max) * 1.3;

        let mut chart = ChartBuilder::on(&root)
            .margin_top(TOP)
            .margin_right(RIGHT)
            .margin_left(8)
            .margin_bottom(8)
            .x_label_area_size(BOTTOM)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(
                (first - pad..last + pad).with_key_points(positions.clone()),
                (low..high).log_scale().with_key_points(ticks(low, high)),
            )?;
        let names = |position: &i64| self.tick_name(&positions, *position);
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(GRID)
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .x_label_formatter(&names)
            .y_label_formatter(&|value| self.unit.name(*value))
            .label_style(text(13, FontStyle::Normal, &MUTED))
            .axis_desc_style(text(14, FontStyle::Normal, &INK))
            .draw()?;

        // Ours last: on top of the lines that it runs among.
        let mut ordered: Vec<&Line> = self.lines.iter().collect();
        ordered.sort_by_key(|line| line.id == "procsup");
        for line in &ordered {
            let points: Vec<(i64, f64)> = positions.iter().copied().zip(line.y.iter().copied()).collect();
            let (width, radius) = if line.id == "procsup" { (4, 5) } else { (2, 3) };
            let style = colour(line.id).stroke_width(width);
            if line.id == "floor" {
                chart.draw_series(DashedLineSeries::new(points.clone(), 7, 5, style))?;
            } else {
                chart.draw_series(LineSeries::new(points.clone(), style))?;
            }
            chart.draw_series(points.iter().map(|&point| Circle::new(point, radius, colour(line.id).filled())))?;
        }

        let ends: Vec<(i32, i32)> =
            self.lines.iter().map(|line| chart.backend_coord(&(last, line.y[line.y.len() - 1]))).collect();
        drop(chart);
        let bounds = (TOP as i32 + 6, (SIZE.1 - BOTTOM) as i32 - 20);
        let rows = spread(&ends.iter().map(|end| end.1).collect::<Vec<_>>(), LABEL_STEP, bounds);
        for ((line, end), row) in self.lines.iter().zip(ends).zip(rows) {
            let colour = colour(line.id);
            let at = (SIZE.0 - RIGHT) as i32 + 22;
            root.draw(&PathElement::new(vec![(end.0 + 8, end.1), (at - 4, row)], colour.mix(0.45).stroke_width(1)))?;
            let weight = if line.id == "procsup" { FontStyle::Bold } else { FontStyle::Normal };
            let style = text(14, weight, &colour).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(
                format!("{}  {}", line.label, self.unit.name(line.y[line.y.len() - 1])),
                (at, row),
                style,
            ))?;
        }
        root.present()?;
        Ok(())
    }

    fn tick_name(&self, positions: &[i64], position: i64) -> String {
        let at = positions.iter().position(|&p| p == position);
        at.map_or_else(String::new, |at| grouped(self.x[at]))
    }
}

/// 15000 as "15 000".
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let split = digits.len() % 3;
    let (head, tail) = digits.split_at(split);
    let groups = tail.as_bytes().chunks(3).map(|group| std::str::from_utf8(group).unwrap());
    std::iter::once(head).filter(|head| !head.is_empty()).chain(groups).collect::<Vec<_>>().join("\u{202f}")
}

/// Three digits that mean something; small counts as they are.
fn rounded(number: f64) -> f64 {
    let step = 10f64.powf((number.max(1.0).log10().floor() - 2.0).max(0.0));
    (number / step).round() * step
}

fn duration(us: f64) -> String {
    match us {
        us if us < 100.0 => format!("{} µs", (us * 10.0).round() / 10.0),
        us if us < 1000.0 => format!("{us:.0} µs"),
        us => format!("{} ms", (us / 10.0).round() / 100.0),
    }
}

/// 1, 2, 5, 10, 20, ... between the bounds.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    (0..9)
        .flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(decade)))
        .filter(|&tick| tick >= low && tick <= high)
        .collect()
}

/// Rows for labels that want to stand at `wanted`: at least `step` apart, in the same order, inside the bounds.
fn spread(wanted: &[i32], step: i32, (top, bottom): (i32, i32)) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&i| wanted[i]);
    let mut rows = wanted.to_vec();
    let mut free = top;
    for &i in &order {
        rows[i] = wanted[i].max(free);
        free = rows[i] + step;
    }
    let mut free = bottom;
    for &i in order.iter().rev() {
        rows[i] = rows[i].min(free);
        free = rows[i] - step;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_order_and_distance() {
        assert_eq!(spread(&[100, 101, 50], 20, (0, 200)), [100, 120, 50]);
        assert_eq!(spread(&[195, 190], 20, (0, 200)), [200, 180]);
    }

    #[test]
    fn names_of_numbers() {
        assert_eq!(grouped(15_000.0), "15\u{202f}000");
        assert_eq!(grouped(10.0), "10");
        assert_eq!(duration(70.36), "70.4 µs");
        assert_eq!(duration(1453.0), "1.45 ms");
        assert_eq!(Unit::PerSecond.name(18_349.0), "18\u{202f}300/s");
        assert_eq!(Unit::PerSecond.name(61.2), "61/s");
    }
}
