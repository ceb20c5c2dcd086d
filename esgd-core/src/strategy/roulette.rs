//! Roulette wheel selection (section 3.3, item 1).

use crate::{Fitness, rng::Philox};

/// Roulette wheel selection: p_j ∝ 1/f_j where every fitness is positive, and by rank (n, n−1, …,
/// 1) where one is not. Individuals that diverged are not drawn, unless all n did.
///
/// The paper says "proportional to the fitness" of a loss that is minimised; 1/f is how it can
/// hold that "an individual with better fitness has a higher probability to be selected".
#[derive(Clone, Debug)]
pub struct Roulette {
    cumulative: Vec<f64>,
}

impl Roulette {
    /// A wheel for individuals of fitness `ranked`, best first.
    #[must_use]
    pub fn new(ranked: &[Fitness]) -> Self {
        let sound = ranked.iter().filter(|f| f.is_finite()).count();
        let ranked = if sound == 0 { ranked } else { &ranked[..sound] };
        let best = ranked.first().map_or(1.0, |f| f.get());
        let by_fitness = sound > 0 && best > 0.0;
        let slice = |(rank, fitness): (usize, &Fitness)| {
            // Relative to the best, so that 1/f cannot overflow.
            if by_fitness { best / fitness.get() } else { (ranked.len() - rank) as f64 }
        };
        let cumulative = ranked
            .iter()
            .enumerate()
            .map(slice)
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        Self { cumulative }
    }

    /// The rank of an individual; 0 where there is none.
    pub fn draw(&self, rng: &mut Philox) -> usize {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let at = rng.unit() * total;
        let rank = self.cumulative.partition_point(|&sum| sum <= at);
        rank.min(self.cumulative.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::{Key, Purpose};

    /// Shares of 20,000 draws.
    fn shares(losses: &[f64]) -> Vec<f64> {
        let ranked: Vec<_> = losses.iter().map(|&f| Fitness::new(f)).collect();
        let roulette = Roulette::new(&ranked);
        let mut rng = Key::new(9, Purpose::Parents).stream();
        let mut seen = vec![0u32; losses.len()];
        (0..20_000).for_each(|_| seen[roulette.draw(&mut rng)] += 1);
        seen.iter().map(|&n| f64::from(n) / 20_000.0).collect()
    }

    fn close(losses: &[f64], expected: &[f64]) {
        let shares = shares(losses);
        // Four standard deviations of a share of one half.
        let near = shares.iter().zip(expected).all(|(s, e)| (s - e).abs() < 0.0142);
        assert!(near, "{shares:?} is not {expected:?}");
    }

    /// A public re-implementation draws parents uniformly: this is the regression test for it.
    #[test]
    fn positive_losses_are_drawn_by_their_reciprocal() {
        close(&[1.0, 2.0, 4.0], &[4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]);
        close(&[1e-320, 2e-320], &[2.0 / 3.0, 1.0 / 3.0]);
    }

    #[test]
    fn losses_that_are_not_positive_are_drawn_by_rank_and_diverged_ones_never() {
        close(&[-3.0, 0.0, 5.0], &[3.0 / 6.0, 2.0 / 6.0, 1.0 / 6.0]);
        close(&[1.0, 2.0, f64::NAN], &[2.0 / 3.0, 1.0 / 3.0, 0.0]);
        close(&[f64::NAN; 3], &[3.0 / 6.0, 2.0 / 6.0, 1.0 / 6.0]);
    }

    proptest! {
        #[test]
        fn a_draw_is_always_a_rank(losses in prop::collection::vec(any::<f64>(), 1..20), seed: u64) {
            let mut ranked: Vec<_> = losses.into_iter().map(Fitness::new).collect();
            ranked.sort();
            let roulette = Roulette::new(&ranked);
            let mut rng = Key::new(seed, Purpose::Parents).stream();
            for _ in 0..50 {
                prop_assert!(roulette.draw(&mut rng) < ranked.len());
            }
        }
    }
}
