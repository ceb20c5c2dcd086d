//! What wrappers put before every name: `module.` (data-parallel), `_orig_mod.` (compiled), `model.`.

use std::collections::BTreeSet;

/// The shortest beginning, of whole parts that end in a dot, that all `names` share and without which the
/// most of them are `known`.
pub(super) fn shared(names: &BTreeSet<&str>, known: impl Fn(&str) -> bool) -> String {
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return String::new() };
    // In order, all names share what the first and the last share.
    let common = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    let ends =
        first.bytes().take(common).enumerate().filter(|(_, b)| *b == b'.').map(|(i, _)| i + 1);
    let fitting = |end: usize| names.iter().filter(|name| known(&name[end..])).count();
    let (mut best, mut most) = (0, fitting(0));
    for end in ends {
        let fit = fitting(end);
        if fit > most {
            (best, most) = (end, fit);
        }
    }
    first[..best].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str], network: &[&str]) -> String {
        shared(&names.iter().copied().collect(), |name| network.contains(&name))
    }

    #[test]
    fn only_what_all_share_and_the_network_lacks_is_dropped() {
        let network = ["fc1.bias", "fc1.weight"];
        assert_eq!(of(&["module.fc1.bias", "module.fc1.weight"], &network), "module.");
        let stacked = ["module._orig_mod.model.fc1.bias", "module._orig_mod.model.fc1.weight"];
        assert_eq!(of(&stacked, &network), "module._orig_mod.model.");
        assert_eq!(of(&["fc1.bias", "fc1.weight"], &network), "");
        assert_eq!(of(&["fc1.fc1.bias", "fc1.fc1.weight"], &network), "fc1.");
        assert_eq!(of(&["module.fc1.bias", "fc1.weight"], &network), "");
        assert_eq!(of(&["a.b.c", "a.b.d"], &network), "");
        assert_eq!(of(&["a.é.fc1.bias", "a.è.fc1.bias"], &network), "");
        assert_eq!(of(&[], &network), "");
    }
}
