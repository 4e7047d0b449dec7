//! How far a figure would have come out elsewhere by chance alone: the circular block bootstrap (Politis and Romano 1992).
//! A round is drawn again together with those after it, because a disturbance of the machine lasts longer than one round; the
//! figure is computed of each such draw, and the interval that holds 95 of 100 of them is what is told.

use fastrand::Rng;
use serde::Serialize;

/// Where 95 of 100 draws lie.
#[derive(Serialize, Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Whether chance could have put the figure on the other side of it, or made it the same.
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Samples in the order in which they were taken.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    pub values: &'a [f64],
    /// So many in a row are of one process, and have its luck in common (where its pages lie, what runs beside it).
    pub batch: usize,
}

impl Series<'_> {
    /// So many are drawn together.
    fn block(&self) -> usize {
        self.batch.max(((self.values.len() as f64).sqrt() / 2.0).ceil() as usize).max(1)
    }

    fn blocks(&self) -> usize {
        self.values.len().div_ceil(self.block())
    }
}

const DRAWS: usize = 500;
/// Of fewer blocks nothing can be said.
const LEAST: usize = 4;

/// `figure` of all series. Series of the same length were taken in the same rounds, which are drawn together: what disturbed a
/// round has disturbed all of them. Others are drawn each by itself.
pub fn interval(series: &[Series], figure: impl Fn(&mut [Vec<f64>]) -> f64) -> Option<Interval> {
    if series.is_empty() || series.iter().any(|one| one.blocks() < LEAST) {
        return None;
    }
    let mut rng = Rng::with_seed(20); // the same samples, the same interval
    let shape = |one: &Series| (one.values.len(), one.block());
    let together = series.iter().all(|one| shape(one) == shape(&series[0]));
    let mut drawn: Vec<Vec<f64>> = series.iter().map(|one| Vec::with_capacity(one.values.len())).collect();
    let mut figures: Vec<f64> = Vec::with_capacity(DRAWS);
    let mut starts = Vec::new();
    for _ in 0..DRAWS {
        for (at, (one, drawn)) in series.iter().zip(&mut drawn).enumerate() {
            if at == 0 || !together {
                starts.clear();
                starts.extend(std::iter::repeat_with(|| rng.usize(..one.values.len())).take(one.blocks()));
            }
            draw(one, &starts, drawn);
        }
        figures.push(figure(&mut drawn));
    }
    figures.sort_by(f64::total_cmp);
    let at = |share: f64| figures[((DRAWS - 1) as f64 * share).round() as usize];
    Some(Interval { low: at(0.025), high: at(0.975) })
}

fn draw(from: &Series, starts: &[usize], into: &mut Vec<f64>) {
    let (values, block) = (from.values, from.block());
    into.clear();
    for &start in starts {
        let length = block.min(values.len() - into.len());
        let before_end = length.min(values.len() - start);
        into.extend_from_slice(&values[start..start + before_end]);
        into.extend_from_slice(&values[..length - before_end]);
    }
}

/// One of them: between two the difference is nothing here. Changes their order.
fn at_share(samples: &mut [f64], share: f64) -> f64 {
    let at = ((samples.len() - 1) as f64 * share).round() as usize;
    *samples.select_nth_unstable_by(at, f64::total_cmp).1
}

fn middle(samples: &mut [f64]) -> f64 {
    at_share(samples, 0.5)
}

/// Of the sample below which this share of them lies.
pub fn of_quantile(samples: Series, share: f64) -> Option<Interval> {
    interval(&[samples], |drawn| at_share(&mut drawn[0], share))
}

/// Of the ratio of the medians, the first's to the second's.
pub fn of_ratio(ours: Series, other: Series) -> Option<Interval> {
    interval(&[ours, other], |drawn| middle(&mut drawn[0]) / middle(&mut drawn[1]))
}

/// Of the difference of the medians, the first's less the second's.
pub fn of_difference(ours: Series, other: Series) -> Option<Interval> {
    interval(&[ours, other], |drawn| middle(&mut drawn[0]) - middle(&mut drawn[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(middle: f64, seed: u64, n: usize) -> Vec<f64> {
        let mut rng = Rng::with_seed(seed);
        std::iter::repeat_with(|| middle * (0.9 + 0.2 * rng.f64())).take(n).collect()
    }

    fn ratio(ours: &[f64], other: &[f64]) -> Option<Interval> {
        of_ratio(alone(ours), alone(other))
    }

    fn alone(values: &[f64]) -> Series<'_> {
        Series { values, batch: 1 }
    }

    #[test]
    fn equal_ones_are_not_told_apart_and_different_ones_are() {
        let (one, same, more) = (around(100.0, 1, 400), around(100.0, 2, 400), around(110.0, 3, 400));
        assert!(ratio(&one, &same).unwrap().holds(1.0));
        let found = ratio(&more, &one).unwrap();
        assert!(found.holds(1.1) && !found.holds(1.0), "{found:?}");
        assert!(of_difference(alone(&more), alone(&one)).unwrap().holds(10.0));
    }

    #[test]
    fn what_disturbs_a_round_disturbs_all_of_it() {
        // A machine that is twice as slow for half of the time: the ratio does not show it.
        let mut one = around(100.0, 1, 400);
        one[200..].iter_mut().for_each(|us| *us *= 2.0);
        let more: Vec<f64> = one.iter().map(|us| us * 1.1).collect();
        let found = ratio(&more, &one).unwrap();
        assert!(found.high - found.low < 1e-9 && found.holds(found.low), "{found:?}");
    }

    #[test]
    fn a_block_goes_on_at_the_beginning() {
        let mut into = Vec::new();
        draw(&Series { values: &[1.0, 2.0, 3.0, 4.0], batch: 2 }, &[3, 1], &mut into);
        assert_eq!(into, [4.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn of_few_samples_nothing_is_said() {
        assert_eq!(ratio(&[1.0; 6], &[1.0; 100]), None);
    }

    #[test]
    fn what_processes_have_in_common_is_drawn_together() {
        // Ten processes, each of which has its own speed: within one all samples agree.
        let values: Vec<f64> = (0..10).flat_map(|process| [100.0 + f64::from(process); 100]).collect();
        let other = vec![100.0; 1000];
        let width = |batch| {
            let found = of_ratio(Series { values: &values, batch }, Series { values: &other, batch }).unwrap();
            found.high - found.low
        };
        assert!(width(100) > 1.5 * width(1), "{} {}", width(100), width(1));
    }
}
