//! Whether the data are those that a run began with: it keeps their fingerprint in its checkpoints and in
//! `run.json`.

use std::path::Path;

use esgd_core::Objective;
use esgd_models::{
    data::{Fingerprint, Splits},
    regular_file::{self, Links},
};
use serde_json::Value;

use crate::{
    config::Data,
    failure::Failure,
    run::{checkpoint::Found, folder::MOST},
};

/// Refuses to go on with other data than a run began with; gives the fingerprint to keep.
pub(crate) fn to_go_on(
    found: Option<&Found>,
    splits: &Splits,
    data: &Data,
) -> Result<Fingerprint, Failure> {
    let now = splits.fingerprint()?;
    let was = found.and_then(|found| found.manifest.data.as_ref());
    match was.and_then(|was| was.difference(&now)) {
        None => Ok(now),
        Some(difference) => Err(Failure::Usage(format!(
            "{}; name the folder of the run's data with --data DIR",
            in_folder(&difference, data)
        ))),
    }
}

/// How the data are others than those of a fingerprint.
pub(crate) fn between(
    was: &Fingerprint,
    splits: &Splits,
    data: &Data,
) -> Result<Option<String>, Failure> {
    Ok(was.difference(&splits.fingerprint()?).map(|what| in_folder(&what, data)))
}

/// How the data are others than `run.json`, or else the last checkpoint, has them, if either says.
pub(crate) fn difference(
    run: &Path,
    found: impl FnOnce() -> Option<Found>,
    splits: &Splits,
    data: &Data,
) -> Result<Option<String>, Failure> {
    match in_result(run).or_else(|| found()?.manifest.data) {
        Some(was) => between(&was, splits, data),
        None => Ok(None),
    }
}

/// The fingerprint in a run's `run.json`.
pub(crate) fn in_result(run: &Path) -> Option<Fingerprint> {
    let text = regular_file::read(&run.join("run.json"), MOST, Links::Refuse).ok()?;
    let mut run = serde_json::from_slice::<Value>(&text).ok()?;
    serde_json::from_value(run.get_mut("data")?.take()).ok()
}

fn in_folder(difference: &str, data: &Data) -> String {
    match data.dir.as_str() {
        "" => difference.to_owned(),
        dir => format!("{difference}, in {dir}"),
    }
}

/// Whether two objectives are one, but for what the data are called: after their folder, in runs of before
/// they were known by content.
pub(crate) fn same_but_for_the_name(was: &Objective, is: &Objective) -> bool {
    let (was, is) = (was.to_string(), is.to_string());
    let parts = |text: &str| {
        let (measure, on) = text.split_once(" on ")?;
        let (_, part) = on.rsplit_once('/')?;
        Some((measure.to_owned(), part.to_owned()))
    };
    was == is || matches!((parts(&was), parts(&is)), (Some(was), Some(is)) if was == is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yardstick_is_known_by_what_it_measures() {
        let objective = |measure: &str, name: &str, part: &str| {
            Objective::new(&format!("{measure} on {name}/{part} (300 samples, evaluation mode)"))
        };
        let is = objective("cross-entropy", "idx", "validation");
        let same = |was: &Objective| same_but_for_the_name(was, &is);
        assert!(same(&is) && same(&objective("cross-entropy", "my on data", "validation")));
        assert!(!same(&objective("cross-entropy", "idx", "train")));
        assert!(!same(&objective("error rate", "idx", "validation")));
        assert!(!same(&Objective::new("log")));
    }
}
