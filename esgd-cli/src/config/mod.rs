//! The config of a run: the algorithm's settings, the data, the network, and how to run it.

pub(crate) mod data;
mod described;
pub(crate) mod layers;
pub(crate) mod max_time;
pub(crate) mod nearest;
pub(crate) mod network;
#[cfg(test)]
mod odd_values;
mod plain;
pub(crate) mod presets;
pub(crate) mod rivals;
pub(crate) mod run;
mod sources;
mod words;

use std::path::Path;

use esgd_core::{Settings, settings::Start};
use esgd_models::regular_file::{self, Links};
use serde::{Serialize, de::DeserializeOwned};
use toml::{Table, Value};

pub(crate) use data::{Data, Part, Source};
pub(crate) use described::Described;
pub(crate) use max_time::MaxTime;
pub(crate) use network::Network;
pub(crate) use rivals::Rivals;
pub(crate) use run::Run;
pub use sources::Sources;

use crate::{failure::Failure, old_names};

/// What the file that a run leaves begins with.
const HEADER: &str = "# The config of this run, in full.";

/// Sets keys by their paths. Returns those that were given by a name of before, and the name of now.
fn set_all(table: &mut Table, assignments: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let mut all = vec![];
    for assignment in assignments {
        let (assignment, renamed) = old_names::in_assignment(assignment)?;
        layers::set(table, &assignment)?;
        all.extend(renamed);
    }
    Ok(all)
}

/// The most bytes of a config.
const LARGEST: u64 = 1_000_000;

/// Everything that a run is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    #[serde(flatten)]
    /// What the algorithm is told.
    pub settings: Settings,
    pub(crate) data: Data,
    pub(crate) network: Network,
    pub(crate) run: Run,
    pub(crate) compare: Rivals,
    /// Keys that were given by a name of before, and the name of now.
    #[serde(skip)]
    pub(crate) renamed: Vec<(String, String)>,
}

impl Config {
    /// The config that is asked for, checked, to begin from so many networks of --init.
    ///
    /// # Errors
    /// That a file or preset cannot be read, that there is no such setting, or that a value cannot be.
    pub fn of(sources: &Sources, warm_start: usize) -> Result<Self, Failure> {
        let mut table = parse(presets::text("default")?, "the default config")?;
        let mut renamed = vec![];
        for name in &sources.presets {
            let source = format!("preset {name}");
            layers::lay(&mut table, parse(presets::text(name)?, &source)?, &source)?;
        }
        if let Some(path) = &sources.file {
            let source = path.display().to_string();
            let text = regular_file::read_text(path, LARGEST, Links::Follow)
                .map_err(|e| Failure::Usage(format!("cannot read the config {source}: {e}")))?;
            let mut over = parse(&text, &source)?;
            renamed.extend(old_names::in_config(&mut over)?);
            layers::lay(&mut table, over, &source)?;
        }
        renamed.extend(set_all(&mut table, &sources.sets)?);
        if warm_start > 0
            && !matches!(&table["start"], Value::Table(start) if start.contains_key("warm"))
        {
            layers::set(&mut table, "start=warm")?;
        }
        let mut config = Self::from_table(table)?;
        config.renamed = renamed;
        if let Some(seed) = sources.seed {
            config.settings.seed = seed;
        }
        if let Some(device) = &sources.device {
            config.run.device.clone_from(device);
        }
        if let Some(dir) = &sources.data {
            config.data.read_from(dir)?;
        }
        config.check()?;
        if warm_start == 0 && config.has_warm_start() {
            return Err(Failure::Usage(
                "start.warm begins from existing networks: name at least one with --init FILE"
                    .into(),
            ));
        }
        config.data.make_absolute()?;
        Ok(config)
    }

    /// The config that a run was started with.
    ///
    /// # Errors
    /// That it cannot be read, or is none.
    pub fn of_run(path: &Path) -> Result<Self, Failure> {
        let source = path.display().to_string();
        let text = regular_file::read_text(path, LARGEST, Links::Refuse).map_err(|e| {
            Failure::Usage(format!(
                "cannot read {source}: {e}; name the folder of a run that `esgd train` made"
            ))
        })?;
        Self::with_changes(&text, &source, &[])
    }

    /// The config that a run was started with, with some settings changed. A field that is new since is
    /// that of the defaults. `source` is named in errors.
    ///
    /// # Errors
    /// That it is no config, that there is no such setting, or that a value cannot be.
    pub fn with_changes(text: &str, source: &str, sets: &[String]) -> Result<Self, Failure> {
        if Described::is_one(text.as_bytes()) {
            return Err(Failure::Usage(format!(
                "{source} is of a run whose problem the program esgd does not know and cannot rebuild: go on with it by `esgd::Session` in the program that made it, check it by `esgd::verify`, and see it by `esgd report`"
            )));
        }
        let mut table = parse(presets::text("default")?, "the default config")?;
        let mut over = parse(text, source)?;
        // The run's own file may be older than the names.
        old_names::in_config(&mut over)?;
        layers::lay(&mut table, over, source)?;
        let renamed = set_all(&mut table, sets)?;
        let mut config = Self::from_table(table)?;
        config.renamed = renamed;
        config.check()?;
        config.data.make_absolute()?;
        Ok(config)
    }

    /// Why a run that was started with this config cannot go on with another, if it cannot. What core
    /// refuses is not refused here.
    pub(crate) fn refuses(&self, other: &Self) -> Option<Failure> {
        let elsewhere = Data { dir: other.data.dir.clone(), ..self.data.clone() };
        let refusals = [
            (self.network != other.network, "network", "the networks have their shapes already"),
            (elsewhere != other.data, "data", "fitness on other data does not compare"),
            (self.settings.start != other.settings.start, "start", "the run has started"),
            (
                self.settings.seed != other.settings.seed,
                "seed",
                "the rest would be drawn from other random numbers than the beginning",
            ),
        ];
        let (_, name, why) = refusals.into_iter().find(|(changed, ..)| *changed)?;
        Some(Failure::Usage(format!(
            "`{name}` cannot be changed in a run that goes on: {why}; begin a new run with `esgd train`, from its best network with --init"
        )))
    }

    /// Whether the population begins from existing networks.
    pub(crate) fn has_warm_start(&self) -> bool {
        matches!(self.settings.start, Start::Warm { .. })
    }

    /// Whether the run is trained again without evolution: not where it begins from networks, or where nothing but
    /// evolution trains.
    pub(crate) fn has_control(&self) -> bool {
        self.run.control && !self.has_warm_start() && self.settings.epochs > 0
    }

    /// Of all epochs spent those that are not the start's.
    pub(crate) fn epochs_of_generations(&self, spent: usize) -> usize {
        spent.saturating_sub(self.settings.start.epochs())
    }

    fn from_table(mut table: Table) -> Result<Self, Failure> {
        words::no_switches(&table)?;
        words::schedules(&mut table, "")?;
        let mut part = |name: &str| table.remove(name).unwrap_or(Value::Table(Table::new()));
        Ok(Self {
            data: read(part("data"), "data.")?,
            network: read(part("network"), "network.")?,
            run: read(part("run"), "run.")?,
            compare: read(part("compare"), "compare.")?,
            settings: read(Value::Table(table), "")?,
            renamed: vec![],
        })
    }

    fn check(&self) -> Result<(), Failure> {
        self.settings.check().map_err(|e| Failure::Usage(e.to_string()))?;
        esgd_models::recipe::check(&self.settings).map_err(|e| Failure::Usage(e.to_string()))?;
        self.network.check()?;
        self.data.check()?;
        self.compare.check()?;
        self.run.check(&self.settings)
    }

    /// The config as a file.
    ///
    /// # Errors
    /// That a value cannot be written in TOML.
    pub fn to_toml(&self) -> Result<String, Failure> {
        let text = toml::to_string(self)
            .map_err(|e| Failure::Failed(format!("cannot write the config: {e}")))?;
        Ok(format!("{HEADER} What each field means: esgd config --print-default\n{text}"))
    }

    /// Whether a text was written by [`to_toml`](Self::to_toml), and perhaps changed since.
    pub(crate) fn is_of_run(text: &[u8]) -> bool {
        text.starts_with(HEADER.as_bytes())
    }
}

fn parse(text: &str, source: &str) -> Result<Table, Failure> {
    toml::from_str(text).map_err(|e| {
        let line =
            e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let what = plain::words(e.message());
        let what = what.unwrap_or_else(|| "this is no config in TOML".into());
        Failure::Usage(format!("{source}, line {line}: {what}"))
    })
}

fn read<T: DeserializeOwned>(value: Value, prefix: &str) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value).map_err(|e| {
        let path = e.path().to_string();
        let message = match e.inner().message() {
            "" => e.inner().to_string(),
            message => message.to_owned(),
        };
        let at = if path == "." {
            prefix.trim_end_matches('.').to_owned()
        } else {
            format!("{prefix}{path}")
        };
        let what = plain::words(&message).unwrap_or_else(|| {
            format!("expected it in another form, such as {}", words::example(&at))
        });
        Failure::Usage(format!("the setting `{at}`: {what}"))
    })
}

#[cfg(test)]
mod tests {
    use esgd_core::laws::corrupted;
    use proptest::prelude::*;

    use super::*;

    fn with(sets: &[&str], presets: &[&str]) -> Result<Config, Failure> {
        let presets = presets.iter().map(|p| (*p).to_owned()).collect();
        let sets = sets.iter().map(|s| (*s).to_owned()).collect();
        Config::of(&Sources { presets, sets, ..Sources::default() }, 0)
    }

    #[test]
    fn every_preset_works_and_survives_a_file() {
        for presets in [
            &[][..],
            &["digits"],
            &["paper"],
            &["fashion-mnist"],
            &["fashion-mnist", "paper"],
            &["cifar10"],
            &["cifar10-small"],
        ] {
            let config = with(&["data.dir=here"], presets).unwrap();
            let back =
                Config::from_table(parse(&config.to_toml().unwrap(), "test").unwrap()).unwrap();
            assert_eq!(back, config);
        }
    }

    /// Every field of the default config stands under a comment, alone or with its like; the
    /// optimizers' fields are explained together.
    #[test]
    fn every_field_is_explained() {
        let text = presets::text("default").unwrap();
        let (mut explained, mut optimizer) = (false, false);
        for line in text.lines() {
            match line.chars().next() {
                Some('#') => explained = true,
                Some('[') => (explained, optimizer) = (false, line.starts_with("[[")),
                Some(_) => assert!(explained || optimizer, "`{line}` has no comment"),
                None => explained = false,
            }
        }
    }

    /// Each strategy of the table and each of its parameters.
    #[test]
    fn every_strategy_is_explained() {
        let text = presets::text("default").unwrap();
        for kind in esgd_core::strategy::KINDS {
            assert!(text.contains(&format!("\"{}\"", kind.name)), "{}", kind.name);
            for parameter in kind.parameters {
                assert!(text.contains(parameter.name), "{} of {}", parameter.name, kind.name);
            }
        }
    }

    #[test]
    fn mistakes_are_one_sentence() {
        for (set, expected) in [
            ("generatoins=2", "`generations`"),
            ("m=99", "m = 99 is more than mu"),
            ("rho=0", "rho = 0"),
            ("mutation.sigma=-1", "mutation.sigma"),
            ("strategy=nest", "strategy.kind = \"nest\": expected one of recombination, nested"),
            ("strategy.trail=[3]", "strategy.trail is no parameter of recombination"),
            ("strategy={ kind = \"nested\", trail = 1 }", "strategy.trail = 1: expected a list"),
            ("mu=many", "the setting `mu`: \"many\", expected a whole number of at least 0"),
            (
                "guarantee.way=arkive",
                "the setting `guarantee.way`: there is no `arkive`, expected `back-off` or",
            ),
            ("optimizers=[]", "`optimizers` is empty"),
            ("optimizers.0.kind=sdg", "did you mean `sgd`"),
            ("optimizers.0.lr={ uniform = [1, 0] }", "optimizers[0].lr"),
            ("network.hidden=[0]", "width 0"),
            ("data.validation=0", "validation"),
            ("data.name=idx", "--data DIR"),
            ("data.name=cifar10", "esgd data cifar10 --dir DIR"),
            ("data.name=cifar100", "cifar-100-binary.tar.gz"),
            ("data.crop=5000", "data.crop = 5000"),
            ("network.kind=resnett", "there is no `resnett`"),
            ("network.depth=1000000", "network.depth"),
            ("start={ shared = { epochs = 1 } }", "there must be a setting `candidates`"),
            ("run.max_time=soon", "`run.max_time`: \"soon\", expected seconds"),
            ("run.max_time=-3", "expected seconds as a number, or text such as 90s"),
            ("run.max_time=true", "expected seconds"),
            ("run.patience=-1", "expected a whole number"),
            ("run.keep_best=13", "there are 12 networks to keep (m, the size of the archive)"),
        ] {
            let message = with(&[set], &[]).unwrap_err().to_string();
            assert!(message.contains(expected), "{set}: {message}");
            assert!(!message.contains('\n'), "{message}");
        }
        assert!(with(&[], &["papr"]).unwrap_err().to_string().contains("did you mean `paper`"));
    }

    proptest! {
        #[test]
        fn no_damage_makes_a_config_panic(bytes in corrupted(presets::text("default").unwrap().as_bytes())) {
            let text = String::from_utf8_lossy(&bytes);
            if let Err(failure) = Config::with_changes(&text, "test", &[]) {
                prop_assert!(!failure.to_string().contains('\n'), "{}", failure);
            }
        }

        #[test]
        fn no_damage_makes_a_setting_panic(
            bytes in prop::sample::select(&["start={ shared = { epochs = 1, candidates = 2 } }", "optimizers.0.lr=0.1", "mu=12"][..])
                .prop_flat_map(|set| corrupted(set.as_bytes())),
        ) {
            let mut table: Table = toml::from_str("mu = 1\n[start]\n[[optimizers]]\nlr = 1").unwrap();
            if let Err(failure) = layers::set(&mut table, &String::from_utf8_lossy(&bytes)) {
                prop_assert!(!failure.to_string().contains('\n'), "{}", failure);
            }
        }
    }
}
