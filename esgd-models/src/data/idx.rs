//! MNIST and Fashion-MNIST as their authors publish them: four files in IDX form, gzipped or not.
//!
//! IDX, from <http://yann.lecun.com/exdb/mnist/>: a big-endian u32 magic number (two zero bytes,
//! the type 8 for unsigned bytes, the number of dimensions), one u32 a dimension, then the bytes.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use super::{Dataset, Holds, Sizes, SourceFile, Splits, pixels::Pixels};
use crate::{Error, Result, networks::Size};

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the two `t10k-` files, with or
/// without `.gz`, from `dir`. x is (n, 1, rows, columns) from 0 to 1. Validation is drawn from the training
/// file, by a shuffle that is always the same; test is the test file.
///
/// # Errors
/// If a file is missing, truncated or no IDX file, if labels are out of range or do not match the
/// images, or if there are fewer samples than asked for.
pub fn idx(dir: &Path, sizes: Sizes) -> Result<Splits> {
    let mut files = vec![];
    let train = pair(dir, "train", Holds::Training, &mut files)?;
    let test = pair(dir, "t10k", Holds::Test, &mut files)?;
    if train.size() != test.size() {
        return Err(Error::Data(format!(
            "{}: training images have {} pixels and test images {}: expected the same",
            dir.display(),
            train.features(),
            test.features()
        )));
    }
    Splits::of(&train, &test, files, sizes)
}

fn pair(dir: &Path, part: &str, holds: Holds, files: &mut Vec<SourceFile>) -> Result<Dataset> {
    let images = read(&find(dir, &format!("{part}-images-idx3-ubyte"))?, 3, holds, files)?;
    let labels = read(&find(dir, &format!("{part}-labels-idx1-ubyte"))?, 1, holds, files)?;
    let n = images.dims[0];
    if labels.dims[0] != n {
        return Err(
            labels.fault(format!("{} labels for {n} images: expected as many", labels.dims[0]))
        );
    }
    if let Some(at) = labels.bytes.iter().position(|&label| label > 9) {
        let label = labels.bytes[at];
        return Err(labels.fault(format!("label {at} is {label}: expected 0 to 9")));
    }
    let size = Size::image(1, images.dims[1], images.dims[2]);
    Dataset::images("idx", images.bytes, size, &labels.bytes, Pixels::plain(1))
}

fn find(dir: &Path, name: &str) -> Result<PathBuf> {
    let candidates = [dir.join(format!("{name}.gz")), dir.join(name)];
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Error::Data(format!(
            "{} has no {name} or {name}.gz: name the folder that holds the four IDX files",
            dir.display()
        ))
    })
}

/// An IDX file of unsigned bytes.
struct Idx {
    path: PathBuf,
    dims: Vec<usize>,
    bytes: Vec<u8>,
}

impl Idx {
    fn fault(&self, fault: String) -> Error {
        Error::Malformed { path: self.path.clone(), fault }
    }
}

fn read(path: &Path, rank: usize, holds: Holds, files: &mut Vec<SourceFile>) -> Result<Idx> {
    let unreadable = |source| Error::Read { path: path.into(), source };
    let mut contents = fs::read(path).map_err(unreadable)?;
    if contents.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        GzDecoder::new(&contents[..]).read_to_end(&mut plain).map_err(unreadable)?;
        contents = plain;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    files.push(SourceFile::new(&name, holds, Sha256::new_with_prefix(&contents)));
    parse(&contents, rank)
        .map(|(dims, bytes)| Idx { path: path.into(), dims, bytes: bytes.to_vec() })
        .map_err(|fault| Error::Malformed { path: path.into(), fault })
}

/// The dimensions and bytes of an IDX file of `rank` dimensions, or what is wrong with it.
fn parse(contents: &[u8], rank: usize) -> std::result::Result<(Vec<usize>, &[u8]), String> {
    let mut words = contents.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word));
    let expected = 0x0800 + rank as u32;
    let magic = words.next().ok_or("the file is empty: expected an IDX file")?;
    if magic != expected {
        return Err(format!(
            "the magic number is {magic}: expected {expected}, an IDX file of {rank} dimensions"
        ));
    }
    let dims: Vec<usize> = words.take(rank).map(|d| d as usize).collect();
    let body = contents.get(4 * (rank + 1)..).unwrap_or_default();
    let size = dims.iter().try_fold(1usize, |size, &d| size.checked_mul(d));
    match size {
        _ if dims.len() < rank => Err("the header is cut off: download the file again".into()),
        Some(0) => Err(format!("the file holds {dims:?} values: expected at least one")),
        Some(size) if size == body.len() => Ok((dims, body)),
        _ => Err(format!(
            "{} bytes follow the header of {dims:?}: the file is truncated or damaged, download it again",
            body.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use esgd_core::mangle::mangled;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn file(dims: &[u32], body: &[u8]) -> Vec<u8> {
        let mut bytes = (0x0800 + dims.len() as u32).to_be_bytes().to_vec();
        dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
        bytes.extend(body);
        bytes
    }

    fn folder(train_labels: &[u8]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let images = file(&[3, 2, 2], &[0, 51, 102, 255, 0, 0, 0, 0, 1, 2, 3, 4]);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&images).unwrap();
        let files = [
            ("train-images-idx3-ubyte.gz", packed.finish().unwrap()),
            ("train-labels-idx1-ubyte", train_labels.to_vec()),
            ("t10k-images-idx3-ubyte", images),
            ("t10k-labels-idx1-ubyte", file(&[3], &[7, 8, 9])),
        ];
        for (name, bytes) in files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        dir
    }

    #[test]
    fn reads_files_packed_or_not() {
        let dir = folder(&file(&[3], &[0, 1, 2]));
        let splits = idx(dir.path(), Sizes { validation: Some(1), ..Sizes::default() }).unwrap();
        assert_eq!((splits.train.len(), splits.validation.len(), splits.test.len()), (2, 1, 3));
        let (x, y) = splits.test.slice(0, 1).unwrap();
        assert_eq!(x.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.0, 0.2, 0.4, 1.0]);
        assert_eq!(y.to_vec1::<u32>().unwrap(), [7]);
    }

    #[test]
    fn malformed_files_are_refused_in_one_sentence() {
        for (labels, expected) in [
            (vec![], "empty"),
            (file(&[3, 1, 1], &[0; 3]), "magic number is 2051: expected 2049"),
            (file(&[3], &[0; 2]), "truncated"),
            (file(&[3], &[0, 10, 1]), "label 1 is 10: expected 0 to 9"),
            (file(&[2], &[0; 2]), "2 labels for 3 images"),
            (file(&[0], &[]), "at least one"),
            (vec![0, 0, 8, 1, 0], "cut off"),
            (vec![0x1f, 0x8b, 8, 0], "cannot read"),
        ] {
            let dir = folder(&labels);
            let message = idx(dir.path(), Sizes::default()).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("train-labels"), "{message}");
        }
        let empty = tempfile::tempdir().unwrap();
        let message = idx(empty.path(), Sizes::default()).unwrap_err().to_string();
        assert!(message.contains("has no train-images-idx3-ubyte"), "{message}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), rank in 1usize..4) {
            let _ = parse(&bytes, rank);
            let _ = parse(&[&[0, 0, 8, rank as u8], &bytes[..]].concat(), rank);
        }

        #[test]
        fn no_damage_makes_it_panic(bytes in mangled(&file(&[3, 2, 2], &[7; 12]))) {
            if let Ok((dims, body)) = parse(&bytes, 3) {
                prop_assert_eq!(dims.iter().product::<usize>(), body.len());
            }
        }
    }
}
