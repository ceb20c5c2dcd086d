//! The known name nearest to a mistyped one, by Levenshtein's distance:
//! the fewest insertions, deletions and substitutions that turn one into the other.

use crate::failure::Failure;

/// The failure for a name of some `kind` that is not among the `known` ones.
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> Failure {
    let guess = known.iter().min_by_key(|candidate| distance(name, candidate));
    let guess = guess.map(|guess| format!("; did you mean `{guess}`?")).unwrap_or_default();
    let known = known.join(", ");
    Failure::Usage(format!("there is no {kind} `{name}`, expected one of {known}{guess}"))
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_known_by_hand() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("tidy", "tidy"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn the_nearest_name_is_offered() {
        let failure = unknown("bench", "evolutoin", &["evolution", "generation"]);
        assert_eq!(
            failure.to_string(),
            "there is no bench `evolutoin`, expected one of evolution, generation; \
             did you mean `evolution`?"
        );
    }
}
