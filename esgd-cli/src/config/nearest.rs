//! The name that was meant, of one that does not exist.

use esgd_models::names;

/// `", did you mean …"` with the name most like what was typed, or nothing.
pub(crate) fn did_you_mean<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> String {
    names::nearest(typed, names)
        .map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}
