//! Charts as SVG and as PNG.

pub(crate) mod axes;
pub(crate) mod chart;
pub(crate) mod detail;
pub(crate) mod palette;
pub(crate) mod panels;
pub(crate) mod png;
pub(crate) mod scale;
pub(crate) mod series;
pub(crate) mod svg;
