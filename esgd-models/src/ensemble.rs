//! Several networks as one: their averaged probabilities, or the average of their weights.

use candle_core::D;
use esgd_core::{
    Mutation, Operation, Problem,
    rng::{Key, Purpose},
};

use crate::{
    Error, Evaluation, Genome, Pass, Result, Supervised, Task, data::Dataset, evaluation::BATCH,
};

/// The probabilities of each class for each sample of a data set: softmax of the logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    probabilities: Vec<f64>,
    classes: usize,
}

impl Predictions {
    /// Of logits, `classes` a sample.
    pub(crate) fn of_logits(logits: &[f32], classes: usize) -> Self {
        let mut probabilities: Vec<f64> = logits.iter().map(|x| f64::from(*x)).collect();
        for row in probabilities.chunks_exact_mut(classes.max(1)) {
            let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|x| *x = (*x - max).exp());
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|x| *x /= sum);
        }
        Self { probabilities, classes }
    }

    /// The mean of several networks' predictions for the same samples, an ensemble's; `None` of none, or
    /// of different samples.
    ///
    /// ```
    /// # use esgd_models::Predictions;
    /// assert!(Predictions::mean(&[]).is_none());
    /// ```
    #[must_use]
    pub fn mean(all: &[&Self]) -> Option<Self> {
        let (first, others) = all.split_first()?;
        let mut mean = (*first).clone();
        for other in others {
            if other.probabilities.len() != mean.probabilities.len()
                || other.classes != mean.classes
            {
                return None;
            }
            mean.probabilities.iter_mut().zip(&other.probabilities).for_each(|(a, b)| *a += b);
        }
        mean.probabilities.iter_mut().for_each(|p| *p /= all.len() as f64);
        Some(mean)
    }

    /// Loss (the mean of −ln p of the right class) and error on the samples that these are predictions of.
    ///
    /// # Errors
    /// If `data` has another number of samples, or no class a sample.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation> {
        let (_, y) = data.slice(0, data.len())?;
        let classes: Vec<u32> = y.to_vec1()?;
        if self.classes == 0 || classes.len() * self.classes != self.probabilities.len() {
            return Err(Error::Data(format!(
                "{} has {} samples: expected those that the predictions were made of",
                data.name(),
                data.len()
            )));
        }
        if let Some(class) = classes.iter().find(|class| **class as usize >= self.classes) {
            return Err(Error::Data(format!(
                "{} has class {class}: expected those below {}, the classes that are predicted",
                data.name(),
                self.classes
            )));
        }
        let (mut loss, mut wrong) = (0.0, 0);
        for (row, class) in self.probabilities.chunks_exact(self.classes).zip(&classes) {
            let right = row[*class as usize];
            // exp gives 0 where the logarithm of a softmax would still have a number.
            loss -= if right == 0.0 { f64::MIN_POSITIVE.ln() } else { right.ln() };
            // The first of equals is the answer, as argmax has it; of what is not a number none.
            let before = row[..*class as usize].iter().all(|p| *p < right);
            let after = row[*class as usize..].iter().all(|p| *p <= right);
            wrong += usize::from(!(before && after));
        }
        let samples = classes.len();
        let (n, error) = (samples as f64, Some(wrong as f64 / samples as f64));
        Ok(Evaluation { loss: loss / n, error, samples })
    }
}

impl<T: Task> Supervised<T> {
    /// What a network, a classifier, predicts for all of `data`, in evaluation mode.
    ///
    /// # Errors
    /// What candle says; if the outputs are not (batch, classes).
    pub fn predict(&self, theta: &Genome, data: &Dataset) -> Result<Predictions> {
        if let Some((logits, classes)) = self.logits_by_engine(theta, data)? {
            return Ok(Predictions::of_logits(&logits, classes));
        }
        let model = self.task().build(theta.frozen_builder())?;
        let (mut logits, mut classes) = (vec![], 0);
        for start in (0..data.len()).step_by(BATCH) {
            let (x, _) = data.slice(start, BATCH.min(data.len() - start))?;
            let output =
                self.task().forward(&model, &x.to_device(&theta.device())?, &Pass::evaluation())?;
            classes = output.dim(D::Minus1)?;
            logits.extend(output.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(Predictions::of_logits(&logits, classes))
    }

    /// The mean of several networks' weights and statistics: a uniform soup.
    ///
    /// # Errors
    /// If there are none, or they are networks of different shapes.
    pub fn average(&self, networks: &[&Genome]) -> Result<Genome> {
        self.build(
            &Operation::recombination(Mutation::NONE),
            networks,
            Key::new(0, Purpose::Mutation),
        )
    }
}
