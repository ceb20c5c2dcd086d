//! What to say of a name that is not known: which ones are, and which of them was meant.

use crate::failure::Failure;

/// The failure for a name of some `kind` that is not among the `known` ones.
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> Failure {
    let guess = nearest(name, known).map(|guess| format!("; did you mean `{guess}`?"));
    let (known, guess) = (known.join(", "), guess.unwrap_or_default());
    Failure::Usage(format!("there is no {kind} `{name}`, expected one of {known}{guess}"))
}

/// The name most like `typed`, if at least half of the letters agree.
fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &&str| strsim::normalized_damerau_levenshtein(typed, name);
    let likely = known.iter().copied().filter(|name| likeness(name) >= 0.5);
    likely.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let failure = unknown("bench", "evolutoin", &["evolution", "generation"]);
        assert_eq!(
            failure.to_string(),
            "there is no bench `evolutoin`, expected one of evolution, generation; \
             did you mean `evolution`?"
        );
    }

    #[test]
    fn a_name_like_none_of_them_gets_no_guess() {
        let failure = unknown("bench", "xyz", &["evolution", "generation"]);
        assert_eq!(
            failure.to_string(),
            "there is no bench `xyz`, expected one of evolution, generation"
        );
    }
}
