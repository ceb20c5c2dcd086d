//! Files that are no single safetensors file, known by their first bytes: what they are, and what to do.

use std::{
    io::{self, Read},
    path::Path,
};

use crate::regular_file::{self, Links};

/// How much of a file is looked at.
const HEAD: u64 = 4096;

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    regular_file::open(path, Links::Follow)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const PYTORCH: &str = "this is a PyTorch pickle, which can run programs when it is read: load it in Python \
    with torch.load(FILE, weights_only=True), and write its state_dict with safetensors.torch.save_file";

/// What a file that begins like this is, if it is something else than safetensors.
pub(super) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    let has = |what: &[u8]| {
        let head = &bytes[..bytes.len().min(HEAD as usize)];
        head.windows(what.len()).any(|window| window == what)
    };
    let text = bytes.trim_ascii_start();
    // The length of a header that no file exceeds, in 8 bytes, and the header.
    if matches!(bytes, [_, _, _, _, 0, 0, 0, 0, b'{', ..]) {
        return None;
    }
    if bytes.is_empty() {
        return Some("the file is empty: expected a safetensors file");
    }
    if begins(b"PK") {
        return Some(match (has(b"data.pkl"), has(b".npy")) {
            (true, _) => PYTORCH,
            (_, true) => {
                "this is a NumPy archive (.npz): load it in Python with numpy.load, and write its arrays \
                 under the network's names with safetensors.numpy.save_file"
            }
            _ => "this is a zip archive: expected a safetensors file, which may be in it",
        });
    }
    // A pickle of protocol 2 to 5, as older versions of PyTorch wrote.
    if matches!(bytes, [0x80, 2..=5, ..]) {
        return Some(PYTORCH);
    }
    if begins(b"\x93NUMPY") {
        return Some(
            "this is one NumPy array (.npy): write all arrays of the network under its names with \
             safetensors.numpy.save_file",
        );
    }
    if begins(b"GGUF") {
        return Some(
            "this is a GGUF file, whose tensors are named and often quantised for llama.cpp: export the \
             original network as safetensors",
        );
    }
    if begins(b"\x89HDF\r\n\x1a\n") {
        return Some(
            "this is an HDF5 file, as Keras writes: write its weights, transposed to PyTorch's order and \
             under the network's names, with safetensors.numpy.save_file",
        );
    }
    // Protocol buffers: the version of the format, and then the producer's name, version or domain, or a graph.
    if matches!(bytes, [0x08, 1..=0x7f, 0x12 | 0x1a | 0x22 | 0x3a | 0x42, ..]) {
        return Some(
            "this is an ONNX model: save the state_dict of the network that it was exported from with \
             safetensors.torch.save_file",
        );
    }
    if begins(b"\x1f\x8b") {
        return Some("this is a gzip file: unpack it first");
    }
    if begins(b"version https://git-lfs") {
        return Some(
            "this is Git LFS's pointer to the file: get the file itself with `git lfs pull`",
        );
    }
    if text.starts_with(b"{") && has(b"\"weight_map\"") {
        return Some(
            "this is the index of a network that is sharded over several files: load it in Python and write \
             its state_dict as one file with safetensors.torch.save_file",
        );
    }
    if text.starts_with(b"{") {
        return Some("this is a JSON file: expected the safetensors file that belongs to it");
    }
    if text.starts_with(b"<") {
        return Some("this is a web page or XML: expected a safetensors file; download it again");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_named() {
        let mut zip = b"PK\x03\x04\0\0\x08\x08\0\0".to_vec();
        zip.extend(b"archive/data.pklFB");
        let mut npz = b"PK\x03\x04\x2d\0\0\0".to_vec();
        npz.extend(b"fc1.weight.npy\x01\0\x14\0");
        let index = br#"{"metadata": {"total_size": 8}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}"#;
        // As torch 1.5 and torch.onnx begin their files.
        let legacy = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";
        let onnx = b"\x08\x08\x12\x07pytorch\x1a\x052.1.0";
        for (bytes, expected) in [
            (&zip[..], "PyTorch pickle"),
            (legacy, "PyTorch pickle"),
            (&npz, "NumPy archive"),
            (b"PK\x05\x06", "zip archive"),
            (b"\x93NUMPY\x01\0v\0", "NumPy array"),
            (b"GGUF\x03\0\0\0", "GGUF"),
            (b"\x89HDF\r\n\x1a\n", "HDF5"),
            (onnx, "ONNX"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
            (index, "sharded"),
            (b"{}", "JSON"),
            (b"\n<!DOCTYPE html>", "web page"),
            (b"", "empty"),
        ] {
            let found = foreign(bytes).unwrap_or_default();
            assert!(found.contains(expected), "{expected}: {found}");
        }
        for length in [0x8002_u64, 0x0280, 0x4b50, 0x0012_0108, 0x007b] {
            let file = [&length.to_le_bytes()[..], b"{\"a\":{}}"].concat();
            assert_eq!(foreign(&file), None, "{length:x}");
        }
    }
}
