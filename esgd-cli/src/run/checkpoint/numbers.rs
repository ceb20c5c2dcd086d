//! The numbers that a strategy remembers, where they are too many for a manifest: one safetensors file, a
//! tensor of f64 for each name.

use std::collections::BTreeMap;

use esgd_core::Numbers;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// The most numbers that stand in a manifest itself.
const FEW: usize = 64;

/// Whether they are too many for a manifest.
pub(super) fn are_many(numbers: &Numbers) -> bool {
    numbers.values().map(Vec::len).sum::<usize>() > FEW
}

/// The file. The same numbers give the same bytes.
pub(super) fn to_bytes(numbers: &Numbers) -> Result<Vec<u8>, String> {
    let bytes: BTreeMap<_, Vec<u8>> = numbers
        .iter()
        .map(|(name, list)| (name, list.iter().flat_map(|x| x.to_le_bytes()).collect()))
        .collect();
    let views = bytes.iter().map(|(name, bytes)| {
        let view = TensorView::new(Dtype::F64, vec![bytes.len() / 8], bytes);
        Ok((*name, view.map_err(|e| e.to_string())?))
    });
    let views = views.collect::<Result<Vec<_>, String>>()?;
    safetensors::serialize(views, None).map_err(|e| e.to_string())
}

/// Reads it.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<Numbers, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let tensors = file.iter().map(|(name, view)| {
        if view.dtype() != Dtype::F64 || view.shape().len() != 1 {
            return Err(format!("`{name}` is no list of f64"));
        }
        let (numbers, _) = view.data().as_chunks::<8>();
        Ok((name.to_owned(), numbers.iter().map(|x| f64::from_le_bytes(*x)).collect()))
    });
    tensors.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_back_to_the_bit(
            numbers in prop::collection::btree_map(
                "[a-z/]{1,8}", prop::collection::vec(any::<f64>(), 0..20), 0..5,
            ),
        ) {
            let bytes = to_bytes(&numbers).unwrap();
            prop_assert_eq!(&to_bytes(&numbers).unwrap(), &bytes);
            let bits = |numbers: &Numbers| -> Vec<(String, Vec<u64>)> {
                let of = |list: &Vec<f64>| list.iter().map(|x| x.to_bits()).collect();
                numbers.iter().map(|(name, list)| (name.clone(), of(list))).collect()
            };
            prop_assert_eq!(bits(&of_bytes(&bytes).unwrap()), bits(&numbers));
        }
    }
}
