//! What seeds say: means with confidence intervals, and paired comparisons.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The mean of some values and half the width of its 95 % confidence interval by Student's t; no interval
/// of a single value.
pub fn mean(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let half = deviation_of_mean(values, mean).zip(students_t(values.len()));
    (mean, half.map(|(deviation, t)| t.inverse_cdf(0.975) * deviation))
}

/// A paired comparison: the mean of a − b over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    pub difference: f64,
    /// Half the width of its 95 % confidence interval.
    pub half: f64,
    /// The two-sided p of Student's paired t-test.
    pub p: f64,
    /// In how many seeds a is lower.
    pub lower: usize,
}

/// Compares values of the same seeds; `None` of fewer than two, where one is not finite, or where all
/// differ by the same.
pub fn paired(a: &[f64], b: &[f64]) -> Option<Paired> {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if a.len() != b.len() || differences.iter().any(|d| !d.is_finite()) {
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
    let lower = differences.iter().filter(|d| **d < 0.0).count();
    Some(Paired { difference: mean, half: t.inverse_cdf(0.975) * deviation, p, lower })
}

/// Holm's correction: the p of each of several tests made at once.
pub fn holm(p: &[f64]) -> Vec<f64> {
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
        near(found.difference, 0.18);
        near(found.p, 0.04076382688571029);
        near(found.half, 0.16773956924633265);
        assert_eq!(found.lower, 1);
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
        assert_eq!(paired(&[1.0, f64::NAN], &[2.0, 3.0]), None);
        assert_eq!(mean(&[1.0]), (1.0, None));
        let same = paired(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        assert_eq!((same.difference, same.half, same.p, same.lower), (0.0, 0.0, 1.0, 0));
        assert_eq!(paired(&[1.0, 2.0], &[2.0, 3.0]), None);
    }
}
