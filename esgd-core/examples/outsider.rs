//! Someone with a problem and a strategy of their own, who runs the laws on both.
//!
//! `cargo run -p esgd-core --example outsider --features laws`

use esgd_core::{
    BuildError, Distribution, Domain, Hyperparameters, Objective, Operation, OptimizerPool,
    OptimizerSpec, Plan, Problem, Strategy, View, build,
    laws::{self, Inspect, Violation},
    rng::{Key, Purpose},
};

/// Fits y = a + b·x to points, by least squares.
struct Line(Vec<(f32, f32)>);

impl Problem for Line {
    type Genome = [f32; 2];
    type State = ();
    type Error = BuildError;

    fn objective(&self) -> Objective {
        Objective::new("mean squared error on all points")
    }

    fn init(&self, key: Key) -> Result<[f32; 2], BuildError> {
        let mut rng = key.stream();
        Ok([rng.unit() as f32, rng.unit() as f32])
    }

    fn fork(&self, theta: &[f32; 2]) -> Result<[f32; 2], BuildError> {
        Ok(*theta)
    }

    fn state(&self, _: &[f32; 2], _: &Hyperparameters) -> Result<(), BuildError> {
        Ok(())
    }

    fn epoch(
        &self,
        theta: &mut [f32; 2],
        (): &mut (),
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<(), BuildError> {
        let lr = hyper.get("lr").unwrap_or(0.01) as f32;
        let mut order: Vec<_> = self.0.iter().collect();
        key.stream().shuffle(&mut order);
        for (x, y) in order {
            let error = theta[0] + theta[1] * x - y;
            *theta = [theta[0] - lr * error, theta[1] - lr * error * x];
        }
        Ok(())
    }

    fn fitness(&self, [a, b]: &[f32; 2]) -> Result<f64, BuildError> {
        let error = |(x, y): &(f32, f32)| f64::from(a + b * x - y).powi(2);
        Ok(self.0.iter().map(error).sum::<f64>() / self.0.len() as f64)
    }

    fn build(
        &self,
        operation: &Operation,
        sources: &[&[f32; 2]],
        key: Key,
    ) -> Result<[f32; 2], BuildError> {
        let sources: Vec<_> = sources.iter().map(|source| &source[..]).collect();
        let built = build(operation, &sources, key)?;
        Ok([built[0], built[1]])
    }
}

impl Inspect for Line {
    fn inspect(&self, theta: &[f32; 2]) -> Vec<f32> {
        theta.to_vec()
    }
}

/// Every offspring is a mutant of the best.
struct CloneTheBest;

impl Strategy for CloneTheBest {
    fn name(&self) -> &str {
        "clone-the-best"
    }

    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let mutation = view.settings.mutation.at(view.k, view.settings.generations);
        (0..view.settings.lambda)
            .map(|i| Plan::recombination(&[0], mutation, view.key(Purpose::Mutation, i)))
            .collect()
    }
}

fn main() -> Result<(), Violation> {
    let problem = Line((0..10).map(|i| (i as f32 / 10.0, 0.3 + 0.5 * i as f32 / 10.0)).collect());
    let optimizers = OptimizerPool(vec![OptimizerSpec {
        kind: "sgd".into(),
        weight: 1.0,
        domains: [("lr".to_owned(), Domain::from(Distribution::Uniform(0.01, 0.2)))].into(),
    }]);
    laws::check(&problem, &CloneTheBest, &optimizers, 40)?;
    println!("all laws hold for Line and CloneTheBest");
    Ok(())
}
