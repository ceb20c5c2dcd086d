//! What seeds say: means with confidence intervals, and paired comparisons.

use esgd_core::Fitness;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// The mean of some values and half the width of its 95 % confidence interval by Student's t; no interval
/// of a single value.
pub(super) fn mean(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let half = deviation_of_mean(values, mean).zip(students_t(values.len()));
    (mean, half.map(|(deviation, t)| t.inverse_cdf(0.975) * deviation))
}

/// A paired comparison of a with b over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Paired {
    /// The mean of a − b and half the width of its 95 % confidence interval; none where a run diverged, or
    /// where all differ by the same.
    pub interval: Option<Interval>,
    /// Two-sided: of Student's paired t-test, or of a sign test where there is no interval.
    pub p: f64,
    /// In how many seeds a is lower, and in how many higher.
    pub lower: usize,
    pub higher: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub mean: f64,
    pub half: f64,
}

/// Compares values of the same seeds; `None` of fewer than two. What is not finite is worse than any number.
pub(super) fn paired(a: &[f64], b: &[f64]) -> Option<Paired> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let pairs = || a.iter().zip(b).map(|(a, b)| (Fitness::new(*a), Fitness::new(*b)));
    let lower = pairs().filter(|(a, b)| a < b).count();
    let higher = pairs().filter(|(a, b)| a > b).count();
    let of_t = students(a, b);
    let p = of_t.map_or_else(|| sign_test(lower, higher), |(_, p)| p);
    Some(Paired { interval: of_t.map(|(interval, _)| interval), p, lower, higher })
}

/// Student's paired t-test; `None` where it cannot be made.
fn students(a: &[f64], b: &[f64]) -> Option<(Interval, f64)> {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let t = students_t(differences.len())?;
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let deviation = deviation_of_mean(&differences, mean)?;
    let largest = a.iter().chain(b).fold(0.0, |most: f64, value| most.max(value.abs()));
    let p = match deviation > 1e-12 * largest {
        true => 2.0 * t.sf((mean / deviation).abs()),
        false if mean == 0.0 => 1.0,
        // The same difference in every seed is chance where it comes in steps, as an error rate does.
        false => return None,
    };
    Some((Interval { mean, half: t.inverse_cdf(0.975) * deviation }, p))
}

/// The two-sided p of so many seeds for and against, if either were as likely.
fn sign_test(lower: usize, higher: usize) -> f64 {
    let n = (lower + higher) as u64;
    let Ok(coin) = Binomial::new(0.5, n) else { return 1.0 };
    (2.0 * coin.cdf(lower.min(higher) as u64)).min(1.0)
}

/// Holm's correction: the p of each of several tests made at once.
pub(super) fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut corrected = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max((p.len() - rank) as f64 * p[i]).min(1.0);
        corrected[i] = largest;
    }
    corrected
}

fn deviation_of_mean(values: &[f64], mean: f64) -> Option<f64> {
    let n = values.len();
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (n > 1).then(|| (squares / (n - 1) as f64 / n as f64).sqrt())
}

/// Student's distribution for a sample of n values.
fn students_t(n: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, n.checked_sub(1)? as f64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} is not {b}");
    }

    /// scipy 1.17.1: a = [1.2, 0.9, 1.4, 1.1, 1.3], b = [1.0, 0.95, 1.1, 0.9, 1.05];
    /// `stats.ttest_rel(a, b)`, its `confidence_interval(0.95)`, and
    /// `stats.t.interval(0.95, 4, a.mean(), stats.sem(a))`.
    #[test]
    fn as_scipy_has_it() {
        let (a, b) = ([1.2, 0.9, 1.4, 1.1, 1.3], [1.0, 0.95, 1.1, 0.9, 1.05]);
        let found = paired(&a, &b).unwrap();
        let Interval { mean: difference, half } = found.interval.unwrap();
        near(difference, 0.18);
        near(found.p, 0.04076382688571029);
        near(half, 0.16773956924633265);
        assert_eq!((found.lower, found.higher), (1, 4));
        let (mean, half) = mean(&a);
        near(mean, 1.18);
        near(half.unwrap(), 0.238838838809998);
    }

    #[test]
    fn several_tests_at_once_are_corrected() {
        // Holm's own procedure by hand: 3 · 0.01, then 2 · 0.02, then at least that.
        for (found, expected) in holm(&[0.03, 0.01, 0.02]).into_iter().zip([0.04, 0.03, 0.04]) {
            near(found, expected);
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }

    #[test]
    fn too_little_to_compare_is_said_so() {
        assert_eq!(paired(&[1.0], &[2.0]), None);
        assert_eq!(mean(&[1.0]), (1.0, None));
        let same = paired(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        let level = Interval { mean: 0.0, half: 0.0 };
        assert_eq!((same.interval, same.p, same.lower, same.higher), (Some(level), 1.0, 0, 0));
    }

    /// scipy 1.17.1: `stats.binomtest(1, 6).pvalue` is 0.21875, `stats.binomtest(0, 6).pvalue` 0.03125.
    #[test]
    fn where_a_run_diverged_signs_are_counted() {
        let finite = [1.0; 6];
        let worse = [2.0, 2.0, f64::NAN, 2.0, f64::INFINITY, 2.0];
        let found = paired(&finite, &worse).unwrap();
        assert_eq!((found.interval, found.lower, found.higher), (None, 6, 0));
        near(found.p, 0.03125);
        let found = paired(&worse, &[3.0, 1.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
        assert_eq!((found.lower, found.higher), (1, 5));
        near(found.p, 0.21875);
        let both = paired(&[f64::NAN, f64::NAN], &[f64::INFINITY, f64::NAN]).unwrap();
        assert_eq!((both.p, both.lower, both.higher), (1.0, 0, 0));
        let constant = paired(&[1.0, 2.0], &[2.0, 3.0]).unwrap();
        assert_eq!(constant.interval, None);
        near(constant.p, 0.5);
    }
}
