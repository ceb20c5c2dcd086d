//! Data sets in memory, and how they are split. Test data is only ever reported.

mod digits;
mod idx;

use candle_core::{DType, Device, Storage, Tensor};
use esgd_core::rng::{Key, Purpose};

use crate::{Error, Result, genome};

pub use digits::digits;
pub use idx::idx;

/// Samples x (n, …) with what is to be learned of them, y (n, …).
#[derive(Clone, Debug)]
pub struct Dataset {
    name: String,
    x: Tensor,
    y: Tensor,
}

/// The three parts of a data set.
#[derive(Clone, Debug)]
pub struct Splits {
    /// What gradients are taken on.
    pub train: Dataset,
    /// What choices are made on.
    pub validation: Dataset,
    /// What is only reported.
    pub test: Dataset,
}

/// How many samples each part gets; `None` for all that are left, or all that the source has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Training samples.
    pub train: Option<usize>,
    /// Validation samples, taken from the training samples' source. `None` is none.
    pub validation: Option<usize>,
    /// Test samples.
    pub test: Option<usize>,
}

impl Dataset {
    /// A data set; x and y must have the same first dimension. Classes are u32.
    ///
    /// # Errors
    /// If they do not.
    pub fn new(name: &str, x: Tensor, y: Tensor) -> Result<Self> {
        let first = |t: &Tensor| t.dims().first().copied();
        match (first(&x), first(&y)) {
            (Some(a), Some(b)) if a == b => Ok(Self { name: name.into(), x, y }),
            (a, b) => Err(Error::Data(format!(
                "{name}: x has {a:?} samples and y has {b:?}: expected the same number"
            ))),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.dims()[0]
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of values of one sample's x.
    #[must_use]
    pub fn features(&self) -> usize {
        self.x.dims()[1..].iter().product()
    }

    /// One more than the largest class; 0 where y is not one class a sample.
    ///
    /// # Errors
    /// What candle says.
    pub fn classes(&self) -> Result<usize> {
        if self.y.dtype() != DType::U32 || self.is_empty() || self.y.elem_count() != self.len() {
            return Ok(0);
        }
        Ok(self.y.flatten_all()?.to_vec1::<u32>()?.into_iter().max().map_or(0, |c| c as usize + 1))
    }

    /// The samples of these numbers, in this order.
    ///
    /// # Errors
    /// What candle says.
    pub fn gather(&self, order: &[u32]) -> Result<(Tensor, Tensor)> {
        let order = Tensor::new(order, &Device::Cpu)?;
        Ok((self.x.index_select(&order, 0)?, self.y.index_select(&order, 0)?))
    }

    /// Copies the samples of these numbers, of `features` values and a class each.
    pub(crate) fn fill(&self, order: &[u32], x: &mut [f32], y: &mut [u32]) -> Result<()> {
        let width = self.features();
        genome::with_values(&self.x, |values| {
            for (x, &i) in x.chunks_exact_mut(width).zip(order) {
                x.copy_from_slice(&values[i as usize * width..][..width]);
            }
        })?;
        let (storage, layout) = self.y.storage_and_layout();
        let (Storage::Cpu(storage), Some((start, _))) = (&*storage, layout.contiguous_offsets())
        else {
            return Err(Error::Data(format!("{}: y is not contiguous on the CPU", self.name)));
        };
        let classes = &storage.as_slice::<u32>()?[start..];
        y.iter_mut().zip(order).for_each(|(y, &i)| *y = classes[i as usize]);
        Ok(())
    }

    /// `n` samples from `start` on.
    pub(crate) fn slice(&self, start: usize, n: usize) -> Result<(Tensor, Tensor)> {
        Ok((self.x.narrow(0, start, n)?, self.y.narrow(0, start, n)?))
    }

    /// The part of these numbers, under the name of this set and `part`.
    fn part(&self, part: &str, order: &[u32]) -> Result<Self> {
        let (x, y) = self.gather(order)?;
        Self::new(&format!("{}/{part}", self.name), x, y)
    }

    /// The samples' numbers in an order that is the same for every run.
    fn shuffled(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        Key::new(0, Purpose::Shuffle).stream().shuffle(&mut order);
        order
    }
}

/// Takes the parts from shuffled samples, one after another; the last part may be what is left.
fn take<'a>(order: &mut &'a [u32], n: usize, what: &str) -> Result<&'a [u32]> {
    let (part, rest) = order.split_at_checked(n).ok_or_else(|| {
        Error::Data(format!(
            "{n} samples are asked for {what} and {} are left: ask for fewer",
            order.len()
        ))
    })?;
    *order = rest;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_overlap() {
        let sizes = Sizes { train: Some(1000), validation: Some(300), test: None };
        let splits = digits(sizes).unwrap();
        assert_eq!(
            (splits.train.len(), splits.validation.len(), splits.test.len()),
            (1000, 300, 497)
        );
        assert_eq!((splits.train.features(), splits.train.classes().unwrap()), (64, 10));
        let again = digits(sizes).unwrap();
        let rows = |d: &Dataset| d.x.to_vec2::<f32>().unwrap();
        assert_eq!(rows(&splits.test), rows(&again.test));
    }

    #[test]
    fn too_much_is_refused_in_one_sentence() {
        let sizes = Sizes { train: Some(1700), validation: Some(300), test: None };
        let message = digits(sizes).unwrap_err().to_string();
        assert_eq!(message, "1700 samples are asked for training and 1497 are left: ask for fewer");
    }
}
