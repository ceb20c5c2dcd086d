//! Bytes of data files: of regular files alone, decompressed if they are gzip, and no more of them than is
//! asked for.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    regular_file::{self, Links},
};

/// The most that deflate makes of a byte, about.
const DEFLATE: u64 = 1040;

/// What is left to read of a file.
pub(super) struct Contents<'a> {
    path: &'a Path,
    from: Source,
    /// Of the file as it is.
    length: u64,
    hash: Sha256,
}

enum Source {
    Plain(BufReader<File>),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

impl<'a> Contents<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self> {
        let unreadable = |source| Error::Read { path: path.into(), source };
        let file = regular_file::open(path, Links::Follow).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut file = BufReader::new(file);
        let is_gzip = file.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        let from = match is_gzip {
            true => Source::Gzip(Box::new(MultiGzDecoder::new(file))),
            false => Source::Plain(file),
        };
        Ok(Self { path, from, length, hash: Sha256::new() })
    }

    /// The next `n` bytes, or all that are left if there are fewer.
    pub(super) fn next(&mut self, n: u64) -> Result<Vec<u8>> {
        let possible = match self.from {
            Source::Plain(_) => self.length,
            Source::Gzip(_) => self.length.saturating_mul(DEFLATE),
        };
        let mut bytes = vec![];
        let room = usize::try_from(n.min(possible)).unwrap_or(usize::MAX);
        if bytes.try_reserve_exact(room).is_err() {
            return Err(self.fault(format!("there is no memory for its {room} bytes")));
        }
        match self.reader().take(n).read_to_end(&mut bytes) {
            Ok(_) => {
                self.hash.update(&bytes);
                Ok(bytes)
            }
            Err(e) => Err(self.unreadable(e)),
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&mut self) -> Result<bool> {
        let read = self.reader().take(1).read_to_end(&mut vec![]);
        read.map(|n| n == 0).map_err(|e| self.unreadable(e))
    }

    /// The SHA-256 of what has been read.
    pub(super) fn sha256(self) -> Sha256 {
        self.hash
    }

    pub(super) fn fault(&self, fault: String) -> Error {
        Error::Malformed { path: self.path.into(), fault }
    }

    fn reader(&mut self) -> &mut dyn Read {
        match &mut self.from {
            Source::Plain(file) => file,
            Source::Gzip(file) => file,
        }
    }

    fn unreadable(&self, e: io::Error) -> Error {
        use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match (&self.from, e.kind()) {
            (Source::Gzip(_), InvalidData | InvalidInput | UnexpectedEof) => self.fault(format!(
                "its gzip data are damaged, end too early or have something else behind them ({e}): \
                 download the file again"
            )),
            _ => Error::Read { path: self.path.into(), source: e },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(contents: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(vec![], Compression::best());
        packed.write_all(contents).unwrap();
        packed.finish().unwrap()
    }

    /// Up to `n` bytes of a file of `contents`, and whether it ends with them.
    fn read(contents: &[u8], n: u64) -> Result<(Vec<u8>, bool)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, contents).unwrap();
        let mut file = Contents::open(&path)?;
        let bytes = file.next(n)?;
        Ok((bytes, file.is_at_end()?))
    }

    #[test]
    fn files_are_read_packed_or_not_and_in_members() {
        let members = [gzip(b"ab"), gzip(b""), gzip(b"cd")].concat();
        for contents in [b"abcd".to_vec(), gzip(b"abcd"), members] {
            assert_eq!(read(&contents, 4).unwrap(), (b"abcd".to_vec(), true));
            assert_eq!(read(&contents, 9).unwrap(), (b"abcd".to_vec(), true));
            assert_eq!(read(&contents, 3).unwrap(), (b"abc".to_vec(), false));
        }
        assert_eq!(read(b"", 4).unwrap(), (vec![], true));
    }

    #[test]
    fn no_more_is_unpacked_than_is_asked_for() {
        let bomb = gzip(&vec![0; 100_000_000]);
        let (bytes, ends) = read(&bomb, 8).unwrap();
        assert_eq!((bytes.len(), bytes.capacity(), ends), (8, 8, false));
        // A promise of more than can be there reserves no room for it.
        assert!(read(&gzip(b"abcd"), u64::MAX).unwrap().0.capacity() < 100_000);
        assert!(read(b"abcd", u64::MAX).unwrap().0.capacity() < 100);
    }

    #[test]
    fn what_is_no_gzip_is_one_sentence() {
        let whole = gzip(b"abcd");
        let mut damaged = whole.clone();
        let crc = damaged.len() - 6;
        damaged[crc] ^= 1;
        for contents in [
            whole[..whole.len() - 3].to_vec(),
            [&whole[..], b"garbage"].concat(),
            [&whole[..], b"garbage garbage"].concat(),
            damaged,
            vec![0x1f, 0x8b, 8, 0],
        ] {
            let message = read(&contents, 4).unwrap_err().to_string();
            assert!(message.contains("its gzip data are damaged"), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
