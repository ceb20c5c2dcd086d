//! Charts as SVG: series in a frame with its axes. Colours are classes, so that a page decides on them.

use super::{
    axes::Axis,
    detail::Detail,
    panels::{Panel, Panels},
    series::Series,
};

/// The height of the frame.
const HEIGHT: f64 = 286.0;

/// What a chart shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart {
    /// What it shows, for those who cannot see it.
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
}

impl Chart {
    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.iter().all(|s| s.points.len() + s.band.len() < 2)
    }

    pub(crate) fn svg(&self, detail: Detail) -> String {
        let panel = Panel { y: &self.y, series: &self.series };
        let panels = Panels { title: &self.title, x: &self.x, panels: vec![panel], height: HEIGHT };
        panels.svg(&self.description(), detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::detail::LEVELS;

    #[test]
    fn what_is_not_a_number_leaves_no_trace() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 0.5)];
        let band = vec![(0.0, 0.5, 1.5), (1.0, f64::NAN, 2.0), (3.0, 0.2, 0.7)];
        let series = Series { name: "<a & b>".into(), points, band, ..Series::default() };
        let chart = Chart { title: "t".into(), series: vec![series], ..Chart::default() };
        let svg = chart.svg(LEVELS[0]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("&lt;a &amp; b&gt;") && !svg.contains("<a "));
    }

    #[test]
    fn what_the_chart_is_about_is_drawn_last() {
        let line = |name: &str, main| Series {
            name: name.into(),
            main,
            points: vec![(0.0, 1.0), (1.0, 2.0)],
            ..Series::default()
        };
        let series = vec![line("own", true), line("other", false)];
        let svg = Chart { series, ..Chart::default() }.svg(LEVELS[0]);
        let at = |name: &str| svg.find(&format!("data-name=\"{name}\"")).unwrap();
        assert!(at("own") > at("other"));
    }
}
