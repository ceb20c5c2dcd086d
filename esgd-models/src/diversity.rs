//! How far apart the networks of a population are.

use crate::{Result, genome::Genome, genome::Role};

/// The root mean square of the pairwise distances of the weights, relative to that of their norms: √2 for
/// independent networks around 0, and 0 for copies. `None` of fewer than two, or where one is not finite.
///
/// Σ over pairs of ‖θ_i − θ_j‖² is μ Σ‖θ_i − θ̄‖², so it takes one pass over the weights.
pub(crate) fn of(population: &[&Genome]) -> Result<Option<f64>> {
    let mu = population.len();
    let Some((first, others)) = population.split_first().filter(|_| mu > 1) else {
        return Ok(None);
    };
    let (mut squares, mut spread) = (0.0, 0.0);
    for (t, parameter) in first.parameters().iter().enumerate() {
        if parameter.role == Role::Statistic {
            continue;
        }
        let len = parameter.tensor().elem_count();
        let (mut sum, mut square) = (vec![0.0f64; len], 0.0f64);
        let mut add = |values: &[f32]| {
            for (sum, value) in sum.iter_mut().zip(values) {
                let value = f64::from(*value);
                *sum += value;
                square += value * value;
            }
        };
        parameter.read(&mut add)?;
        for other in others {
            match other.parameters().get(t) {
                Some(same) if same.tensor().elem_count() == len => same.read(&mut add)?,
                _ => return Ok(None),
            }
        }
        let of_mean: f64 = sum.iter().map(|sum| sum * sum).sum::<f64>() / mu as f64;
        squares += square;
        spread += (square - of_mean).max(0.0);
    }
    let pairs = 2.0 * spread / (mu - 1) as f64;
    let relative = (pairs / (squares / mu as f64)).sqrt();
    Ok(relative.is_finite().then_some(relative))
}

#[cfg(test)]
mod tests {
    use candle_core::Shape;

    use super::*;
    use crate::{Parameter, genome::variable};

    fn genome(weights: [f32; 3]) -> Genome {
        let parameter = |name: &str, role, values: Vec<f32>| {
            let var = variable(values.clone(), &Shape::from(values.len())).unwrap();
            Parameter { name: name.into(), role, var }
        };
        let statistics = parameter("s", Role::Statistic, vec![weights[0] * 100.0]);
        Genome::new(vec![parameter("w", Role::Weight, weights.to_vec()), statistics]).unwrap()
    }

    #[test]
    fn it_is_the_root_mean_square_of_all_pairs() {
        let values = [[1.0, 2.0, 3.0], [0.0, -1.0, 3.0], [4.0, 2.0, -2.0]];
        let all = values.map(genome);
        let mut pairs = vec![];
        for i in 0..3 {
            for j in 0..i {
                let square = |d: f32| f64::from(d).powi(2);
                pairs.push((0..3).map(|k| square(values[i][k] - values[j][k])).sum::<f64>());
            }
        }
        let norms: f64 = values.iter().flatten().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 3.0;
        let expected = (pairs.iter().sum::<f64>() / 3.0 / norms).sqrt();
        let found = of(&all.iter().collect::<Vec<_>>()).unwrap().unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        assert_eq!(of(&[&all[0], &all[0]]).unwrap(), Some(0.0));
        assert_eq!(of(&[&all[0]]).unwrap(), None);
        assert_eq!(of(&[&all[0], &genome([f32::NAN, 0.0, 0.0])]).unwrap(), None);
    }
}
