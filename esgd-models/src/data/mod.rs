//! Data sets in memory, and how they are split. Test data is only ever reported.

mod augmentation;
mod cifar;
pub mod class_names;
mod contents;
mod digits;
mod fingerprint;
mod idx;
mod normalisation;
mod others;
mod pixels;
mod values;

use std::sync::Arc;

use candle_core::{DType, Device, Storage, Tensor};
use esgd_core::rng::{Key, Purpose};

use crate::{Error, Result, networks::Size};
use pixels::Pixels;

pub(crate) use augmentation::AUGMENTATION;
pub use augmentation::Augmentation;
pub use cifar::{cifar10, cifar100};
pub use digits::digits;
pub use fingerprint::{Fingerprint, Holds, SourceFile};
pub use idx::idx;
pub use normalisation::Normalisation;

/// Samples x (n, …) with what is to be learned of them, y (n, …). Images are (n, channels, rows,
/// columns), and stay the bytes that they are in a file until a batch of them is needed.
#[derive(Clone, Debug)]
pub struct Dataset {
    name: String,
    /// Values, or bytes of `pixels`.
    x: Tensor,
    y: Tensor,
    pixels: Option<Arc<Pixels>>,
    augmentation: Augmentation,
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
    /// The files that they were read from; none for data that are built in.
    pub files: Vec<SourceFile>,
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

impl Splits {
    /// Training and validation data drawn from one set, by a shuffle that is always the same, and
    /// the beginning of a test set, which were read from `files`.
    fn of(train: &Dataset, test: &Dataset, files: Vec<SourceFile>, sizes: Sizes) -> Result<Self> {
        let order = train.shuffled();
        let mut left = &order[..];
        let validation = take(&mut left, sizes.validation.unwrap_or(0), "validation")?;
        let rest = left.len();
        let for_training = take(&mut left, sizes.train.unwrap_or(rest), "training")?;
        let test_order: Vec<u32> = (0..test.len() as u32).collect();
        let for_test = take(&mut &test_order[..], sizes.test.unwrap_or(test.len()), "testing")?;
        Ok(Self {
            train: train.part("train", for_training)?,
            validation: train.part("validation", validation)?,
            test: test.part("test", for_test)?,
            files,
        })
    }
}

impl Dataset {
    /// A data set of values; x and y must have the same first dimension. Classes are u32; other whole
    /// numbers become that.
    ///
    /// # Errors
    /// If they have not, a value is infinite or no number, or a class is negative or 2³² or more.
    pub fn new(name: &str, x: Tensor, y: Tensor) -> Result<Self> {
        let samples = |t: &Tensor| t.dims().first().copied();
        if samples(&x).is_none() || samples(&x) != samples(&y) {
            let count = |t: &Tensor| samples(t).map_or("no".into(), |n| n.to_string());
            return Err(Error::Data(format!(
                "{name}: x has {} samples and y has {}: expected the same number",
                count(&x),
                count(&y)
            )));
        }
        let y = values::classes(name, y)?;
        values::check(name, "x", &x)?;
        values::check(name, "y", &y)?;
        Ok(Self::of(name, x, y, None))
    }

    fn of(name: &str, x: Tensor, y: Tensor, pixels: Option<Arc<Pixels>>) -> Self {
        Self { name: name.into(), x, y, pixels, augmentation: Augmentation::default() }
    }

    /// A data set of images, so many bytes each, with a class each.
    fn images(
        name: &str,
        bytes: Vec<u8>,
        size: Size,
        classes: &[u8],
        pixels: Pixels,
    ) -> Result<Self> {
        let (n, Size { channels, height, width }) = (classes.len(), size);
        let y: Vec<u32> = classes.iter().map(|class| u32::from(*class)).collect();
        let x = Tensor::from_vec(bytes, (n, channels, height, width), &Device::Cpu)?;
        let y = Tensor::from_vec(y, n, &Device::Cpu)?;
        Ok(Self::of(name, x, y, Some(Arc::new(pixels))))
    }

    /// The same samples, changed at random wherever a network is trained on them.
    ///
    /// # Errors
    /// If samples are no images, or the border is wider than 1024 pixels.
    pub fn augmented(self, augmentation: Augmentation) -> Result<Self> {
        if augmentation.crop > 1024 {
            return Err(Error::Data(format!(
                "crop = {}: expected at most 1024 pixels of border",
                augmentation.crop
            )));
        }
        if augmentation.changes() && self.x.rank() != 4 {
            return Err(Error::Data(format!(
                "{} has samples of {:?}: expected images to crop or to flip",
                self.name,
                &self.x.dims()[1..]
            )));
        }
        Ok(Self { augmentation, ..self })
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

    /// The size of a sample.
    #[must_use]
    pub fn size(&self) -> Size {
        match self.x.dims()[1..] {
            [channels, height, width] => Size::image(channels, height, width),
            _ => Size::vector(self.features()),
        }
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

    /// The samples of these numbers, in this order, as they are: in evaluation nothing is changed.
    ///
    /// # Errors
    /// What candle says.
    pub fn gather(&self, order: &[u32]) -> Result<(Tensor, Tensor)> {
        self.batch(order, None)
    }

    /// The samples of these numbers, in this order, changed by what `key` draws.
    pub(crate) fn batch(&self, order: &[u32], key: Option<Key>) -> Result<(Tensor, Tensor)> {
        let key = key.filter(|_| self.augmentation.changes());
        let index = Tensor::new(order, &Device::Cpu)?;
        let y = self.y.index_select(&index, 0)?;
        if self.pixels.is_none() && key.is_none() {
            return Ok((self.x.index_select(&index, 0)?, y));
        }
        let mut x = vec![0.0; order.len() * self.features()];
        self.fill_x(order, key, &mut x)?;
        let mut dims = self.x.dims().to_vec();
        dims[0] = order.len();
        Ok((Tensor::from_vec(x, dims, &Device::Cpu)?, y))
    }

    /// Copies the samples of these numbers, of `features` values and a class each, changed by what
    /// `key` draws.
    pub(crate) fn fill(
        &self,
        order: &[u32],
        key: Option<Key>,
        x: &mut [f32],
        y: &mut [u32],
    ) -> Result<()> {
        self.fill_x(order, key, x)?;
        let (storage, layout) = self.y.storage_and_layout();
        let (Storage::Cpu(storage), Some((start, _))) = (&*storage, layout.contiguous_offsets())
        else {
            return Err(self.scattered("y"));
        };
        let classes = &storage.as_slice::<u32>()?[start..];
        y.iter_mut().zip(order).for_each(|(y, &i)| *y = classes[i as usize]);
        Ok(())
    }

    fn fill_x(&self, order: &[u32], key: Option<Key>, out: &mut [f32]) -> Result<()> {
        let features = self.features();
        let (storage, layout) = self.x.storage_and_layout();
        let (Storage::Cpu(storage), Some((start, _))) = (&*storage, layout.contiguous_offsets())
        else {
            return Err(self.scattered("x"));
        };
        // A vector is an image of one row and channel.
        let (plane, width) = match self.x.dims()[1..] {
            [_, height, width] => (height * width, width),
            _ => (features, features),
        };
        let key = key.filter(|_| self.augmentation.changes());
        let view = |i: usize| key.map(|key| self.augmentation.draw(key, i));
        let samples = out.chunks_exact_mut(features).zip(order).enumerate();
        if let Some(pixels) = &self.pixels {
            let bytes = &storage.as_slice::<u8>()?[start..];
            for (i, (out, &number)) in samples {
                let (view, image) = (view(i), &bytes[number as usize * features..][..features]);
                let channels = image.chunks_exact(plane).zip(out.chunks_exact_mut(plane));
                for (c, (channel, out)) in channels.enumerate() {
                    let table = pixels.of_channel(c);
                    let value = |byte| table[usize::from(byte)];
                    match view {
                        Some(view) => view.of(channel, width, table[0], value, out),
                        None => out.iter_mut().zip(channel).for_each(|(x, byte)| *x = value(*byte)),
                    }
                }
            }
        } else {
            let values = &storage.as_slice::<f32>()?[start..];
            for (i, (out, &number)) in samples {
                let image = &values[number as usize * features..][..features];
                let Some(view) = view(i) else {
                    out.copy_from_slice(image);
                    continue;
                };
                for (channel, out) in image.chunks_exact(plane).zip(out.chunks_exact_mut(plane)) {
                    view.of(channel, width, 0.0, |value| value, out);
                }
            }
        }
        Ok(())
    }

    fn scattered(&self, what: &str) -> Error {
        Error::Data(format!(
            "{}: {what} is not contiguous in the CPU's memory: call `contiguous` on it first",
            self.name
        ))
    }

    /// `n` samples from `start` on.
    pub(crate) fn slice(&self, start: usize, n: usize) -> Result<(Tensor, Tensor)> {
        if self.pixels.is_some() {
            return self.gather(&(start as u32..(start + n) as u32).collect::<Vec<_>>());
        }
        Ok((self.x.narrow(0, start, n)?, self.y.narrow(0, start, n)?))
    }

    /// The part of these numbers, under the name of this set and `part`.
    fn part(&self, part: &str, order: &[u32]) -> Result<Self> {
        let index = Tensor::new(order, &Device::Cpu)?;
        Ok(Self {
            name: format!("{}/{part}", self.name),
            x: self.x.index_select(&index, 0)?,
            y: self.y.index_select(&index, 0)?,
            ..self.clone()
        })
    }

    /// The first `n` samples, or all if there are fewer.
    pub(crate) fn first(&self, n: usize) -> Result<Self> {
        let n = n.min(self.len());
        let (x, y) = (self.x.narrow(0, 0, n)?, self.y.narrow(0, 0, n)?);
        Ok(Self { x, y, ..self.clone() })
    }

    /// Shows `f` all there is to the samples, as bytes: two sets that show the same are the same.
    ///
    /// # Errors
    /// What candle says.
    pub fn visit_contents(&self, mut f: impl FnMut(&[u8])) -> Result<()> {
        f(format!("{:?} {:?} {:?}", self.x.shape(), self.y.shape(), self.augmentation).as_bytes());
        if let Some(pixels) = &self.pixels {
            f(format!("{pixels:?}").as_bytes());
        }
        for tensor in [&self.x, &self.y] {
            for sample in 0..self.len() {
                let row = tensor.narrow(0, sample, 1)?.flatten_all()?;
                match row.dtype() {
                    DType::U8 => f(&row.to_vec1::<u8>()?),
                    _ => {
                        let values = row.to_dtype(DType::F64)?.to_vec1::<f64>()?;
                        values.iter().for_each(|value| f(&value.to_le_bytes()));
                    }
                }
            }
        }
        Ok(())
    }

    /// The bytes that the samples take in memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of = |t: &Tensor| (t.elem_count() * t.dtype().size_in_bytes()) as u64;
        of(&self.x) + of(&self.y)
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
        let rows = |d: &Dataset| d.x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(rows(&splits.test), rows(&again.test));
    }

    #[test]
    fn too_much_is_refused_in_one_sentence() {
        let sizes = Sizes { train: Some(1700), validation: Some(300), test: None };
        let message = digits(sizes).unwrap_err().to_string();
        assert_eq!(message, "1700 samples are asked for training and 1497 are left: ask for fewer");
    }
}
