//! The name that somebody meant.

/// The name most like `typed`, if any is like it at all: at least half of the letters agree after
/// the fewest insertions, deletions, substitutions and swaps (Damerau and Levenshtein).
///
/// ```
/// use esgd_models::names::nearest;
///
/// assert_eq!(nearest("sdg", ["adam", "sgd"].into_iter()), Some("sgd"));
/// assert_eq!(nearest("xyz", ["adam", "sgd"].into_iter()), None);
/// ```
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::normalized_damerau_levenshtein(typed, name), name))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
