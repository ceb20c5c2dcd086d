//! The 1,797 handwritten digits of 8×8 pixels of the UCI repository (*Optical Recognition of
//! Handwritten Digits*, Alpaydin and Kaynak, 1998), which the crate smartcore embeds.

use candle_core::{Device, Tensor};

use super::{Dataset, Sizes, Splits, take};
use crate::Result;

/// The digits, x (n, 1, 8, 8) from 0 to 1, split after a shuffle that is always the same.
///
/// Validation comes first, then training, then test; a size of `None` is none for validation,
/// and for training all that test leaves.
///
/// # Errors
/// If there are fewer samples than asked for.
pub fn digits(sizes: Sizes) -> Result<Splits> {
    let source = smartcore::dataset::digits::load_dataset();
    let n = source.num_samples;
    let x: Vec<f32> = source.data.into_iter().map(|pixel| pixel / 16.0).collect();
    let y: Vec<u32> = source.target.into_iter().map(|digit| digit as u32).collect();
    let whole = Dataset::new(
        "digits",
        Tensor::from_vec(x, (n, 1, 8, 8), &Device::Cpu)?,
        Tensor::from_vec(y, n, &Device::Cpu)?,
    )?;
    let order = whole.shuffled();
    let mut left = &order[..];
    let validation = take(&mut left, sizes.validation.unwrap_or(0), "validation")?;
    let train = sizes.train.unwrap_or_else(|| left.len().saturating_sub(sizes.test.unwrap_or(0)));
    let train = take(&mut left, train, "training")?;
    let rest = left.len();
    let test = take(&mut left, sizes.test.unwrap_or(rest), "testing")?;
    Ok(Splits {
        train: whole.part("train", train)?,
        validation: whole.part("validation", validation)?,
        test: whole.part("test", test)?,
        files: vec![],
    })
}
