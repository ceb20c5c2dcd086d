//! What data are, by their contents: SHA-256 of each part and of the files that it was read from, so that
//! moved data are known again and others are told by part and file.

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Dataset, Splits};
use crate::Result;

/// Samples that are hashed at a time.
const TOGETHER: usize = 1024;

/// The SHA-256 of each part of a data set, in hexadecimal digits, and of its files.
///
/// A part's is of its shapes, its values and what they mean to a network; not of names, folders or the way
/// that training images are changed at random.
///
/// ```
/// use esgd_models::data::{Sizes, digits};
///
/// let of = |train| digits(Sizes { train: Some(train), ..Sizes::default() })?.fingerprint();
/// assert_eq!(of(1000)?.difference(&of(1000)?), None);
/// let difference = of(1000)?.difference(&of(900)?).unwrap();
/// assert!(difference.starts_with("the training and test data are others than the run began with"));
/// # Ok::<(), esgd_models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The training samples.
    pub train: String,
    /// The validation samples.
    pub validation: String,
    /// The test samples.
    pub test: String,
    /// The files that they were read from; none for data that are built in.
    pub files: Vec<SourceFile>,
}

/// A file that samples were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Its name, without its folder.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
    /// The SHA-256 of its contents, decompressed, in hexadecimal digits.
    pub sha256: String,
}

/// What a file holds samples for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Training and validation.
    Training,
    /// Test.
    Test,
}

impl Splits {
    /// What the data are, by their contents.
    ///
    /// # Errors
    /// What candle says.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint {
            train: of(&self.train)?,
            validation: of(&self.validation)?,
            test: of(&self.test)?,
            files: self.files.clone(),
        })
    }
}

impl Fingerprint {
    /// How the data are others `now`, as part of a sentence that names each part and the files; or nothing
    /// if all parts are the same, whatever their files are called.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<String> {
        let parts = [
            ("training", &self.train, &now.train, Holds::Training),
            ("validation", &self.validation, &now.validation, Holds::Training),
            ("test", &self.test, &now.test, Holds::Test),
        ];
        let others: Vec<_> = parts.into_iter().filter(|(_, was, is, _)| was != is).collect();
        if others.is_empty() {
            return None;
        }
        let names: Vec<_> = others.iter().map(|(name, ..)| (*name).to_owned()).collect();
        let concerned = |file: &&SourceFile| others.iter().any(|(.., holds)| *holds == file.holds);
        let known = |all: &[SourceFile], file: &SourceFile| {
            all.iter().any(|other| other.plain_name() == file.plain_name())
        };
        let same = |file: &SourceFile| {
            let mut all = self.files.iter();
            all.any(|was| was.plain_name() == file.plain_name() && was.sha256 == file.sha256)
        };
        let [mut changed, mut missing] = [vec![], vec![]];
        changed.extend(now.files.iter().filter(concerned).filter(|f| !same(f)).map(named));
        missing.extend(
            self.files.iter().filter(concerned).filter(|f| !known(&now.files, f)).map(named),
        );
        let mut why = vec![];
        if !changed.is_empty() {
            why.push(format!("{} not the same", with_verb(&changed)));
        }
        if !missing.is_empty() {
            why.push(format!("{} missing", with_verb(&missing)));
        }
        if why.is_empty() {
            why.push("they are drawn from the same source in another way".into());
        }
        Some(format!(
            "the {} data are others than the run began with ({})",
            list(&names),
            why.join(", ")
        ))
    }
}

impl SourceFile {
    pub(super) fn new(name: &str, holds: Holds, contents: Sha256) -> Self {
        Self { name: name.into(), holds, sha256: hex(contents) }
    }

    /// Its name in the one form of several that are usual.
    fn plain_name(&self) -> String {
        self.name.strip_suffix(".gz").unwrap_or(&self.name).replace('.', "-")
    }
}

fn named(file: &SourceFile) -> String {
    file.name.clone()
}

fn with_verb(names: &[String]) -> String {
    format!("{} {}", list(names), if names.len() == 1 { "is" } else { "are" })
}

fn list(names: &[String]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

fn of(data: &Dataset) -> Result<String> {
    let mut hash = Sha256::new_with_prefix("samples 1");
    for tensor in [&data.x, &data.y] {
        hash.update((tensor.rank() as u64).to_le_bytes());
        tensor.dims().iter().for_each(|n| hash.update((*n as u64).to_le_bytes()));
        add(&mut hash, tensor)?;
    }
    if let Some(pixels) = &data.pixels {
        pixels.values().for_each(|value| hash.update(value.to_le_bytes()));
    }
    Ok(hex(hash))
}

/// Bytes as bytes, classes as u32 and all other values as f64, which has room for each of them.
fn add(hash: &mut Sha256, tensor: &Tensor) -> Result<()> {
    let n = tensor.dims()[0];
    for start in (0..n).step_by(TOGETHER) {
        let some = tensor.narrow(0, start, TOGETHER.min(n - start))?.flatten_all()?;
        match some.dtype() {
            DType::U8 => hash.update(some.to_vec1::<u8>()?),
            DType::U32 => some.to_vec1::<u32>()?.iter().for_each(|x| hash.update(x.to_le_bytes())),
            _ => {
                let values = some.to_dtype(DType::F64)?.to_vec1::<f64>()?;
                values.iter().for_each(|x| hash.update(x.to_le_bytes()));
            }
        }
    }
    Ok(())
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::data::Augmentation;

    fn fingerprint(change: impl FnOnce(&mut Fingerprint)) -> Fingerprint {
        let file = |name: &str, holds, sha256: &str| SourceFile {
            name: name.into(),
            holds,
            sha256: sha256.into(),
        };
        let mut made = Fingerprint {
            train: "1".into(),
            validation: "2".into(),
            test: "3".into(),
            files: vec![
                file("train-images-idx3-ubyte.gz", Holds::Training, "4"),
                file("train-labels-idx1-ubyte", Holds::Training, "5"),
                file("t10k-images-idx3-ubyte", Holds::Test, "6"),
            ],
        };
        change(&mut made);
        made
    }

    #[test]
    fn each_part_and_file_that_differs_is_named() {
        let was = fingerprint(|_| {});
        let same = fingerprint(|now| now.files[0].name = "train-images.idx3-ubyte".into());
        assert_eq!(was.difference(&same), None);
        let unused = fingerprint(|now| now.files[2].sha256 = "7".into());
        assert_eq!(was.difference(&unused), None);
        for (now, expected) in [
            (
                fingerprint(|now| {
                    now.test = "8".into();
                    now.files[0].sha256 = "8".into();
                    now.files[2].sha256 = "8".into();
                }),
                "the test data are others than the run began with (t10k-images-idx3-ubyte is not the same)",
            ),
            (
                fingerprint(|now| {
                    now.train = "8".into();
                    now.validation = "8".into();
                    now.files[0].sha256 = "8".into();
                    now.files[1].sha256 = "8".into();
                }),
                "the training and validation data are others than the run began with \
                 (train-images-idx3-ubyte.gz and train-labels-idx1-ubyte are not the same)",
            ),
            (
                fingerprint(|now| {
                    now.test = "8".into();
                    now.files.truncate(2);
                }),
                "the test data are others than the run began with (t10k-images-idx3-ubyte is missing)",
            ),
            (
                fingerprint(|now| now.validation = "8".into()),
                "the validation data are others than the run began with (they are drawn from the same \
                 source in another way)",
            ),
        ] {
            assert_eq!(was.difference(&now).as_deref(), Some(expected));
        }
    }

    #[test]
    fn it_is_kept_as_json_and_a_field_that_is_unknown_is_refused() {
        let made = fingerprint(|_| {});
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&text).unwrap(), made);
        let more = text.replacen('{', "{\"more\":1,", 1);
        assert!(serde_json::from_str::<Fingerprint>(&more).is_err());
    }

    fn set(name: &str, x: &[f32], rows: usize, y: &[u32]) -> Dataset {
        let (n, cpu) = (y.len(), &Device::Cpu);
        let x = Tensor::from_slice(x, (n, 1, rows, x.len() / n / rows), cpu).unwrap();
        Dataset::new(name, x, Tensor::from_slice(y, n, cpu).unwrap()).unwrap()
    }

    #[test]
    fn contents_count_and_names_and_augmentation_do_not() {
        let hash = |data: Dataset| of(&data).unwrap();
        let first = hash(set("a", &[1.0, 2.0, 3.0, 4.0], 1, &[0, 1]));
        let changed = set("b", &[1.0, 2.0, 3.0, 4.0], 1, &[0, 1]);
        let changed = changed.augmented(Augmentation { crop: 1, flip: true }).unwrap();
        assert_eq!(hash(changed), first);
        assert_ne!(hash(set("a", &[1.0, 2.0, 3.0, 5.0], 1, &[0, 1])), first);
        assert_ne!(hash(set("a", &[1.0, 2.0, 3.0, 4.0], 2, &[0, 1])), first);
        assert_ne!(hash(set("a", &[1.0, 2.0, 3.0, 4.0], 1, &[0, 2])), first);
    }

    /// What every later version must find again, since runs keep it. By Python:
    ///
    /// ```python
    /// import hashlib, struct as s
    /// data = s.pack("<5Q", 4, 2, 1, 1, 2) + s.pack("<4d", 1, 2, 3, 4) + s.pack("<2Q2I", 1, 2, 0, 1)
    /// print(hashlib.sha256(b"samples 1" + data).hexdigest())
    /// ```
    #[test]
    fn it_stays_the_same_from_version_to_version() {
        let hash = of(&set("a", &[1.0, 2.0, 3.0, 4.0], 1, &[0, 1])).unwrap();
        assert_eq!(hash, "5ab7397d494f5012076ccfb934dcdf73fe69689c6e279e46dd5d442b5caead64");
    }
}
