//! Damaged input, to test whatever reads files: bytes that are nearly right find more than random ones.

use proptest::prelude::*;

/// An edit: what to do, where, and with what.
type Edit = (u8, u32, u8);

/// `valid` with up to eight bytes or stretches changed, cut, doubled or put in.
///
/// ```
/// use esgd_core::laws::corrupted;
/// use proptest::{prelude::*, test_runner::TestRunner};
///
/// let count = |bytes: Vec<u8>| bytes.iter().filter(|b| **b == b'[').count();
/// TestRunner::default().run(&corrupted(b"[1, 2]"), |bytes| {
///     prop_assert!(count(bytes) < 1000);
///     Ok(())
/// })?;
/// # Ok::<(), proptest::test_runner::TestError<Vec<u8>>>(())
/// ```
pub fn corrupted(valid: &[u8]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let valid = valid.to_vec();
    let edits = prop::collection::vec((0u8..7, any::<u32>(), any::<u8>()), 0..8);
    edits.prop_map(move |edits: Vec<Edit>| edits.into_iter().fold(valid.clone(), corrupt))
}

fn corrupt(mut bytes: Vec<u8>, (how, at, with): Edit) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![with];
    }
    let at = at as usize % bytes.len();
    let end = (at + 1 + usize::from(with)).min(bytes.len());
    match how {
        0 => bytes[at] ^= 1 << (with % 8),
        1 => bytes[at] = with,
        2 => bytes.insert(at, with),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.truncate(at),
        5 => {
            let stretch = bytes[at..end].to_vec();
            bytes.splice(at..at, stretch);
        }
        // Another digit keeps numbers numbers.
        _ => {
            let digit = bytes[at..].iter().position(u8::is_ascii_digit);
            if let Some(digit) = digit {
                bytes[at + digit] = b'0' + with % 10;
            }
        }
    }
    bytes
}
