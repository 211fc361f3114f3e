//! Plots of a history as SVG without script: a bar or a point for each run, its numbers in a title that
//! browsers show and screen readers say. Knows numbers and names, no runs.

use maud::{Markup, html};

/// Width of what belongs to one run.
const SLOT: usize = 26;
/// Room for the numbers of the scale.
const LEFT: usize = 64;
const HEIGHT: usize = 150;
const TOP: usize = 8;

/// One series: its class in the style sheet, its name, and a value for each run, where it has one.
pub(super) struct Series {
    pub class: &'static str,
    pub name: String,
    pub values: Vec<Option<u64>>,
}

/// What a plot is about.
pub(super) struct Plot<'a> {
    /// Id of the heading that names it.
    pub labelled_by: &'a str,
    /// A name for each run.
    pub names: &'a [String],
    /// How a value is said.
    pub say: fn(u64) -> String,
}

impl Plot<'_> {
    /// Bars, the first series at the bottom.
    pub(super) fn bars(&self, series: &[Series]) -> Markup {
        let sums = (0..self.names.len()).map(|run| {
            let values = series.iter().filter_map(|one| one.values[run]);
            values.fold(0_u64, u64::saturating_add)
        });
        let most = sums.max().unwrap_or(0).max(1);
        self.frame(
            most,
            html! {
                @for (run, name) in self.names.iter().enumerate() {
                    g {
                        title { (name) ": " (self.told(series, run)) }
                        @for (class, below, height) in stacked(series, run, most) {
                            rect class=(class) x=(LEFT + run * SLOT + 4) width=(SLOT - 8)
                                y=(TOP + HEIGHT.saturating_sub(below + height)) height=(height) {}
                        }
                    }
                }
            },
        )
    }

    /// A line for each series; where a run has no value, there is a gap.
    pub(super) fn lines(&self, series: &[Series]) -> Markup {
        let values = series.iter().flat_map(|one| one.values.iter().flatten());
        let most = values.copied().max().unwrap_or(0).max(1);
        let place = |run: usize, value: u64| {
            (
                LEFT + run * SLOT + SLOT / 2,
                TOP + HEIGHT - scaled(value, most),
            )
        };
        self.frame(
            most,
            html! {
                @for one in series {
                    @for piece in pieces(&one.values) {
                        @let points: Vec<_> = piece.iter().map(|(run, value)| {
                            let (x, y) = place(*run, *value);
                            format!("{x},{y}")
                        }).collect();
                        polyline.line.(one.class) points=(points.join(" ")) {}
                        @for (run, value) in piece {
                            @let (x, y) = place(run, value);
                            circle.(one.class) cx=(x) cy=(y) r="4" {
                                title { (self.names[run]) ": " (one.name) " " ((self.say)(value)) }
                            }
                        }
                    }
                }
            },
        )
    }

    fn told(&self, series: &[Series], run: usize) -> String {
        let told = series.iter().filter_map(|one| {
            let value = one.values[run].filter(|value| *value > 0)?;
            Some(format!("{} {}", (self.say)(value), one.name))
        });
        let told: Vec<_> = told.collect();
        match told.is_empty() {
            true => "none".to_owned(),
            false => told.join(", "),
        }
    }

    fn frame(&self, most: u64, inside: Markup) -> Markup {
        let width = LEFT + self.names.len() * SLOT + 8;
        let (right, bottom) = (width - 4, TOP + HEIGHT);
        let scale = [
            (most, TOP + 9),
            (most / 2, TOP + HEIGHT / 2 + 4),
            (0, bottom),
        ];
        html! {
            div.scroll.plot tabindex="0" role="region" aria-labelledby=(self.labelled_by) {
                svg width=(width) height=(bottom + 8) role="img" aria-labelledby=(self.labelled_by) {
                    @for y in [TOP, TOP + HEIGHT / 2, bottom] {
                        line.grid x1=(LEFT - 4) x2=(right) y1=(y) y2=(y) {}
                    }
                    @for (value, y) in scale {
                        @if value > 0 || y == bottom {
                            text.scale x=(LEFT - 10) y=(y) text-anchor="end" { ((self.say)(value)) }
                        }
                    }
                    (inside)
                }
            }
        }
    }
}

/// The parts of one bar from the bottom up: class, what is below, and height.
fn stacked(series: &[Series], run: usize, most: u64) -> Vec<(&'static str, usize, usize)> {
    let mut below = 0;
    let parts = series.iter().filter_map(|one| {
        let value = one.values[run].filter(|value| *value > 0)?;
        // What is there at all must be seen, were it one in a thousand.
        let part = (one.class, below, scaled(value, most).max(2));
        below += part.2;
        Some(part)
    });
    parts.collect()
}

fn scaled(value: u64, most: u64) -> usize {
    // At most HEIGHT: the quotient is at most 1.
    (u128::from(value) * HEIGHT as u128 / u128::from(most)) as usize
}

/// The runs with a value, in pieces without a gap.
fn pieces(values: &[Option<u64>]) -> Vec<Vec<(usize, u64)>> {
    let numbered = values.iter().copied().enumerate();
    let mut pieces = vec![Vec::new()];
    for (run, value) in numbered {
        match (value, pieces.last_mut()) {
            (Some(value), Some(piece)) => piece.push((run, value)),
            _ => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(names: &[String]) -> Plot<'_> {
        Plot {
            labelled_by: "h",
            names,
            say: |value| value.to_string(),
        }
    }

    fn series(values: &[Option<u64>]) -> Series {
        Series {
            class: "failed",
            name: "failed".into(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn a_single_failure_in_a_thousand_is_seen() {
        let names = ["1".to_owned(), "2".to_owned()];
        let passed = series(&[Some(100_000), Some(100_000)]);
        let drawn = plot(&names)
            .bars(&[series(&[Some(1), Some(0)]), passed])
            .into_string();
        assert_eq!(drawn.matches("height=\"2\"").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("height=\"149\"").count(), 2, "{drawn}");
        assert!(
            drawn.contains("<title>1: 1 failed, 100000 failed</title>"),
            "{drawn}"
        );
    }

    #[test]
    fn a_line_has_a_gap_where_nothing_was_measured() {
        let names = ["1", "2", "3", "4"].map(str::to_owned);
        let drawn = plot(&names).lines(&[series(&[Some(5), None, Some(10), Some(0)])]);
        let drawn = drawn.into_string();
        assert_eq!(drawn.matches("<polyline").count(), 2, "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 3, "{drawn}");
        // Nothing at all draws nothing, and divides by nothing.
        assert!(
            !plot(&[])
                .lines(&[series(&[])])
                .into_string()
                .contains("circle")
        );
        assert!(plot(&[]).bars(&[]).into_string().contains(">0<"));
    }
}
