//! When a network was scored.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The generation and the epoch of it in which a network was scored; epoch 0 at birth. Later ones are greater.
///
/// Shown as `4.2`, and serialised as the pair of numbers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(from = "(usize, usize)", into = "(usize, usize)")]
pub struct At {
    /// The generation, 0 before the first.
    pub generation: usize,
    /// The epoch within it, from 1.
    pub epoch: usize,
}

impl At {
    /// Of one that was born in this generation.
    #[must_use]
    pub fn birth(generation: usize) -> Self {
        Self { generation, epoch: 0 }
    }
}

impl From<(usize, usize)> for At {
    fn from((generation, epoch): (usize, usize)) -> Self {
        Self { generation, epoch }
    }
}

impl From<At> for (usize, usize) {
    fn from(at: At) -> Self {
        (at.generation, at.epoch)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.generation, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_a_pair_and_shown_with_a_point() {
        let at = At { generation: 4, epoch: 2 };
        assert_eq!(
            (at.to_string(), serde_json::to_string(&at).unwrap()),
            ("4.2".into(), "[4,2]".into())
        );
        assert_eq!(serde_json::from_str::<At>("[4, 2]").unwrap(), at);
        assert!(at > At { generation: 3, epoch: 9 } && at > At::birth(4));
    }
}
