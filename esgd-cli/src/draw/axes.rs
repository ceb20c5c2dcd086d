//! The axes of a chart: what they are called, where they begin, and what is told of a place on them.

use std::fmt::Write;

use super::{
    scale::{Scale, number},
    svg::{WIDTH, escaped},
};

pub(crate) const LEFT: f64 = 78.0;
pub(crate) const RIGHT: f64 = 26.0;
pub(crate) const BOTTOM: f64 = 44.0;

/// Where an axis begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Ends {
    /// With the values, exactly.
    #[default]
    Tight,
    /// With room around the values.
    Room,
    /// At 0, with room above.
    Zero,
    /// From 0 to 100.
    Percent,
}

/// An axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Axis {
    pub name: String,
    /// How a value is told, with `#` for the number: `generation #`.
    pub tells: String,
    pub ends: Ends,
    /// Whether only whole numbers mean something.
    pub whole: bool,
    /// A place with a name instead of a number.
    pub named: Option<(f64, &'static str)>,
}

impl Axis {
    pub(crate) fn new(name: &str, tells: &str, ends: Ends) -> Self {
        Self { name: name.into(), tells: tells.into(), ends, ..Self::default() }
    }

    /// Generations, of which the last may be fine-tuning.
    pub(crate) fn generations(fine_tuning: Option<f64>) -> Self {
        let axis = Self::new("generation", "generation #", Ends::Tight);
        Self { whole: true, named: fine_tuning.map(|at| (at, "fine-tuning")), ..axis }
    }

    pub(crate) fn scale(
        &self,
        values: impl Iterator<Item = f64>,
        may_be_logarithmic: bool,
    ) -> Scale {
        let zero = matches!(self.ends, Ends::Zero);
        let scale = Scale::over(values, may_be_logarithmic && !zero);
        let scale = match self.ends {
            Ends::Tight => scale,
            Ends::Room => scale.with_room(),
            Ends::Zero => scale.with_zero().with_room(),
            Ends::Percent => Scale::between(0.0, 100.0),
        };
        if self.whole { scale.whole() } else { scale }
    }

    /// A value as it is told.
    pub(crate) fn value(&self, at: f64) -> String {
        match self.named {
            Some((named, name)) if named == at => name.into(),
            _ => number(at),
        }
    }
}

/// Where a panel's frame begins and ends, from above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heights {
    pub top: f64,
    pub bottom: f64,
}

/// The frame of a panel with its numbers and names, between these heights; those of x stand below the last.
pub(crate) fn axes(
    svg: &mut String,
    x: Option<(&Scale, &Axis)>,
    (y, y_axis): (&Scale, &Axis),
    heights: Heights,
) {
    let Heights { top, bottom } = heights;
    let right = WIDTH - RIGHT;
    for tick in y.ticks(((bottom - top) / 55.0).max(3.0) as usize) {
        let at = y.at(tick);
        // Writing to a string does not fail.
        let _ = write!(
            svg,
            "<line class=\"g\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/><text class=\"t e\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            number(tick)
        );
    }
    if let Some((x, axis)) = x {
        places(svg, x, axis, bottom);
    }
    let _ = write!(
        svg,
        "<line class=\"a\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{bottom}\"/>"
    );
    if let Some((_, axis)) = x {
        let _ = write!(
            svg,
            "<text class=\"t m\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            (LEFT + right) / 2.0,
            bottom + 36.0,
            escaped(&axis.name)
        );
    }
    let _ = write!(
        svg,
        "<text class=\"t m\" transform=\"translate(14 {:.0}) rotate(-90)\">{}</text>",
        (top + bottom) / 2.0,
        escaped(&y_axis.name)
    );
}

/// The places of x with their numbers.
fn places(svg: &mut String, x: &Scale, axis: &Axis, bottom: f64) {
    let named = axis.named.map(|(at, name)| (x.at(at), name));
    // The name ends where its place does, and numbers leave it the room.
    let room = named.map_or(f64::INFINITY, |(at, name)| at - 6.5 * name.len() as f64 - 8.0);
    let tick = |svg: &mut String, at: f64, class: &str, text: &str| {
        // Writing to a string does not fail.
        let _ = write!(
            svg,
            "<line class=\"a\" x1=\"{at:.1}\" y1=\"{bottom}\" x2=\"{at:.1}\" y2=\"{:.1}\"/><text class=\"t {class}\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            bottom + 4.0,
            bottom + 17.0,
            escaped(text)
        );
    };
    for value in x.ticks(8) {
        let (at, text) = (x.at(value), number(value));
        if at + 3.5 * text.chars().count() as f64 <= room {
            tick(svg, at, "m", &text);
        }
    }
    if let Some((at, name)) = named {
        tick(svg, at, "e", name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fine_tuning_has_its_name_and_its_room() {
        let axis = Axis::generations(Some(41.0));
        assert_eq!((axis.value(40.0), axis.value(41.0)), ("40".into(), "fine-tuning".into()));
        let x = axis.scale([0.0, 41.0].into_iter(), false).on(LEFT, WIDTH - RIGHT);
        let mut svg = String::new();
        places(&mut svg, &x, &axis, 300.0);
        assert!(svg.contains(">fine-tuning<") && svg.contains(">30<") && !svg.contains(">40<"));
    }
}
