//! Values that a data set can have: numbers that are finite, and classes from 0 on.

use candle_core::{DType, Tensor};

use crate::{Error, Result};

/// Samples that are looked at together.
const TOGETHER: usize = 1024;

/// Whole numbers as classes; anything else as it is.
pub(super) fn classes(name: &str, y: Tensor) -> Result<Tensor> {
    if !matches!(y.dtype(), DType::U8 | DType::I16 | DType::I32 | DType::I64) {
        return Ok(y);
    }
    let whole = y.to_dtype(DType::I64)?.flatten_all()?.to_vec1::<i64>()?;
    let each = (whole.len() / y.dims()[0].max(1)).max(1);
    let classes = whole.iter().enumerate().map(|(i, &class)| {
        u32::try_from(class).map_err(|_| {
            Error::Data(format!(
                "{name}: sample {} has the class {class}: expected 0 or more and less than 2³²; what is no \
                 class is a floating-point number",
                i / each
            ))
        })
    });
    Ok(Tensor::from_vec(classes.collect::<Result<Vec<_>>>()?, y.shape(), y.device())?)
}

/// Refuses a value that is infinite or no number.
pub(super) fn check(name: &str, what: &str, values: &Tensor) -> Result<()> {
    if values.dtype().is_int() || values.elem_count() == 0 {
        return Ok(());
    }
    let samples = values.dims()[0];
    let each = values.elem_count() / samples;
    for start in (0..samples).step_by(TOGETHER) {
        let some = values.narrow(0, start, TOGETHER.min(samples - start))?;
        let some = some.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        if let Some(at) = some.iter().position(|value| !value.is_finite()) {
            return Err(Error::Data(format!(
                "{name}: {what} of sample {} has the value {} at place {}: expected finite numbers",
                start + at / each,
                some[at],
                at % each
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, NdArray};

    use super::*;
    use crate::data::Dataset;

    fn set(x: impl NdArray, y: impl NdArray) -> Result<Dataset> {
        let cpu = &Device::Cpu;
        Dataset::new("mine", Tensor::new(x, cpu)?, Tensor::new(y, cpu)?)
    }

    #[test]
    fn whole_numbers_become_classes() {
        let x = &[[1f32], [2.0]];
        let classes =
            [set(x, &[3u8, 1]).unwrap(), set(x, &[3i64, 1]).unwrap(), set(x, &[3i32, 1]).unwrap()];
        for data in classes {
            let (_, y) = data.slice(0, 2).unwrap();
            assert_eq!((y.to_vec1::<u32>().unwrap(), data.classes().unwrap()), (vec![3, 1], 4));
        }
        // What is to be learned may be no class.
        let values = set(x, &[0.5f32, -1.0]).unwrap();
        assert_eq!(values.classes().unwrap(), 0);
    }

    #[test]
    fn what_no_network_can_learn_is_refused_in_one_sentence() {
        let x = &[[1f32, 2.0], [2.0, 3.0]];
        let nan = &[[1f32, 2.0], [2.0, f32::NAN]];
        let infinite = &[[1f32, f32::NEG_INFINITY], [2.0, 3.0]];
        for (set, expected) in [
            (set(nan, &[0u32, 1]), "mine: x of sample 1 has the value NaN at place 1"),
            (set(infinite, &[0u32, 1]), "mine: x of sample 0 has the value -inf at place 1"),
            (set(x, &[0.0, f64::INFINITY]), "mine: y of sample 1 has the value inf at place 0"),
            (set(x, &[0i64, -1]), "mine: sample 1 has the class -1: expected 0 or more"),
            (set(x, &[0i64, 1 << 32]), "sample 1 has the class 4294967296"),
            (set(x, &[0u32]), "mine: x has 2 samples and y has 1"),
            (set(1f32, &[0u32]), "mine: x has no samples and y has 1"),
        ] {
            let message = set.unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }
}
