//! Axes: where values are on paper, and the round numbers that stand beside them.

use std::ops::RangeInclusive;

/// A direction of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Whether only whole numbers mean something.
    whole: bool,
    /// Pixels of `low` and `high`.
    from: f64,
    to: f64,
}

/// The room beyond the lowest and the highest value, as a share of their distance.
const ROOM: f64 = 0.04;
/// What is beyond is drawn here: differences of numbers that are larger may be no numbers.
const FAR: f64 = 1e300;
/// How far an end may go to the next round number, as a share as well.
const TO_ROUND: f64 = 0.12;

impl Scale {
    /// From the lowest to the highest of `values`, which may be any; logarithmic where they are positive and
    /// far apart, if that is wanted.
    pub(crate) fn over(values: impl Iterator<Item = f64>, may_be_logarithmic: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            let value = value.clamp(-FAR, FAR);
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let logarithmic = may_be_logarithmic && low >= 1.0 / FAR && high / low > 8.0;
        if high - low <= f64::EPSILON * low.abs().max(high.abs()) || high - low < 1.0 / FAR {
            let margin = if low.abs() < 1.0 / FAR { 1.0 } else { 0.1 * low.abs() };
            (low, high) = (low - margin, high + margin);
        }
        Self { low, high, logarithmic, whole: false, from: 0.0, to: 1.0 }
    }

    /// From and to these.
    pub(crate) fn between(low: f64, high: f64) -> Self {
        Self { low, high, logarithmic: false, whole: false, from: 0.0, to: 1.0 }
    }

    /// The same from 0 on, if values are not far above it.
    pub(crate) fn with_zero(self) -> Self {
        Self { low: self.low.min(0.0), logarithmic: false, ..self }
    }

    /// The same, with ticks at whole numbers alone.
    pub(crate) fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The same with room at its ends, so that no line lies on the frame: up to the next round number, if
    /// that is near. An end that is 0 stays.
    pub(crate) fn with_room(self) -> Self {
        let (low, high) = (self.place(self.low), self.place(self.high));
        let size = high - low;
        let back = |place: f64| if self.logarithmic { place.exp() } else { place };
        let around = Self { low: back(low - size), high: back(high + size), ..self };
        let ticks: Vec<f64> = match self.logarithmic {
            true => self.decades(&[1.0, 2.0, 5.0], self.low / 10.0..=self.high * 10.0),
            false => linear_ticks(around.low, around.high, 15, false),
        };
        let end = |here: f64, sign: f64| {
            let beyond = |t: &f64| {
                let far = sign * (self.place(*t) - here) / size;
                (ROOM / 2.0..=TO_ROUND).contains(&far)
            };
            let round = ticks.iter().copied().find(beyond);
            round.unwrap_or(back(here + sign * ROOM * size))
        };
        let low = if self.low == 0.0 { 0.0 } else { end(low, -1.0) };
        let high = if self.high == 0.0 { 0.0 } else { end(high, 1.0) };
        let sound = low.is_finite() && high.is_finite() && low < high;
        if sound { Self { low, high, ..self } } else { self }
    }

    /// The same on these pixels.
    pub(crate) fn on(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    fn place(&self, value: f64) -> f64 {
        if self.logarithmic { value.ln() } else { value }
    }

    /// Where a value is.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.place(self.low), self.place(self.high));
        let value = value.clamp(self.low, self.high);
        self.from + (self.place(value) - low) / (high - low) * (self.to - self.from)
    }

    /// Round numbers along it, about `n` of them.
    pub(crate) fn ticks(&self, n: usize) -> Vec<f64> {
        if !self.logarithmic {
            return linear_ticks(self.low, self.high, n, self.whole);
        }
        for steps in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let ticks = self.decades(steps, self.low..=self.high);
            if ticks.len() <= 2 * n {
                return ticks;
            }
        }
        let inside = self.decades(&[1.0], self.low..=self.high);
        let every = inside.len().div_ceil(n.max(1));
        inside.into_iter().step_by(every.max(1)).collect()
    }

    /// These multiples of powers of ten from one number to another.
    fn decades(&self, steps: &[f64], range: RangeInclusive<f64>) -> Vec<f64> {
        let decades = range.start().log10().floor() as i32..=range.end().log10().ceil() as i32;
        let all = decades.flat_map(|d| steps.iter().map(move |s| s * 10f64.powi(d)));
        all.filter(|t| range.contains(t)).collect()
    }
}

fn linear_ticks(low: f64, high: f64, n: usize, whole: bool) -> Vec<f64> {
    let rough = (high - low) / n.max(1) as f64;
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * decade >= rough).unwrap_or(10.0);
    let step = if whole { (step * decade).max(1.0) } else { step * decade };
    if !step.is_finite() || step <= 0.0 {
        return vec![];
    }
    // A tick at the very end counts, though it be off by a rounding.
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A number as short as it can be read.
pub(crate) fn number(value: f64) -> String {
    let text = match value.abs() {
        0.0 => "0".into(),
        v if !v.is_finite() => "–".into(),
        1e9.. => power(value),
        v if v >= 1e6 => trimmed(value / 1e6, 3) + " M",
        v if v >= 1e4 => trimmed(value / 1e3, 3) + " k",
        v if v >= 100.0 => trimmed(value, 1),
        v if v >= 0.01 => trimmed(value, 4),
        v if v >= 0.001 => trimmed(value, 5),
        v if v >= 0.0001 => trimmed(value, 6),
        v if v >= 0.00001 => trimmed(value, 7),
        v if v >= 0.000001 => trimmed(value, 8),
        _ => power(value),
    };
    text.replace('-', "−")
}

/// A multiple of a power of ten.
fn power(value: f64) -> String {
    let text = format!("{value:.2e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digit = |c: char| match c.to_digit(10) {
        Some(d) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][d as usize],
        None => '⁻',
    };
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    format!("{mantissa} × 10{}", exponent.chars().map(digit).collect::<String>())
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::over([0.03, 0.97].into_iter(), false);
        assert_eq!(scale.ticks(5), [0.2, 0.4, 0.6000000000000001, 0.8]);
        let scale = Scale::over([0.03, 2.5].into_iter(), true).on(0.0, 100.0);
        assert_eq!(scale.ticks(5), [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]);
        assert_eq!((scale.at(0.03), scale.at(2.5), scale.at(99.0)), (0.0, 100.0, 100.0));
        assert_eq!(Scale::between(0.0, 100.0).ticks(5), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
    }

    #[test]
    fn there_are_no_halves_of_a_generation() {
        let scale = Scale::over([0.0, 3.0].into_iter(), false);
        assert!(scale.ticks(8).contains(&0.5));
        assert_eq!(scale.whole().ticks(8), [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn no_line_lies_on_the_frame() {
        for (values, logarithmic) in
            [([0.06, 0.098], true), ([0.02, 0.9], true), ([-3.0, 5.5], false)]
        {
            let scale = Scale::over(values.into_iter(), logarithmic).with_room().on(0.0, 100.0);
            let ends = values.map(|v| scale.at(v));
            assert!(
                ends[0] > 1.5 && ends[0] < 14.0 && ends[1] < 98.5 && ends[1] > 86.0,
                "{ends:?}"
            );
        }
        let zero = Scale::over([0.0, 0.7].into_iter(), false).with_room().on(0.0, 100.0);
        assert_eq!(zero.at(0.0), 0.0);
    }

    #[test]
    fn any_values_have_a_scale() {
        for values in
            [&[][..], &[f64::NAN], &[0.0], &[-1e300, 1e300], &[1e-300, 1e300], &[5.0, 5.0]]
        {
            sound(values.iter().copied());
        }
    }

    fn sound(values: impl Iterator<Item = f64> + Clone) {
        for logarithmic in [false, true] {
            let all = Scale::over(values.clone(), logarithmic);
            for scale in
                [all, all.whole(), all.with_zero(), all.with_room(), all.with_zero().with_room()]
            {
                let scale = scale.on(10.0, 20.0);
                assert!(scale.ticks(6).len() <= 20 && scale.ticks(6).iter().all(|t| t.is_finite()));
                for value in values.clone().chain([1.0, -1e308, 5e-324]).filter(|v| !v.is_nan()) {
                    assert!((10.0..=20.0).contains(&scale.at(value)), "{value} on {scale:?}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_values_are_they_have_places(
            values in proptest::collection::vec(
                proptest::prop_oneof![
                    proptest::num::f64::ANY,
                    proptest::sample::select(vec![0.0, 5e-324, -5e-324, 1e308, -1e308, f64::MAX, 1e-308, 1.0, 1.0 + f64::EPSILON]),
                ],
                0..6,
            ),
        ) {
            sound(values.into_iter());
        }
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 0.25, 12.0, 123.46, 12_345.0, 2.5e6, 3e-5, -0.0312].map(number);
        assert_eq!(texts, ["0", "0.25", "12", "123.5", "12.345 k", "2.5 M", "0.00003", "−0.0312"]);
        assert_eq!([2.5e-8, 3e12].map(number), ["2.5 × 10⁻⁸", "3 × 10¹²"]);
    }
}
