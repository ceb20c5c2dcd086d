//! Panels above one another that share their x, so that what is in one is seen above what is in the next: small
//! multiples, or a single chart.

use std::fmt::Write;

use super::{
    axes::{Axis, BOTTOM, Heights, LEFT, RIGHT, axes},
    detail::Detail,
    series::Series,
    svg::{WIDTH, escaped, open},
};

/// What stands between the names of lines and their frame, and between a frame and the next names.
const GAP: f64 = 10.0;
/// The height of a row of names.
const ROW: f64 = 17.0;

/// Lines with a y of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel<'a> {
    pub y: &'a Axis,
    pub series: &'a [Series],
}

/// What is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Panels<'a> {
    /// What they show, for those who cannot see it.
    pub title: &'a str,
    pub x: &'a Axis,
    pub panels: Vec<Panel<'a>>,
    /// The height of each frame.
    pub height: f64,
}

impl Panels<'_> {
    pub(crate) fn svg(&self, description: &str, detail: Detail) -> String {
        let all = self.panels.iter().flat_map(|panel| panel.series);
        let xs = all.flat_map(|s| s.points.iter().map(|p| p.0).chain(s.band.iter().map(|b| b.0)));
        let x = self.x.scale(xs, false).on(LEFT, WIDTH - RIGHT);
        let (mut drawn, mut first, mut end) = (String::new(), None, 0.0);
        for (k, panel) in self.panels.iter().enumerate() {
            let from = if first.is_some() { end + GAP } else { 0.0 };
            let top = from + panel.legend(&mut drawn, from) + GAP;
            let heights = Heights { top, bottom: top + self.height };
            let y = panel.y.scale(panel.values(), true).on(heights.bottom, top);
            let is_last = k + 1 == self.panels.len();
            axes(&mut drawn, is_last.then_some((&x, self.x)), (&y, panel.y), heights);
            for main in [false, true] {
                for series in panel.series.iter().filter(|series| series.main == main) {
                    series.draw(&mut drawn, (self.x, &x), &y, detail);
                }
            }
            (first, end) = (first.or(Some(top)), heights.bottom);
        }
        let y = self.panels.first().map_or("", |panel| &panel.y.tells);
        let tooltip = format!(
            " data-x=\"{}\" data-y=\"{}\" data-between=\"{},{end}\"",
            escaped(&self.x.tells),
            escaped(y),
            first.unwrap_or(end)
        );
        open(WIDTH, end + BOTTOM, (self.title, description), &tooltip) + &drawn + "</svg>"
    }
}

impl Panel<'_> {
    fn values(&self) -> impl Iterator<Item = f64> + use<'_> {
        self.series.iter().flat_map(|s| {
            s.points.iter().map(|p| p.1).chain(s.band.iter().flat_map(|b| [b.1, b.2]))
        })
    }

    /// The names of the lines in rows, from `from` on; gives the room that they take.
    fn legend(&self, svg: &mut String, from: f64) -> f64 {
        let (mut x, mut rows) = (LEFT, 0);
        let shown = |s: &&Series| !s.name.is_empty() && s.points.len() + s.band.len() > 0;
        for series in self.series.iter().filter(shown) {
            let width = 48.0 + 7.0 * series.name.chars().count() as f64;
            if rows == 0 || (x + width > WIDTH && x > LEFT) {
                (x, rows) = (LEFT, rows + 1);
            }
            let y = from + ROW * f64::from(rows) - 5.0;
            // Writing to a string does not fail.
            let _ = match series.dots {
                true => write!(
                    svg,
                    "<circle class=\"f{}\" cx=\"{:.0}\" cy=\"{y:.0}\" r=\"4\"/>",
                    series.colour % 8,
                    x + 14.0
                ),
                false => write!(
                    svg,
                    "<line class=\"{}\" x1=\"{x:.0}\" y1=\"{y:.0}\" x2=\"{:.0}\" y2=\"{y:.0}\"/>",
                    series.class(),
                    x + 26.0
                ),
            };
            let _ = write!(
                svg,
                "<text class=\"t\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
                x + 31.0,
                y + 4.0,
                escaped(&series.name)
            );
            x += width;
        }
        ROW * f64::from(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{axes::Ends, detail::LEVELS};

    fn line(name: &str, low: f64) -> Series {
        let points = (0..10).map(|i| (f64::from(i), low + f64::from(i))).collect();
        Series { name: name.into(), points, ..Series::default() }
    }

    /// The attribute of what is named, as numbers.
    fn places(svg: &str, name: &str) -> Vec<f64> {
        let (_, rest) = svg.split_once(&format!("data-name=\"{name}\"")).unwrap();
        let (_, rest) = rest.split_once("points=\"").unwrap();
        let places = rest.split_once('"').unwrap().0.split([' ', ',']);
        places.map(|n| n.parse().unwrap()).collect()
    }

    #[test]
    fn panels_share_their_x_and_each_has_its_y() {
        let (x, y) = (Axis::generations(None), Axis::new("", "#", Ends::Room));
        let lines = [[line("low", 0.0)], [line("high", 1e6)]];
        let panels = lines.iter().map(|series| Panel { y: &y, series }).collect();
        let svg = Panels { title: "t", x: &x, panels, height: 80.0 }.svg("d", LEVELS[0]);
        let [low, high] = ["low", "high"].map(|name| places(&svg, name));
        let each =
            |all: &[f64], i: usize| all.iter().skip(i).step_by(2).copied().collect::<Vec<_>>();
        assert_eq!(each(&low, 0), each(&high, 0));
        let apart =
            each(&high, 1).iter().zip(each(&low, 1)).map(|(h, l)| h - l).collect::<Vec<_>>();
        assert!(apart.iter().all(|d| *d > 80.0), "each below the other, not over it: {apart:?}");
        assert_eq!(svg.matches(">generation<").count(), 1);
        assert!(svg.contains(&format!("data-between=\"27,{}\"", 27.0 + 80.0 + 10.0 + 27.0 + 80.0)));
    }

    #[test]
    fn names_have_as_many_rows_as_they_need() {
        let y = Axis::default();
        let series: Vec<Series> = (0..16).map(|i| line(&format!("sigma/{i}"), 1.0)).collect();
        let mut svg = String::new();
        let room = Panel { y: &y, series: &series }.legend(&mut svg, 100.0);
        assert_eq!(room, 3.0 * ROW);
        let nothing = Panel { y: &y, series: &[Series::default()] }.legend(&mut svg, 0.0);
        assert_eq!(nothing, 0.0);
    }
}
