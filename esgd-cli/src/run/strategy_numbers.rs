//! The numbers that a strategy remembers, one by one, as a log has them after each step.

use esgd_core::Numbers;

/// A list of more than these is no curve each: a covariance.
const FEW: usize = 16;

/// A number of a strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StrategyNumber<'a> {
    pub name: &'a str,
    /// Its place in the list of this name, from 0, if that has several.
    pub place: Option<usize>,
    pub value: f64,
}

impl StrategyNumber<'_> {
    /// `NAME`, or `NAME/PLACE`.
    pub(crate) fn label(&self) -> String {
        match self.place {
            Some(place) => format!("{}/{place}", self.name),
            None => self.name.into(),
        }
    }
}

/// All of them in order, but for long lists.
pub(crate) fn of(numbers: &Numbers) -> impl Iterator<Item = StrategyNumber<'_>> {
    let few = numbers.iter().filter(|(_, list)| list.len() <= FEW);
    few.flat_map(|(name, list)| {
        let of =
            move |(i, &value)| StrategyNumber { name, place: (list.len() > 1).then_some(i), value };
        list.iter().enumerate().map(of)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_numbers_have_their_name_and_long_lists_are_left_out() {
        let lists = [("steps", 1), ("few", 3), ("none", 0), ("most", FEW), ("many", FEW + 1)];
        let list = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
        let numbers: Numbers = lists.map(|(name, n)| (name.to_owned(), list(n))).into();
        let all: Vec<_> = of(&numbers).map(|one| (one.label(), one.value)).collect();
        assert_eq!(all.len(), 1 + 3 + FEW);
        assert_eq!(all[..2], [("few/0".to_owned(), 0.0), ("few/1".to_owned(), 1.0)]);
        assert_eq!(all[19], ("steps".to_owned(), 0.0));
    }
}
