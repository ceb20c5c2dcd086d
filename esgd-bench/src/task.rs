//! What is trained: a data set, a small perceptron on it, and the budget of a population.

use std::path::Path;

use esgd_models::{Activation, Network, Supervised, data, networks};

use crate::Result;

/// A task of the experiment. Fitness is the loss on validation data; test data is only reported.
pub struct Task {
    /// Network, training and validation data.
    pub problem: Supervised<Network>,
    /// The test data.
    pub test: data::Dataset,
    /// What every method may spend.
    pub budget: Budget,
}

/// A population's size and length. All methods get its epochs, [`Budget::total`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// μ.
    pub mu: usize,
    /// λ.
    pub lambda: usize,
    /// K.
    pub generations: usize,
    /// K_s.
    pub epochs: usize,
}

impl Budget {
    /// Epochs of all individuals together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.mu * self.generations * self.epochs
    }

    /// A few generations, to see that everything works.
    #[must_use]
    pub fn small(self) -> Self {
        Self { generations: 4, ..self }
    }
}

/// The digits, 1,000 for training, 300 for validation and 497 for test, and an MLP 64-64-10.
///
/// # Errors
/// What the data says.
pub fn digits() -> Result<Task> {
    let sizes = data::Sizes { train: Some(1000), validation: Some(300), test: None };
    task(data::digits(sizes)?, Budget { mu: 8, lambda: 32, generations: 20, epochs: 3 })
}

/// Fashion-MNIST (or MNIST) from the IDX files in `dir`, 10,000 for training, 2,500 for
/// validation and all for test, and an MLP 784-64-10.
///
/// # Errors
/// What the data says.
pub fn fashion(dir: &Path) -> Result<Task> {
    let sizes = data::Sizes { train: Some(10_000), validation: Some(2_500), test: None };
    task(data::idx(dir, sizes)?, Budget { mu: 8, lambda: 32, generations: 12, epochs: 1 })
}

fn task(data: data::Splits, budget: Budget) -> Result<Task> {
    let (inputs, classes) = (data.train.features(), data.train.classes()?);
    let mlp = networks::mlp(inputs, &[64], classes, Activation::Relu)?;
    Ok(Task {
        problem: Supervised::new(mlp, data.train, data.validation)?,
        test: data.test,
        budget,
    })
}
