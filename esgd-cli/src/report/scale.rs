//! Axes: where values are on paper, and the round numbers that stand beside them.

/// A direction of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Pixels of `low` and `high`.
    from: f64,
    to: f64,
}

impl Scale {
    /// From the lowest to the highest of `values`, which may be any; logarithmic where they are positive and
    /// far apart, if that is wanted.
    pub fn over(values: impl Iterator<Item = f64>, may_be_logarithmic: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let logarithmic = may_be_logarithmic && low > 0.0 && high / low > 8.0;
        if low == high {
            let margin = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
            (low, high) = (low - margin, high + margin);
        }
        Self { low, high, logarithmic, from: 0.0, to: 1.0 }
    }

    /// The same from 0 on, if values are not far above it.
    pub fn with_zero(self) -> Self {
        Self { low: self.low.min(0.0), logarithmic: false, ..self }
    }

    /// The same on these pixels.
    pub fn on(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// Where a value is.
    pub fn at(&self, value: f64) -> f64 {
        let place = |v: f64| if self.logarithmic { v.ln() } else { v };
        let (low, high) = (place(self.low), place(self.high));
        let value = value.clamp(self.low, self.high);
        self.from + (place(value) - low) / (high - low) * (self.to - self.from)
    }

    /// Round numbers along it, about `n` of them.
    pub fn ticks(&self, n: usize) -> Vec<f64> {
        if !self.logarithmic {
            return linear_ticks(self.low, self.high, n);
        }
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        for steps in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let ticks: Vec<f64> = decades
                .clone()
                .flat_map(|d| steps.iter().map(move |s| s * 10f64.powi(d)))
                .filter(|t| (self.low..=self.high).contains(t))
                .collect();
            if ticks.len() <= 2 * n {
                return ticks;
            }
        }
        let all: Vec<f64> = decades.map(|d| 10f64.powi(d)).collect();
        let inside = all.into_iter().filter(|t| (self.low..=self.high).contains(t));
        let inside: Vec<f64> = inside.collect();
        let every = inside.len().div_ceil(n.max(1));
        inside.into_iter().step_by(every.max(1)).collect()
    }
}

fn linear_ticks(low: f64, high: f64, n: usize) -> Vec<f64> {
    let rough = (high - low) / n.max(1) as f64;
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * decade >= rough).unwrap_or(10.0);
    let step = step * decade;
    if !step.is_finite() || step <= 0.0 {
        return vec![];
    }
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A number as short as it can be read.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        v if !v.is_finite() => "–".into(),
        1e9.. => format!("{:.4e}", value).replace("e", " × 10^"),
        v if v >= 1e6 => trimmed(value / 1e6, 3) + " M",
        v if v >= 1e4 => trimmed(value / 1e3, 3) + " k",
        v if v >= 100.0 => trimmed(value, 1),
        v if v >= 1e-3 => trimmed(value, 4),
        _ => format!("{value:.2e}"),
    }
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
    }

    #[test]
    fn any_values_have_a_scale() {
        for values in
            [&[][..], &[f64::NAN], &[0.0], &[-1e300, 1e300], &[1e-300, 1e300], &[5.0, 5.0]]
        {
            let scale = Scale::over(values.iter().copied(), true).on(10.0, 20.0);
            assert!(scale.ticks(6).len() <= 20, "{values:?}");
            assert!((10.0..=20.0).contains(&scale.at(1.0)), "{values:?}");
        }
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 0.25, 12.0, 123.46, 12_345.0, 2.5e6, 1e-5, -0.0312].map(number);
        assert_eq!(texts, ["0", "0.25", "12", "123.5", "12.345 k", "2.5 M", "1.00e-5", "-0.0312"]);
    }
}
