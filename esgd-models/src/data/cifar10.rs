//! CIFAR-10 as its authors publish it (Krizhevsky, *Learning Multiple Layers of Features from Tiny
//! Images*, 2009; <https://www.cs.toronto.edu/~kriz/cifar.html>, "binary version"): records of a class
//! and 3 × 32 × 32 bytes.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

use super::{Dataset, Holds, Sizes, SourceFile, Splits, pixels::Pixels};
use crate::{Error, Result, networks::Size};

const SIZE: Size = Size::image(3, 32, 32);
const RECORD: usize = 1 + SIZE.len();

/// The channels' mean and standard deviation over the training images, as shares of 255.
const MEAN: [f32; 3] = [0.4914, 0.4822, 0.4465];
const DEVIATION: [f32; 3] = [0.2470, 0.2435, 0.2616];

/// Reads `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` from `dir` or from
/// `cifar-10-batches-bin` in it. x is (n, 3, 32, 32), each channel with the training images' mean taken
/// off and divided by their standard deviation. Validation is drawn from the training files, by a
/// shuffle that is always the same.
///
/// # Errors
/// If a file is missing, is no whole number of records, or has a class above 9; or if there are fewer
/// samples than asked for.
pub fn cifar10(dir: &Path, sizes: Sizes) -> Result<Splits> {
    let inner = dir.join("cifar-10-batches-bin");
    let dir = if inner.is_dir() { &inner } else { dir };
    let training: Vec<String> = (1..=5).map(|i| format!("data_batch_{i}.bin")).collect();
    let mut files = vec![];
    let train = read(dir, &training, Holds::Training, &mut files)?;
    let test = read(dir, &["test_batch.bin".into()], Holds::Test, &mut files)?;
    Splits::of(&train, &test, files, sizes)
}

fn read(
    dir: &Path,
    names: &[String],
    holds: Holds,
    files: &mut Vec<SourceFile>,
) -> Result<Dataset> {
    let (mut bytes, mut classes) = (vec![], vec![]);
    for name in names {
        let path = dir.join(name);
        if !path.is_file() {
            return Err(Error::Data(format!(
                "{} has no {name}: name the folder with the six .bin files of CIFAR-10, or get them \
                 with `esgd data cifar10 --dir DIR`",
                dir.display()
            )));
        }
        let contents =
            fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        files.push(SourceFile::new(name, holds, Sha256::new_with_prefix(&contents)));
        records(&contents, &mut bytes, &mut classes)
            .map_err(|fault| Error::Malformed { path, fault })?;
    }
    Dataset::images("cifar10", bytes, SIZE, &classes, Pixels::normalised(&MEAN, &DEVIATION))
}

/// Appends the images and classes of a file's records, or says what is wrong with it.
fn records(
    contents: &[u8],
    bytes: &mut Vec<u8>,
    classes: &mut Vec<u8>,
) -> std::result::Result<(), String> {
    let (records, rest) = contents.as_chunks::<RECORD>();
    if records.is_empty() || !rest.is_empty() {
        return Err(format!(
            "{} bytes are no whole number of records of {RECORD}: the file is truncated or damaged, \
             get it again",
            contents.len()
        ));
    }
    if let Some(at) = records.iter().position(|record| record[0] > 9) {
        return Err(format!("image {at} has class {}: expected 0 to 9", records[at][0]));
    }
    classes.extend(records.iter().map(|record| record[0]));
    bytes.reserve(records.len() * SIZE.len());
    records.iter().for_each(|record| bytes.extend(&record[1..]));
    Ok(())
}

#[cfg(test)]
mod tests {
    use esgd_core::mangle::mangled;
    use proptest::prelude::*;

    use super::*;

    /// A folder whose files have `n` records, of classes 0, 1, …
    fn folder(n: u8) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let names = (1..=5).map(|i| format!("data_batch_{i}.bin"));
        for (k, name) in names.chain(["test_batch.bin".into()]).enumerate() {
            let record = |i: u8| {
                let mut record = vec![k as u8 * 40 + i; RECORD];
                record[0] = i;
                record
            };
            fs::write(dir.path().join(name), (0..n).flat_map(record).collect::<Vec<_>>()).unwrap();
        }
        dir
    }

    #[test]
    fn reads_the_records() {
        let dir = folder(4);
        let splits =
            cifar10(dir.path(), Sizes { validation: Some(3), ..Sizes::default() }).unwrap();
        assert_eq!((splits.train.len(), splits.validation.len(), splits.test.len()), (17, 3, 4));
        let (x, y) = splits.test.slice(1, 1).unwrap();
        assert_eq!(y.to_vec1::<u32>().unwrap(), [1]);
        assert_eq!(x.dims(), [1, 3, 32, 32]);
        let values = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (c, channel) in values.chunks_exact(1024).enumerate() {
            let expected = (201.0 / 255.0 - MEAN[c]) / DEVIATION[c];
            assert!(channel.iter().all(|x| *x == expected));
        }
    }

    #[test]
    fn malformed_files_are_refused_in_one_sentence() {
        for (contents, expected) in [
            (vec![], "0 bytes are no whole number"),
            (vec![0; RECORD - 1], "truncated"),
            (vec![0; RECORD + 1], "truncated"),
            ([vec![0; RECORD], vec![10; RECORD]].concat(), "image 1 has class 10: expected 0 to 9"),
        ] {
            let dir = folder(1);
            fs::write(dir.path().join("data_batch_3.bin"), contents).unwrap();
            let message = cifar10(dir.path(), Sizes::default()).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("data_batch_3"), "{message}");
        }
        let empty = tempfile::tempdir().unwrap();
        let message = cifar10(empty.path(), Sizes::default()).unwrap_err().to_string();
        assert!(message.contains("has no data_batch_1.bin"), "{message}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            n in 0usize..4,
            rest in prop::collection::vec(any::<u8>(), 0..40),
            class in any::<u8>(),
        ) {
            let mut contents = vec![class; n * RECORD];
            contents.extend(rest);
            let _ = records(&contents, &mut vec![], &mut vec![]);
        }

        #[test]
        fn no_damage_makes_it_panic(contents in mangled(&[1; 2 * RECORD])) {
            let (mut bytes, mut classes) = (vec![], vec![]);
            if records(&contents, &mut bytes, &mut classes).is_ok() {
                prop_assert_eq!(bytes.len(), classes.len() * SIZE.len());
            }
        }
    }
}
