//! Softmax and the cross-entropy with the right classes, in one.

use super::{activation::exp, sums};
use crate::isa::{Isa, vectorized};

/// The mean over the batch of −ln softmax(logits) at the right class, and its gradient in place of
/// the logits.
///
/// `logits` is batch × classes. The loss is not a number if a logit is not.
///
/// ```
/// use esgd_ops::layers::cross_entropy;
///
/// let mut logits = [0.0; 4];
/// let loss = cross_entropy::with_gradient(&mut logits, &[1, 0]);
/// assert!((loss - 2f64.ln()).abs() < 1e-6);
/// assert_eq!(logits, [0.25, -0.25, -0.25, 0.25]);
/// ```
///
/// # Panics
/// If there are no classes, one is outside the logits, or rows are not equally long.
pub fn with_gradient(logits: &mut [f32], classes: &[u32]) -> f64 {
    let width = width(logits, classes);
    let share = 1.0 / classes.len() as f32;
    let mut total = 0.0;
    for (row, class) in logits.chunks_exact_mut(width).zip(classes) {
        let right = row[*class as usize];
        let (max, sum) = exponentials(Isa::best(), row);
        total += loss(max, sum, right);
        scale(Isa::best(), row, share / sum);
        row[*class as usize] -= share;
    }
    total / classes.len() as f64
}

/// The sum over the batch of −ln softmax(logits) at the right class, and how many rows have their
/// greatest logit elsewhere. Overwrites the logits.
///
/// # Panics
/// If there are no classes, one is outside the logits, or rows are not equally long.
pub fn sum_and_errors(logits: &mut [f32], classes: &[u32]) -> (f64, usize) {
    let width = width(logits, classes);
    let (mut total, mut errors) = (0.0, 0);
    for (row, class) in logits.chunks_exact_mut(width).zip(classes) {
        let right = row[*class as usize];
        // The first of equals is the answer, as argmax has it.
        let before = row[..*class as usize].iter().all(|x| *x < right);
        let after = row[*class as usize..].iter().all(|x| *x <= right);
        errors += usize::from(!(before && after));
        let (max, sum) = exponentials(Isa::best(), row);
        total += loss(max, sum, right);
    }
    (total, errors)
}

/// The logits of a row.
fn width(logits: &[f32], classes: &[u32]) -> usize {
    assert!(logits.len().is_multiple_of(classes.len()), "logits of another batch");
    logits.len() / classes.len()
}

fn loss(max: f32, sum: f32, right: f32) -> f64 {
    f64::from(sum).ln() + f64::from(max) - f64::from(right)
}

vectorized! {
    /// Puts exp(x − max) in place of x; gives max and the sum.
    fn exponentials(row: &mut [f32]) -> (f32, f32) {
        let mut partial = [f32::NEG_INFINITY; 16];
        let (chunks, rest) = row.as_chunks::<16>();
        for chunk in chunks {
            for l in 0..16 {
                partial[l] = if chunk[l] > partial[l] { chunk[l] } else { partial[l] };
            }
        }
        let max = partial.iter().chain(rest).fold(f32::NEG_INFINITY, |max, x| max.max(*x));
        for x in row.iter_mut() {
            *x = exp(*x - max);
        }
        (max, sums::of(row, |x| x))
    }
}

vectorized! {
    fn scale(row: &mut [f32], factor: f32) {
        for x in row {
            *x *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits() -> (Vec<f32>, Vec<u32>) {
        let x = (0..5 * 37).map(|i| ((i * 7919) % 1009) as f32 / 100.0 - 5.0).collect();
        (x, vec![3, 0, 36, 17, 8])
    }

    #[test]
    fn the_loss_and_its_gradient_are_as_defined() {
        let (x, classes) = logits();
        let loss = |x: &[f64]| -> f64 {
            let row = |(row, class): (&[f64], &u32)| {
                row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[*class as usize]
            };
            x.chunks(37).zip(&classes).map(row).sum::<f64>() / 5.0
        };
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let mut gradient = x.clone();
        let found = with_gradient(&mut gradient, &classes);
        assert!((found - loss(&wide)).abs() < 1e-6);
        for (i, g) in gradient.iter().enumerate() {
            let (mut up, mut down) = (wide.clone(), wide.clone());
            up[i] += 1e-4;
            down[i] -= 1e-4;
            let slope = (loss(&up) - loss(&down)) / 2e-4;
            assert!((f64::from(*g) - slope).abs() < 1e-7, "{i}: {g} {slope}");
        }
        let (sum, _) = sum_and_errors(&mut x.clone(), &classes);
        assert!((sum - 5.0 * loss(&wide)).abs() < 1e-5);
    }

    #[test]
    fn errors_are_where_another_class_is_greater() {
        let mut x = [1.0, 2.0, 2.0, 1.0, 3.0, 3.0, f32::NAN, 0.0];
        let (loss, errors) = sum_and_errors(&mut x, &[1, 1, 0, 1]);
        // Of equals the first is the answer; a row with a NaN has none.
        assert_eq!(errors, 2);
        assert!(loss.is_nan());
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let mut x = [1e30, -1e30, 0.0];
        assert_eq!(with_gradient(&mut x, &[0]), 0.0);
        assert_eq!(x, [0.0; 3]);
    }
}
