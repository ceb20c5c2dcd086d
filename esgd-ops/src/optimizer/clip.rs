//! Clipping gradients by their global norm: Pascanu, Mikolov and Bengio (ICML 2013), as in
//! `torch.nn.utils.clip_grad_norm_`.

/// What to multiply all gradients by so that their joint Euclidean norm, `norm`, comes down to
/// `max_norm`: min(1, `max_norm` / (`norm` + 10⁻⁶)), in `[0, 1]`.
///
/// `norm` is the root of the sum of [`squared_norm`](crate::norm::squared_norm) over all tensors. A norm that is NaN gives
/// NaN, as in PyTorch: one bad gradient spoils the step visibly.
///
/// ```
/// use esgd_ops::{norm::squared_norm, optimizer::clip_scale};
///
/// let norm = (squared_norm(&[3.0]) + squared_norm(&[0.0, 4.0])).sqrt();
/// assert!((clip_scale(norm, 1.0) - 0.2).abs() < 1e-6);
/// assert_eq!(clip_scale(norm, 10.0), 1.0);
/// ```
#[must_use]
pub fn clip_scale(norm: f64, max_norm: f64) -> f32 {
    let scale = max_norm / (norm + 1e-6);
    if scale > 1.0 { 1.0 } else { scale as f32 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::norm::squared_norm;

    #[test]
    fn a_norm_that_is_not_a_number_shows() {
        assert!(clip_scale(f64::NAN, 1.0).is_nan());
        assert_eq!(clip_scale(f64::INFINITY, 1.0), 0.0);
        assert_eq!(clip_scale(0.0, 1.0), 1.0);
    }

    proptest! {
        #[test]
        fn the_clipped_norm_is_at_most_the_limit(
            grad in prop::collection::vec(-1e3f32..1e3, 1..50),
            max_norm in 0.01..100.0,
        ) {
            let norm = squared_norm(&grad).sqrt();
            let scale = clip_scale(norm, max_norm);
            let clipped: Vec<f32> = grad.iter().map(|g| scale * g).collect();
            prop_assert!(squared_norm(&clipped).sqrt() <= max_norm * (1.0 + 1e-6));
            prop_assert!(norm > max_norm || scale > 1.0 - 1e-3);
        }
    }
}
