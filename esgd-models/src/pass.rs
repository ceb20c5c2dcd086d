//! A pass through a network: training, with dropout drawn from a key, or evaluation.

use std::cell::Cell;

use candle_core::{Result, Tensor};
use esgd_core::rng::Key;
use esgd_ops::noise;

/// How a batch goes through a network.
#[derive(Debug)]
pub struct Pass {
    training: Option<Training>,
}

#[derive(Debug)]
struct Training {
    dropout: f32,
    key: Key,
    layers: Cell<u64>,
}

impl Pass {
    /// In training, with the recipe's dropout rate (0 for none) and the batch's key.
    #[must_use]
    pub fn training(dropout: f32, key: Key) -> Self {
        Self { training: Some(Training { dropout, key, layers: Cell::new(0) }) }
    }

    /// In evaluation: no dropout, statistics as they are.
    #[must_use]
    pub fn evaluation() -> Self {
        Self { training: None }
    }

    /// Whether this is training; what candle's `forward_t` asks.
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.training.is_some()
    }

    /// Dropout at the recipe's rate: each value is zeroed with that probability and the others
    /// are scaled up. The mask depends on the key and on how many layers dropped out before.
    ///
    /// # Errors
    /// If the rate is none from 0 to below 1, or candle cannot multiply.
    pub fn dropout(&self, x: &Tensor) -> Result<Tensor> {
        let Some(Training { dropout, key, layers }) = &self.training else { return Ok(x.clone()) };
        if *dropout == 0.0 {
            return Ok(x.clone());
        }
        if !(0.0..1.0).contains(dropout) {
            candle_core::bail!("dropout = {dropout}: expected at least 0 and below 1");
        }
        let layer = layers.get();
        layers.set(layer + 1);
        let mut mask = vec![0.0; x.elem_count()];
        noise::uniforms(key.derive(layer), 0, &mut mask);
        let scale = 1.0 / (1.0 - dropout);
        mask.iter_mut().for_each(|u| *u = if *u < *dropout { 0.0 } else { scale });
        x.mul(&Tensor::from_vec(mask, x.shape(), x.device())?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use esgd_core::rng::Purpose;

    use super::*;

    fn drop(pass: &Pass) -> Vec<f32> {
        let ones = Tensor::from_vec(vec![1f32; 10_000], 10_000, &Device::Cpu).unwrap();
        pass.dropout(&ones).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn drops_its_share_and_keeps_the_mean() {
        let key = Key::new(3, Purpose::Train);
        let pass = Pass::training(0.25, key);
        let (first, second) = (drop(&pass), drop(&pass));
        let zeros = first.iter().filter(|v| **v == 0.0).count();
        assert!(zeros.abs_diff(2500) < 175, "{zeros}"); // four standard deviations
        assert!(first.iter().all(|v| *v == 0.0 || *v == 1.0 / 0.75));
        assert_ne!(first, second, "two layers share a mask");
        assert_eq!(first, drop(&Pass::training(0.25, key)));
    }

    #[test]
    fn a_rate_that_is_none_is_refused() {
        let ones = Tensor::ones(4, candle_core::DType::F32, &Device::Cpu).unwrap();
        for rate in [f32::NAN, -0.1, 1.0, f32::INFINITY] {
            let pass = Pass::training(rate, Key::new(3, Purpose::Train));
            let message = pass.dropout(&ones).unwrap_err().to_string();
            assert!(message.contains(&format!("dropout = {rate}")), "{message}");
        }
    }

    #[test]
    fn evaluation_drops_nothing() {
        assert!(drop(&Pass::evaluation()).iter().all(|v| *v == 1.0));
    }
}
