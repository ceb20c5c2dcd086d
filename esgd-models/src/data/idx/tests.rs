//! Folders of IDX files as people have them, and as nobody should.

use std::{fs, io::Write};

use esgd_core::laws::corrupted;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

fn file(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = (0x0800 + dims.len() as u32).to_be_bytes().to_vec();
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(body);
    bytes
}

fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(contents).unwrap();
    packed.finish().unwrap()
}

fn images() -> Vec<u8> {
    file(&[3, 2, 2], &[0, 51, 102, 255, 0, 0, 0, 0, 1, 2, 3, 4])
}

fn folder(train_labels: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte.gz", gzip(&images())),
        ("train-labels-idx1-ubyte", train_labels.to_vec()),
        ("t10k-images-idx3-ubyte", images()),
        ("t10k-labels-idx1-ubyte", file(&[3], &[7, 8, 9])),
    ] {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn good() -> tempfile::TempDir {
    folder(&file(&[3], &[0, 1, 2]))
}

fn lengths(dir: &Path) -> (usize, usize, usize) {
    let splits = idx(dir, Sizes { validation: Some(1), ..Sizes::default() }).unwrap();
    (splits.train.len(), splits.validation.len(), splits.test.len())
}

fn refusal(dir: &Path) -> String {
    let message = idx(dir, Sizes::default()).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn reads_files_packed_or_not() {
    let dir = good();
    assert_eq!(lengths(dir.path()), (2, 1, 3));
    let splits = idx(dir.path(), Sizes::default()).unwrap();
    let (x, y) = splits.test.slice(0, 1).unwrap();
    assert_eq!(x.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.0, 0.2, 0.4, 1.0]);
    assert_eq!(y.to_vec1::<u32>().unwrap(), [7]);
}

#[test]
fn any_number_of_classes_is_read() {
    let dir = folder(&file(&[3], &[0, 255, 1]));
    let splits = idx(dir.path(), Sizes::default()).unwrap();
    assert_eq!(splits.train.classes().unwrap(), 256);
}

#[test]
fn data_may_have_no_test_set() {
    let dir = good();
    fs::remove_file(dir.path().join("t10k-images-idx3-ubyte")).unwrap();
    let message = refusal(dir.path());
    assert!(
        message.contains("has t10k-labels-idx1-ubyte and no t10k-images-idx3-ubyte"),
        "{message}"
    );
    fs::remove_file(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
    assert_eq!(lengths(dir.path()), (2, 1, 0));
    let splits = idx(dir.path(), Sizes::default()).unwrap();
    assert_eq!((splits.test.size(), splits.test.classes().unwrap()), (splits.train.size(), 0));
    splits.fingerprint().unwrap();
}

#[test]
fn files_are_found_under_their_other_names() {
    let dir = good();
    let before = idx(dir.path(), Sizes::default()).unwrap().fingerprint().unwrap();
    let rename = |from: &str, to: &str| {
        fs::rename(dir.path().join(from), dir.path().join(to)).unwrap();
    };
    rename("train-images-idx3-ubyte.gz", "train-images.idx3-ubyte.gz");
    rename("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte");
    // As some archives have it: a folder of the file's usual name.
    fs::create_dir(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
    assert_eq!(lengths(dir.path()), (2, 1, 3));
    let after = idx(dir.path(), Sizes::default()).unwrap().fingerprint().unwrap();
    assert_eq!(before.difference(&after), None);
    assert_eq!(before.train, after.train);
}

#[test]
fn files_are_found_where_torchvision_puts_them() {
    let root = tempfile::tempdir().unwrap();
    let put = |inner: &str| {
        fs::create_dir_all(root.path().join(inner).parent().unwrap()).unwrap();
        fs::rename(good().keep(), root.path().join(inner)).unwrap();
    };
    put("FashionMNIST/raw");
    assert_eq!(lengths(root.path()), (2, 1, 3));
    put("MNIST/raw");
    let message = refusal(root.path());
    assert!(message.contains("has MNIST/raw and FashionMNIST/raw: name the one"), "{message}");
    for inner in ["MNIST/raw", "MNIST"] {
        assert_eq!(lengths(&root.path().join(inner)), (2, 1, 3));
    }
}

#[test]
fn two_forms_of_a_file_must_be_the_same() {
    let dir = good();
    fs::write(dir.path().join("train-images-idx3-ubyte"), images()).unwrap();
    assert_eq!(lengths(dir.path()), (2, 1, 3));
    let other = file(&[3, 2, 2], &[9; 12]);
    fs::write(dir.path().join("train-images-idx3-ubyte"), other).unwrap();
    let message = refusal(dir.path());
    assert!(message.contains("train-images-idx3-ubyte beside it has other contents"), "{message}");
}

#[test]
fn malformed_files_are_refused_in_one_sentence() {
    for (labels, expected) in [
        (vec![], "empty"),
        (file(&[3, 1, 1], &[0; 3]), "magic number is 2051: expected 2049"),
        (file(&[3], &[0; 2]), "fewer than the 3 bytes of 3"),
        (file(&[3], &[0; 4]), "more than the 3 bytes of 3"),
        (gzip(&file(&[3], &[0; 4])), "more than the 3 bytes of 3"),
        (file(&[2], &[0; 2]), "2 labels for 3 images"),
        (file(&[0], &[]), "at least one"),
        (file(&[u32::MAX], &[0; 9]), "fewer than the 4294967295 bytes"),
        (vec![0, 0, 8, 1, 0], "cut off"),
        (vec![0x1f, 0x8b, 8, 0], "its gzip data are damaged"),
        ([&gzip(&file(&[3], &[0; 3]))[..], b"garbage"].concat(), "something else behind"),
    ] {
        let message = refusal(folder(&labels).path());
        assert!(message.contains(expected) && message.contains("train-labels"), "{message}");
    }
    let sizes = [file(&[u32::MAX; 3], &[0; 9]), file(&[3, 4, 1], &[0; 12])];
    for (images, expected) in sizes.into_iter().zip(["more than there can be", "4 x 1 pixels"]) {
        let dir = good();
        fs::write(dir.path().join("train-images-idx3-ubyte.gz"), images).unwrap();
        let message = refusal(dir.path());
        assert!(message.contains(expected), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_in_one_sentence() {
    use std::{os::unix::fs::symlink, process::Command};

    let name = "t10k-labels-idx1-ubyte";
    let with = |make: &dyn Fn(&Path)| {
        let dir = good();
        fs::remove_file(dir.path().join(name)).unwrap();
        make(&dir.path().join(name));
        refusal(dir.path())
    };
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    for (message, expected) in [
        (with(&pipe), "it is a pipe"),
        (with(&|path| symlink("/dev/zero", path).unwrap()), "it is a device"),
        (with(&|path| symlink("nowhere", path).unwrap()), "No such file"),
        (with(&|path| fs::create_dir(path).unwrap()), "it is a folder"),
    ] {
        assert!(message.contains(expected) && message.contains(name), "{message}");
    }
    // A link to a file is somebody's way to save room.
    let dir = good();
    let away = dir.path().join("away");
    fs::rename(dir.path().join(name), &away).unwrap();
    symlink(away, dir.path().join(name)).unwrap();
    assert_eq!(lengths(dir.path()), (2, 1, 3));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), rank in 1usize..4) {
        let _ = parse(&bytes, rank);
        let _ = parse(&[&[0, 0, 8, rank as u8], &bytes[..]].concat(), rank);
    }

    #[test]
    fn no_damage_makes_it_panic(packed in any::<bool>(), bytes in corrupted(&file(&[3, 2, 2], &[7; 12]))) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, if packed { gzip(&bytes) } else { bytes }).unwrap();
        if let Ok((idx, _)) = read(&path, 3, Holds::Test) {
            prop_assert_eq!(idx.dims.iter().product::<usize>(), idx.bytes.len());
        }
    }
}
