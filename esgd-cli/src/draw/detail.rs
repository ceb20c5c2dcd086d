//! How much of long runs a page shows: less of each the more there are, so that it opens at once.

/// The largest page, in bytes, that shows more than the least.
pub(crate) const LIMIT: usize = 1_900_000;
/// The largest page that is written at all.
pub(crate) const LARGEST: usize = 3_000_000;

/// How much is shown of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Detail {
    /// Points of a line; more than the first level's cannot be told apart.
    pub points: usize,
    /// Marks of a scatter.
    pub marks: usize,
    /// Rows of a table of values.
    pub rows: usize,
    /// Steps of a lineage, the latest.
    pub steps: usize,
    /// Columns of a heat map.
    pub columns: usize,
}

/// From the most to the least.
pub(crate) const LEVELS: [Detail; 6] = [
    Detail { points: 200, marks: 3000, rows: 40, steps: 60, columns: 100 },
    Detail { points: 120, marks: 1500, rows: 24, steps: 30, columns: 60 },
    Detail { points: 70, marks: 700, rows: 16, steps: 16, columns: 40 },
    Detail { points: 40, marks: 300, rows: 10, steps: 8, columns: 24 },
    Detail { points: 20, marks: 120, rows: 6, steps: 5, columns: 14 },
    Detail { points: 10, marks: 50, rows: 4, steps: 3, columns: 8 },
];

/// Every so many of them, the first and the last among them.
pub(crate) fn thinned<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    match all.len() {
        n if n <= most => all.to_vec(),
        n => (0..most).map(|i| all[i * (n - 1) / (most - 1)].clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_keeps_its_ends() {
        let all: Vec<usize> = (0..10_001).collect();
        let some = thinned(&all, 400);
        assert_eq!((some.len(), some[0], some[399]), (400, 0, 10_000));
        assert!(some.is_sorted());
    }

    #[test]
    fn each_level_shows_less() {
        for pair in LEVELS.windows(2) {
            assert!(pair[1].points < pair[0].points && pair[1].steps < pair[0].steps);
            assert!(pair[1].rows >= 2 && pair[1].columns >= 2, "the first and the last are shown");
        }
    }
}
