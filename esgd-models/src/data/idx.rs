//! MNIST, Fashion-MNIST and all that is written as they are: files in IDX form, gzipped or not.
//!
//! IDX, from <http://yann.lecun.com/exdb/mnist/>: a big-endian u32 magic number (two zero bytes,
//! the type 8 for unsigned bytes, the number of dimensions), one u32 a dimension, then the bytes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Dataset, Holds, Sizes, SourceFile, Splits,
    contents::Contents,
    others::{self, Form},
    pixels::Pixels,
};
use crate::{Error, Result, networks::Size};

/// Where torchvision puts the files of its data sets, in the folder that it is told.
const FOLDERS: [&str; 4] = ["raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw"];

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and, if there is a test set, the two `t10k-`
/// files, with or without `.gz`, with a hyphen or a dot before `idx`, from `dir` or from where torchvision
/// puts them in it. x is (n, 1, rows, columns) from 0 to 1, classes are 0 to 255. Validation is drawn from
/// the training file, by a shuffle that is always the same; test is the test file.
///
/// # Errors
/// If a file is missing, truncated or no IDX file, if labels do not match the images, if two forms of a
/// file differ, or if there are fewer samples than asked for.
pub fn idx(dir: &Path, sizes: Sizes) -> Result<Splits> {
    let dir = &folder(dir)?;
    let mut files = vec![];
    let train = pair(dir, "train", Holds::Training, &mut files)?;
    let train = train.ok_or_else(|| {
        others::instead(dir, Form::Idx).unwrap_or_else(|| {
            Error::Data(format!(
                "{} has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz: name the folder that \
                 holds the IDX files of a data set, such as `esgd data mnist --dir DIR` makes",
                dir.display()
            ))
        })
    })?;
    let Some(test) = pair(dir, "t10k", Holds::Test, &mut files)? else {
        return Splits::of(&train, &train.part("", &[])?, files, sizes);
    };
    if train.size() != test.size() {
        let shape = |data: &Dataset| format!("{} x {}", data.size().height, data.size().width);
        return Err(Error::Data(format!(
            "{}: training images have {} pixels and test images {}: expected the same",
            dir.display(),
            shape(&train),
            shape(&test)
        )));
    }
    Splits::of(&train, &test, files, sizes)
}

/// Whether a folder has the training images, or part of them.
pub(super) fn is_there(dir: &Path) -> bool {
    let has = |dir: &Path| ["train", "t10k"].iter().any(|part| !images(dir, part).is_empty());
    has(dir) || FOLDERS.iter().any(|inner| has(&dir.join(inner)))
}

/// The folder that has the files: this one, or where torchvision puts them in it.
fn folder(dir: &Path) -> Result<PathBuf> {
    others::check_folder(dir)?;
    if !images(dir, "train").is_empty() {
        return Ok(dir.into());
    }
    let inner = FOLDERS.iter().filter(|inner| !images(&dir.join(inner), "train").is_empty());
    match inner.collect::<Vec<_>>()[..] {
        [] => Ok(dir.into()),
        [inner] => Ok(dir.join(inner)),
        [a, b, ..] => Err(Error::Data(format!(
            "{} has {a} and {b}: name the one that is wanted",
            dir.display()
        ))),
    }
}

fn images(dir: &Path, part: &str) -> Vec<PathBuf> {
    forms(dir, &format!("{part}-images"), 3)
}

/// The forms of a file that are there, the usual one first.
fn forms(dir: &Path, name: &str, rank: usize) -> Vec<PathBuf> {
    let names = ['-', '.'].map(|dot| format!("{name}{dot}idx{rank}-ubyte"));
    let forms = names.iter().flat_map(|name| [dir.join(name), dir.join(format!("{name}.gz"))]);
    // Whatever it is: what cannot be read shall be told.
    let (mut files, other): (Vec<_>, Vec<_>) =
        forms.filter(|path| fs::symlink_metadata(path).is_ok()).partition(|path| path.is_file());
    if files.is_empty() {
        files = other;
    }
    files
}

/// The images of a part with their labels, or nothing if there are none.
fn pair(
    dir: &Path,
    part: &str,
    holds: Holds,
    files: &mut Vec<SourceFile>,
) -> Result<Option<Dataset>> {
    let mut only = |name: &str, rank: usize| one_of(&forms(dir, name, rank), rank, holds, files);
    let (pictures, named) = (format!("{part}-images"), format!("{part}-labels"));
    let (images, labels) = match (only(&pictures, 3)?, only(&named, 1)?) {
        (Some(images), Some(labels)) => (images, labels),
        (None, None) => return Ok(None),
        (images, _) => {
            let (has, lacks) = match images {
                Some(_) => (format!("{pictures}-idx3-ubyte"), format!("{named}-idx1-ubyte")),
                None => (format!("{named}-idx1-ubyte"), format!("{pictures}-idx3-ubyte")),
            };
            return Err(Error::Data(format!(
                "{} has {has} and no {lacks} or {lacks}.gz: images and labels belong together, get the \
                 missing one",
                dir.display()
            )));
        }
    };
    let n = images.dims[0];
    if labels.dims[0] != n {
        return Err(Error::Malformed {
            path: labels.path,
            fault: format!("{} labels for {n} images: expected as many", labels.dims[0]),
        });
    }
    let size = Size::image(1, images.dims[1], images.dims[2]);
    Dataset::images("idx", images.bytes, size, &labels.bytes, Pixels::plain(1)).map(Some)
}

/// Reads a file of which there may be several forms, if they are the same.
fn one_of(
    paths: &[PathBuf],
    rank: usize,
    holds: Holds,
    files: &mut Vec<SourceFile>,
) -> Result<Option<Idx>> {
    let mut found: Option<(Idx, SourceFile)> = None;
    for path in paths {
        let (idx, file) = read(path, rank, holds)?;
        match &found {
            None => found = Some((idx, file)),
            Some((_, first)) if first.sha256 == file.sha256 => {}
            Some((_, first)) => {
                return Err(Error::Malformed {
                    path: path.clone(),
                    fault: format!(
                        "{} beside it has other contents: remove the one that is not wanted",
                        first.name
                    ),
                });
            }
        }
    }
    Ok(found.map(|(idx, file)| {
        files.push(file);
        idx
    }))
}

/// An IDX file of unsigned bytes.
struct Idx {
    path: PathBuf,
    dims: Vec<usize>,
    bytes: Vec<u8>,
}

fn read(path: &Path, rank: usize, holds: Holds) -> Result<(Idx, SourceFile)> {
    let mut file = Contents::open(path)?;
    let header = file.next(4 * (rank as u64 + 1))?;
    let (dims, size) = parse(&header, rank).map_err(|fault| file.fault(fault))?;
    let bytes = file.next(size)?;
    let amount = match bytes.len() as u64 == size {
        true if file.is_at_end()? => None,
        true => Some("more"),
        false => Some("fewer"),
    };
    if let Some(amount) = amount {
        let dims: Vec<_> = dims.iter().map(ToString::to_string).collect();
        return Err(file.fault(format!(
            "{amount} than the {size} bytes of {} follow its header: the file is damaged, download it again",
            dims.join(" x ")
        )));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = SourceFile::new(&name, holds, file.sha256());
    Ok((Idx { path: path.into(), dims, bytes }, source))
}

/// The dimensions of an IDX file of `rank` dimensions and the bytes that follow, or what is wrong with it.
fn parse(header: &[u8], rank: usize) -> std::result::Result<(Vec<usize>, u64), String> {
    let mut words = header.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word));
    let expected = 0x0800 + rank as u32;
    let magic = words.next().ok_or("the file is empty: expected an IDX file")?;
    if magic != expected {
        return Err(format!(
            "the magic number is {magic}: expected {expected}, an IDX file of unsigned bytes in {rank} \
             dimension{}",
            if rank == 1 { "" } else { "s" }
        ));
    }
    let dims: Vec<usize> = words.take(rank).map(|d| d as usize).collect();
    if dims.len() < rank {
        return Err("the header is cut off: download the file again".into());
    }
    let size = dims.iter().try_fold(1u64, |size, &d| size.checked_mul(d as u64));
    match size {
        Some(0) => Err(format!("the file holds {dims:?} values: expected at least one")),
        Some(size) => Ok((dims, size)),
        None => Err(format!("the header promises {dims:?} values, more than there can be")),
    }
}

#[cfg(test)]
mod tests;
