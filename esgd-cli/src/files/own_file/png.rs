//! PNGs that say what they were made by: chunks of a length, a name, contents and a checksum.

use flate2::Crc;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The signature and the first chunk, which has the size of the picture.
const HEAD: usize = 8 + 25;
/// The name of a chunk of text, the keyword for programs, and this one.
const SOFTWARE: &[u8] = b"tEXtSoftware\0esgd";

/// A picture that says what it was made by.
pub(crate) fn marked(png: &[u8]) -> Vec<u8> {
    let (head, rest) = png.split_at(HEAD.min(png.len()));
    let mut crc = Crc::new();
    crc.update(SOFTWARE);
    let length = (SOFTWARE.len() as u32 - 4).to_be_bytes();
    [head, &length, SOFTWARE, &crc.sum().to_be_bytes(), rest].concat()
}

/// Whether it says so; or is as earlier versions made them, which said nothing: as wide as every
/// figure, with transparency, and without any chunk of another program.
pub(super) fn is_ours(head: &[u8]) -> bool {
    let (Some(size), Some(next)) = (head.get(8..HEAD), head.get(HEAD + 4..)) else { return false };
    let earlier = size.get(8..12) == Some(&1360u32.to_be_bytes()[..])
        && size.get(16..21) == Some(&[8, 6, 0, 0, 0][..])
        && next.starts_with(b"IDAT");
    head.starts_with(SIGNATURE) && (next.starts_with(SOFTWARE) || earlier)
}
