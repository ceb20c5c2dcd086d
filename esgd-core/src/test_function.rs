//! A reference problem on `Vec<f32>`: classic test functions with analytic gradients. It needs no
//! tensor library, so core runs alone; the properties of this crate are tested on it.

use crate::{
    BuildError, Domain, Hyperparameters, Objective, Operation, OperationKind, OptimizerPool,
    OptimizerSpec, Portable, Problem, build,
    plan::definition::squared_norm,
    rng::{Key, Philox},
};

/// A function of d variables with minimum 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Σ x_i², minimum at 0.
    Sphere,
    /// Rosenbrock's valley, Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)², minimum at 1.
    Rosenbrock,
    /// Rastrigin's 10 d + Σ x_i² − 10 cos(2π x_i), minimum at 0 among about 11^d local ones in
    /// [−5.12, 5.12]^d.
    Rastrigin,
}

impl Function {
    /// The function's value.
    #[must_use]
    pub fn value(self, x: &[f32]) -> f64 {
        let x = x.iter().map(|&v| f64::from(v));
        match self {
            Self::Sphere => x.map(|v| v * v).sum(),
            Self::Rosenbrock => x
                .clone()
                .zip(x.skip(1))
                .map(|(a, b)| 100.0 * (b - a * a).powi(2) + (1.0 - a).powi(2))
                .sum(),
            Self::Rastrigin => {
                x.map(|v| 10.0 + v * v - 10.0 * (std::f64::consts::TAU * v).cos()).sum()
            }
        }
    }

    /// The gradient, in `out` of the same length.
    pub fn gradient(self, x: &[f32], out: &mut [f64]) {
        out.fill(0.0);
        for i in 0..x.len().min(out.len()) {
            let a = f64::from(x[i]);
            match self {
                Self::Sphere => out[i] = 2.0 * a,
                Self::Rosenbrock => {
                    if let Some(&next) = x.get(i + 1) {
                        let gap = f64::from(next) - a * a;
                        out[i] += -400.0 * a * gap - 2.0 * (1.0 - a);
                        out[i + 1] += 200.0 * gap;
                    }
                }
                Self::Rastrigin => {
                    let tau = std::f64::consts::TAU;
                    out[i] = 2.0 * a + 10.0 * tau * (tau * a).sin();
                }
            }
        }
    }
}

/// Minimises a [`Function`] by gradient descent with momentum; an epoch is 10 steps whose
/// gradients carry Gaussian noise, so that some epochs make the fitness worse.
#[derive(Clone, Debug)]
pub struct TestFunction {
    function: Function,
    dimension: usize,
}

impl TestFunction {
    /// The problem in `dimension` variables.
    #[must_use]
    pub fn new(function: Function, dimension: usize) -> Self {
        Self { function, dimension }
    }

    /// A pool for this problem: hyper-parameters `lr`, `momentum` and `noise`, the standard
    /// deviation of the noise on the gradient.
    #[must_use]
    pub fn optimizers() -> OptimizerPool {
        let domains = [
            ("lr", Domain::log_uniform(1e-4, 1e-1)),
            ("momentum", Domain::fixed(0.5)),
            ("noise", Domain::fixed(0.1)),
        ];
        OptimizerPool(vec![OptimizerSpec {
            kind: "sgd".into(),
            weight: 1.0,
            domains: domains.map(|(name, range)| (name.to_owned(), range)).into(),
        }])
    }
}

impl Problem for TestFunction {
    type Genome = Vec<f32>;
    type State = Vec<f64>;
    type Error = BuildError;

    fn objective(&self) -> Objective {
        Objective::new(&format!("{:?} in {} dimensions", self.function, self.dimension))
    }

    fn init(&self, key: Key) -> Result<Vec<f32>, BuildError> {
        let mut rng = key.stream();
        Ok((0..self.dimension).map(|_| (rng.unit() * 4.0 - 2.0) as f32).collect())
    }

    fn fork(&self, theta: &Vec<f32>) -> Result<Vec<f32>, BuildError> {
        Ok(theta.clone())
    }

    fn state(&self, theta: &Vec<f32>, _hyper: &Hyperparameters) -> Result<Vec<f64>, BuildError> {
        Ok(vec![0.0; theta.len()])
    }

    fn epoch(
        &self,
        theta: &mut Vec<f32>,
        velocity: &mut Vec<f64>,
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<(), BuildError> {
        let value = |name| hyper.get(name).unwrap_or(0.0);
        let mut rng = key.stream();
        let mut gradient = vec![0.0; theta.len()];
        for _ in 0..10 {
            self.function.gradient(theta, &mut gradient);
            for ((x, v), g) in theta.iter_mut().zip(velocity.iter_mut()).zip(&gradient) {
                *v = value("momentum") * *v + g + value("noise") * normal(&mut rng);
                *x = (f64::from(*x) - value("lr") * *v) as f32;
            }
        }
        Ok(())
    }

    fn fitness(&self, theta: &Vec<f32>) -> Result<f64, BuildError> {
        Ok(self.function.value(theta))
    }

    /// θ is one tensor here, so a relative σ is relative to the whole.
    fn build(
        &self,
        operation: &Operation,
        sources: &[&Vec<f32>],
        key: Key,
    ) -> Result<Vec<f32>, BuildError> {
        let sources: Vec<_> = sources.iter().map(|source| &source[..]).collect();
        build(operation, &sources, key)
    }

    fn builds(&self, kind: &OperationKind) -> bool {
        !matches!(kind, OperationKind::Custom(_))
    }

    fn dimension(&self, theta: &Vec<f32>) -> Option<usize> {
        Some(theta.len())
    }

    fn norm(&self, theta: &Vec<f32>) -> Option<f64> {
        Some(squared_norm(theta).sqrt())
    }

    fn values(&self, theta: &Vec<f32>) -> Option<Vec<f64>> {
        Some(theta.iter().map(|&x| f64::from(x)).collect())
    }
}

/// Values as little-endian bytes.
impl Portable for TestFunction {
    fn write_genome(&self, theta: &Vec<f32>) -> Result<Vec<u8>, BuildError> {
        Ok(theta.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    fn read_genome(&self, bytes: &[u8]) -> Result<Vec<f32>, BuildError> {
        match bytes.as_chunks::<4>() {
            (values, []) if values.len() == self.dimension => {
                Ok(values.iter().map(|x| f32::from_le_bytes(*x)).collect())
            }
            _ => Err(BuildError(format!("{} bytes are no point", bytes.len()))),
        }
    }

    fn write_state(&self, _: &Vec<f32>, state: &Vec<f64>) -> Result<Vec<u8>, BuildError> {
        Ok(state.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    fn read_state(&self, theta: &Vec<f32>, bytes: &[u8]) -> Result<Vec<f64>, BuildError> {
        match bytes.as_chunks::<8>() {
            (values, []) if values.len() == theta.len() => {
                Ok(values.iter().map(|x| f64::from_le_bytes(*x)).collect())
            }
            _ => Err(BuildError(format!("{} bytes are no velocity", bytes.len()))),
        }
    }
}

/// A standard normal number (Box and Muller, the cosine half).
fn normal(rng: &mut Philox) -> f64 {
    // 1 − u is in (0, 1]: its logarithm is finite.
    let (u, v) = (1.0 - rng.unit(), rng.unit());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn minima_are_zero() {
        assert_eq!(Function::Sphere.value(&[0.0; 4]), 0.0);
        assert_eq!(Function::Rosenbrock.value(&[1.0; 4]), 0.0);
        assert_eq!(Function::Rastrigin.value(&[0.0; 4]), 0.0);
    }

    proptest! {
        /// Against central differences in f64.
        #[test]
        fn gradients_are_right(x in prop::collection::vec(-2.0..2.0f32, 2..6)) {
            for function in [Function::Sphere, Function::Rosenbrock, Function::Rastrigin] {
                let mut gradient = vec![0.0; x.len()];
                function.gradient(&x, &mut gradient);
                for i in 0..x.len() {
                    let at = |step: f32| {
                        let mut moved = x.clone();
                        moved[i] += step;
                        (function.value(&moved), f64::from(moved[i]))
                    };
                    let ((above, high), (below, low)) = (at(1e-3), at(-1e-3));
                    let numeric = (above - below) / (high - low);
                    prop_assert!((numeric - gradient[i]).abs() <= 2e-2 * (1.0 + gradient[i].abs()));
                }
            }
        }
    }
}
