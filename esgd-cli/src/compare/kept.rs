//! Results that are kept: `result.json` of a run's folder, which says what it is of and has a checksum of
//! itself. One of another run, one that is damaged and one that was edited are not used, and never removed.
//! The checksum has no key: it tells damage and mistakes, not a forger.

use std::{io, path::Path};

use esgd_models::regular_file::{self, Links};
use serde::{Deserialize, Serialize};

use super::methods::Method;
use crate::{
    compare::outcome::Outcome,
    failure::Failure,
    files::{atomic_file, sha256},
};

const FILE: &str = "result.json";
/// The largest, in bytes: fifteen networks take a few thousand.
const LARGEST: u64 = 1 << 20;

/// What a result is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    pub method: Method,
    pub seed: u64,
    pub rate: Option<f64>,
    /// Checksums of the settings, of the data, and of the network, the measure of fitness and the device.
    pub settings: String,
    pub data: String,
    pub task: String,
    /// The program's version, and that of its rules.
    pub esgd: String,
    pub rules: u32,
}

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    of: Label,
    outcome: Outcome,
    /// Of the file with nothing in this place.
    sha256: String,
}

impl Kept {
    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let bytes = |kept: &Self| {
            let mut text = serde_json::to_vec_pretty(kept)?;
            text.push(b'\n');
            Ok(text)
        };
        let sha256 = sha256::of(&bytes(&Self { sha256: String::new(), ..self.clone() })?);
        bytes(&Self { sha256, ..self.clone() })
    }
}

impl Label {
    /// In what another differs, the first of it.
    fn differs(&self, other: &Self) -> Option<String> {
        let rate = |rate: Option<f64>| rate.map_or("no rate".into(), |rate| format!("rate {rate}"));
        let all = [
            (self.method != other.method, format!("the method {}", other.method.name())),
            (self.seed != other.seed, format!("seed {}", other.seed)),
            (self.rate != other.rate, rate(other.rate)),
            (self.data != other.data, "other data".into()),
            (self.task != other.task, "another network, measure of fitness or device".into()),
            (self.esgd != other.esgd, format!("version {} of the program", other.esgd)),
            (self.rules != other.rules, format!("revision {} of the rules", other.rules)),
            (self.settings != other.settings, "other settings".into()),
        ];
        all.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
    }
}

/// The result in a run's folder, if there is one; or, in a sentence, why it is not used.
pub(super) fn read(folder: &Path, label: &Label) -> Result<Option<Outcome>, String> {
    let path = folder.join(FILE);
    let unused = |why: String| {
        format!(
            "{} {why}, so it is not used: move the folder {} away, and the same comparison runs it again",
            path.display(),
            folder.display()
        )
    };
    // A link would lead out of the comparison.
    let mut folders = [folder.parent(), Some(folder)].into_iter().flatten();
    if let Some(link) = folders.find(|dir| dir.is_symlink()) {
        return Err(unused(format!("is behind a link, {}", link.display())));
    }
    let bytes = match regular_file::read(&path, LARGEST, Links::Refuse) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unused(format!("cannot be read ({e})"))),
    };
    if serde_json::from_slice::<Outcome>(&bytes).is_ok() {
        let why = "does not say what it is of, as those of earlier versions did not";
        return Err(unused(why.into()));
    }
    let damaged = || unused("is damaged or was edited: its checksum is another".into());
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    if kept.to_bytes().ok().as_ref() != Some(&bytes) {
        return Err(damaged());
    }
    let Kept { of, outcome, .. } = kept;
    if let Some(what) = label.differs(&of) {
        return Err(unused(format!("is the result of another run, of {what}")));
    }
    match (outcome.method, outcome.seed, outcome.rate) == (of.method, of.seed, of.rate) {
        true => Ok(Some(outcome)),
        false => Err(damaged()),
    }
}

/// Keeps a result.
pub(super) fn write(folder: &Path, label: &Label, outcome: &Outcome) -> Result<(), Failure> {
    let kept = Kept { of: label.clone(), outcome: outcome.clone(), sha256: String::new() };
    let bytes = kept.to_bytes().map_err(|e| Failure::Failed(e.to_string()))?;
    atomic_file::write(&folder.join(FILE), &bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use esgd_core::{Fitness, budget::Spent, laws::corrupted};
    use proptest::prelude::*;

    use super::*;
    use crate::compare::outcome::{Scores, Test};

    fn label() -> Label {
        Label {
            method: Method::Tuned,
            seed: 1,
            rate: Some(0.1),
            settings: "a".into(),
            data: "b".into(),
            task: "c".into(),
            esgd: "1".into(),
            rules: 2,
        }
    }

    fn outcome() -> Outcome {
        let scores = Scores {
            networks: 1,
            members: 1,
            fitness: Fitness::WORST,
            test: Some(Test { loss: Fitness::new(0.1 + 0.2), error: None }),
            chosen_with: Spent::default(),
        };
        Outcome {
            method: Method::Tuned,
            seed: 1,
            rate: Some(0.1),
            spent: Spent { gradient_samples: 5, evaluation_samples: 7 },
            threads: 2,
            seconds: 1.0 / 3.0,
            recipe: None,
            best: scores.clone(),
            ensemble: None,
            soup: Some(scores),
            top: vec![],
        }
    }

    #[test]
    fn a_result_is_of_its_run_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path(), &label()), Ok(None));
        write(dir.path(), &label(), &outcome()).unwrap();
        assert_eq!(read(dir.path(), &label()), Ok(Some(outcome())));
        let text = |text: &str| text.to_owned();
        for (other, what) in [
            (Label { method: Method::Esgd, ..label() }, "the method tuned"),
            (Label { seed: 2, ..label() }, "seed 1"),
            (Label { rate: Some(0.2), ..label() }, "rate 0.1"),
            (Label { settings: text("d"), ..label() }, "other settings"),
            (Label { data: text("d"), ..label() }, "other data"),
            (Label { task: text("d"), ..label() }, "another network"),
            (Label { esgd: text("d"), ..label() }, "version 1 of the program"),
            (Label { rules: 3, ..label() }, "revision 2 of the rules"),
        ] {
            let refused = read(dir.path(), &other).unwrap_err();
            assert!(refused.contains(&format!("of another run, of {what}")), "{refused}");
            assert!(refused.contains("move the folder"), "{refused}");
        }
    }

    #[test]
    fn what_was_edited_or_is_of_an_earlier_version_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        write(dir.path(), &label(), &outcome()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for edited in
            [text.replace("\"threads\": 2", "\"threads\": 3"), text.replace(' ', ""), text + "\n"]
        {
            fs::write(&path, &edited).unwrap();
            let refused = read(dir.path(), &label()).unwrap_err();
            assert!(refused.contains("was edited") && path.exists(), "{refused}");
        }
        fs::write(&path, serde_json::to_vec_pretty(&outcome()).unwrap()).unwrap();
        let refused = read(dir.path(), &label()).unwrap_err();
        assert!(refused.contains("does not say what it is of"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let (theirs, run) = (dir.path().join("theirs"), dir.path().join("run"));
        fs::create_dir(&theirs).unwrap();
        write(&theirs, &label(), &outcome()).unwrap();
        symlink(&theirs, &run).unwrap();
        let refused = read(&run, &label()).unwrap_err();
        assert!(refused.contains("is behind a link"), "{refused}");
        fs::remove_file(&run).unwrap();
        fs::create_dir(&run).unwrap();
        symlink(theirs.join(FILE), run.join(FILE)).unwrap();
        assert!(read(&run, &label()).unwrap_err().contains("it is a link"));
    }

    proptest! {
        #[test]
        fn no_damage_to_a_result_is_taken_for_one(bytes in {
            let kept = Kept { of: label(), outcome: outcome(), sha256: String::new() };
            corrupted(&kept.to_bytes().unwrap())
        }) {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(FILE), &bytes).unwrap();
            if let Ok(found) = read(dir.path(), &label()) {
                prop_assert_eq!(found, Some(outcome()));
            }
        }
    }
}
