//! Charts as SVG and as PNG.

pub mod axes;
pub mod chart;
pub mod detail;
pub mod palette;
pub mod png;
pub mod scale;
pub mod svg;
