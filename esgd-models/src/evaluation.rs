//! The loss and error rate of a network on a data set, in evaluation mode.

use std::fmt;

use candle_core::{D, DType, Tensor};
use serde::{Deserialize, Serialize};

use crate::{Error, Pass, Result, Task, data::Dataset, genome::Genome};

/// Samples that go through the network at a time. Part of the result's bits: the order of
/// summation depends on it.
pub(crate) const BATCH: usize = 500;

/// How a network does on a data set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The mean loss; NaN or infinite for a network that diverged.
    pub loss: f64,
    /// The share of samples that are misclassified, from 0 to 1; `None` where y is not a class.
    pub error: Option<f64>,
    /// How many samples.
    pub samples: usize,
}

/// Which number of an evaluation is a network's fitness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// The mean loss.
    #[default]
    Loss,
    /// The error rate, from 0 to 1.
    Error,
}

impl Score {
    /// The number; of a network whose loss is none, NaN.
    ///
    /// # Errors
    /// If it is the error rate and there are no classes.
    pub fn of(self, evaluation: &Evaluation) -> Result<f64> {
        match (self, evaluation.error) {
            (Self::Loss, _) => Ok(evaluation.loss),
            (Self::Error, _) if !evaluation.loss.is_finite() => Ok(f64::NAN),
            (Self::Error, Some(error)) => Ok(error),
            (Self::Error, None) => Err(Error::Data(
                "the error rate is asked for and the targets are no classes: take the loss".into(),
            )),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loss => "loss",
            Self::Error => "error",
        })
    }
}

/// Evaluates a network on all of `data`, in order.
pub(crate) fn evaluate<T: Task>(task: &T, theta: &Genome, data: &Dataset) -> Result<Evaluation> {
    let model = task.build(theta.frozen_builder())?;
    let pass = Pass::evaluation();
    let (mut loss, mut wrong) = (0.0, 0);
    let mut classifies = true;
    for start in (0..data.len()).step_by(BATCH) {
        let n = BATCH.min(data.len() - start);
        let (x, y) = data.slice(start, n)?;
        let (x, y) = (x.to_device(&theta.device())?, y.to_device(&theta.device())?);
        let output = task.forward(&model, &x, &pass)?;
        loss += f64::from(task.loss(&output, &y)?.to_scalar::<f32>()?) * n as f64;
        match misclassified(&output, &y)? {
            Some(n) => wrong += n,
            None => classifies = false,
        }
    }
    let samples = data.len();
    let error = classifies.then_some(wrong as f64 / samples as f64);
    Ok(Evaluation { loss: loss / samples as f64, error, samples })
}

/// How many of a batch are misclassified, where the output is (batch, classes) and y a class.
fn misclassified(output: &Tensor, y: &Tensor) -> Result<Option<usize>> {
    if output.rank() != 2 || y.rank() != 1 || y.dtype() != DType::U32 {
        return Ok(None);
    }
    let hits = output.argmax(D::Minus1)?.eq(y)?.to_dtype(DType::U32)?.sum_all()?;
    Ok(Some(y.elem_count() - hits.to_scalar::<u32>()? as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_number_that_was_asked_for_and_what_diverged_has_none() {
        let sound = Evaluation { loss: 0.5, error: Some(0.25), samples: 8 };
        assert_eq!(Score::Loss.of(&sound).unwrap(), 0.5);
        assert_eq!(Score::Error.of(&sound).unwrap(), 0.25);
        let diverged = Evaluation { loss: f64::NAN, ..sound };
        assert!(Score::Error.of(&diverged).unwrap().is_nan());
        let no_classes = Evaluation { error: None, ..sound };
        let refused = Score::Error.of(&no_classes).unwrap_err().to_string();
        assert!(refused.contains("take the loss"), "{refused}");
    }
}
