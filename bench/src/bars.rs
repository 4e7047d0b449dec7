//! The other kind of picture: one number of each method as a bar with its value, in groups below each other.

use crate::chart::{INK, MUTED, Unit, WIDTH, colour, text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

pub struct Bars {
    /// File name without its ending.
    pub name: &'static str,
    pub title: String,
    pub groups: Vec<String>,
    pub unit: Unit,
    pub bars: Vec<Bar>,
}

pub struct Bar {
    pub id: &'static str,
    pub label: String,
    /// One for each group.
    pub values: Vec<f64>,
}

const TOP: i32 = 84;
const LEFT: i32 = 220;
const RIGHT: i32 = 110;
const GROUP: i32 = 34;
const ROW: i32 = 30;
const THICK: i32 = 20;
const GAP: i32 = 14;

impl Bars {
    /// `subtitle`: where the figures come from.
    pub fn write_svg(&self, dir: &Path, subtitle: &str) -> Result<(), String> {
        let path = dir.join(format!("{}.svg", self.name));
        self.draw(&path, subtitle).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn draw(&self, path: &Path, subtitle: &str) -> Result<(), Box<dyn std::error::Error>> {
        let (rows, groups) = (self.bars.len() as i32, self.groups.len() as i32);
        let height = TOP + groups * (GROUP + rows * ROW + GAP);
        let root = SVGBackend::new(path, (WIDTH, height as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        root.draw(&Text::new(self.title.as_str(), (24, 22), text(22, FontStyle::Bold, &INK)))?;
        root.draw(&Text::new(subtitle, (24, 50), text(13, FontStyle::Normal, &MUTED)))?;
        let most = self.bars.iter().flat_map(|bar| bar.values.iter().copied()).fold(1.0, f64::max);
        let room = f64::from(WIDTH as i32 - LEFT - RIGHT);
        let mut y = TOP;
        for (group, name) in self.groups.iter().enumerate() {
            root.draw(&Text::new(name.as_str(), (24, y), text(14, FontStyle::Bold, &MUTED)))?;
            y += GROUP;
            for bar in &self.bars {
                let Some(&value) = bar.values.get(group) else { continue };
                let colour = colour(bar.id);
                let end = LEFT + (value / most * room) as i32;
                let weight = if bar.id == "procsup" { FontStyle::Bold } else { FontStyle::Normal };
                let at = |horizontal| text(14, weight, &colour).pos(Pos::new(horizontal, VPos::Center));
                let middle = y + THICK / 2;
                root.draw(&Text::new(bar.label.as_str(), (LEFT - 12, middle), at(HPos::Right)))?;
                root.draw(&Rectangle::new([(LEFT, y), (end, y + THICK)], colour.filled()))?;
                root.draw(&Text::new(self.unit.name(value), (end + 8, middle), at(HPos::Left)))?;
                y += ROW;
            }
            y += GAP;
        }
        root.present()?;
        Ok(())
    }
}
