//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::config::Sources;

/// Trains a population of networks with Evolutionary Stochastic Gradient Descent.
///
/// Each network takes gradient steps with an optimizer of its own; then the population recombines,
/// mutates and keeps its best. The best model never gets worse on the data that fitness is measured on.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Train a population; with no option, on handwritten digits that are built in
    Train(TrainArgs),
    /// Go on with a run that was interrupted, killed or has failed, or add generations to one
    Resume(ResumeArgs),
    /// Compare ESGD with what it competes with, at equal compute: single runs, tuning, ensembles, PBT, ASHA
    Compare(CompareArgs),
    /// Make a page of runs or comparisons, with figures, that opens from disk
    Report(ReportArgs),
    /// Check a run's folder: checksums, the guarantee in its log, the best network's fitness
    Verify(VerifyArgs),
    /// Evaluate the best network of a run, or other networks that fit, on training, validation and test data
    Evaluate(EvaluateArgs),
    /// Make an ensemble and a soup of a run's best network and its last population
    Combine(CombineArgs),
    /// Download the official files of a data set: cifar10, fashion-mnist or mnist
    Data(DataArgs),
    /// List the presets
    Presets,
    /// Print a config with every field explained, to start your own from
    Config(ConfigArgs),
}

/// What a config is laid together from.
#[derive(Debug, ClapArgs)]
pub(super) struct SourceArgs {
    /// A config file (TOML); it names only what differs from the defaults
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A preset, see `esgd presets`; several are laid over one another
    #[arg(long, value_name = "NAME")]
    pub preset: Vec<String>,
    /// One setting, such as mu=32, network=convnet or optimizers.0.lr=0.1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The seed that every random number follows from; of several runs that of the first
    #[arg(long, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// The folder with the data, as `esgd data` or torchvision makes it: IDX files as MNIST's, or CIFAR's
    /// .bin files with the preset cifar10 or data.name=cifar100
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to train: cpu, or cuda:N in a build with the feature `cuda`
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

impl SourceArgs {
    /// The same for a config, with more settings.
    pub(super) fn with(&self, sets: &[String]) -> Sources {
        Sources {
            presets: self.preset.clone(),
            file: self.config.clone(),
            sets: [&self.set, sets].concat(),
            seed: self.seed,
            data: self.data.clone(),
            device: self.device.clone(),
        }
    }
}

/// When a run ends and what it leaves, as settings of `run`.
#[derive(Debug, ClapArgs)]
pub(super) struct Ending {
    /// Stop after so long, such as 90s, 30m or 1h30m, at a checkpoint that `esgd resume` goes on from
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<String>,
    /// End the generations when the best has not got better for so many of them
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
    /// Write the K best networks as well: best/1.safetensors and so on, best first
    #[arg(long, value_name = "K")]
    pub keep_best: Option<usize>,
}

impl Ending {
    /// What --set would be told.
    pub(super) fn sets(&self) -> Vec<String> {
        let time = self.max_time.iter().map(|time| format!("run.max_time={time}"));
        let patience = self.patience.iter().map(|n| format!("run.patience={n}"));
        let keep = self.keep_best.iter().map(|k| format!("run.keep_best={k}"));
        time.chain(patience).chain(keep).collect()
    }
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Examples:
  esgd train                                     digits, about a minute
  esgd train --preset paper                      the same in the paper's way
  esgd train --preset fashion-mnist --data DIR   images from four IDX files
  esgd train --set mu=32 --set lambda=128        a larger population
  esgd train --config mine.toml --out runs/mine  your own config
  esgd train --preset cifar10 --data DIR --plan  what that would take
  esgd train --init best.safetensors             fine-tune a network, and never lose what it has
  esgd train --max-time 2h                       stops after two hours; esgd resume goes on

The config is laid together in this order, the later over the earlier: the defaults, each --preset,
--config, each --set, then the options that set a single thing, such as --seed.

What progress and results say:
  fitness     what is lowered: the loss on validation data, or what data.fitness and data.score say
  offspring   a network recombined from others of the population, with noise
  elite       the m best of the population, which survive for certain
  archive     the m best networks ever scored, kept beside the population
  J(m)        the mean fitness of the m that never get worse: the archive, or else the elite
  taken back  of an epoch that made its network worse: undone")]
pub(super) struct TrainArgs {
    #[command(flatten)]
    pub sources: SourceArgs,
    /// The folder for the run; it must be new or empty [default: runs/NAME-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A network to begin from (safetensors); several are all in the population
    #[arg(long, value_name = "FILE")]
    pub init: Vec<PathBuf>,
    #[command(flatten)]
    pub ending: Ending,
    /// Write TensorBoard's event files while it trains, in the run's folder; times in them are seconds of
    /// the run
    #[arg(long)]
    pub tensorboard: bool,
    /// Print what the run will take, memory, arithmetic and time, and do not train; with --quiet only
    /// whether it can
    #[arg(long)]
    pub plan: bool,
    /// Print nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print the result as JSON, and no progress
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
A run goes on from its last checkpoint and ends with the same bits as if it had not stopped, on any
number of threads. More generations can be added to one that has not been fine-tuned:

  esgd resume runs/digits-1 --set generations=60

What the guarantee was founded on cannot be changed: mu, m, guarantee, the data, the network.")]
pub(super) struct ResumeArgs {
    /// The run's folder
    pub run: PathBuf,
    /// One setting to go on with, such as generations=60 or run.threads=8
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The folder with the data, if it has moved since
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to train, if not where it was: cpu or cuda:N
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    #[command(flatten)]
    pub ending: Ending,
    /// Write TensorBoard's event files while it trains, in the run's folder; times in them are seconds of
    /// the run
    #[arg(long)]
    pub tensorboard: bool,
    /// Print nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print the result as JSON, and no progress
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Examples:
  esgd compare --seeds 5                                  on the digits, with the default's budget
  esgd compare --budget 96 --seeds 3                      with the arithmetic of 96 epochs for each method
  esgd compare --preset fashion-mnist --data DIR --seeds 3
  esgd compare --methods esgd,population,asha             only these

Every method gets the same budget, in forward passes of a sample: training a sample takes three of them and
each evaluation that a choice is made by takes one. What a method spends on tuning, on fitness and on
choosing an ensemble is counted. What is not enough for another generation of a population goes into
fine-tuning its best. Results are kept: the same command goes on where it was interrupted, a run of asha from
its beginning, and with another seed or method only what is missing is run.")]
pub(super) struct CompareArgs {
    #[command(flatten)]
    pub sources: SourceArgs,
    /// What each method may spend: a number of epochs, or of samples such as 500000samples, with evaluations
    /// counted as a third [default: what the config's own run takes]
    #[arg(long, value_name = "N")]
    pub budget: Option<String>,
    /// How many runs of each method, with seeds from the config's on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = whole, allow_negative_numbers = true)]
    pub seeds: u64,
    /// The methods to compare, of esgd, no-evolution, population, pbt, asha, tuned, restarts, long, swa, single
    /// and oracle; the report says what each is [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// The folder for results, which may have some [default: comparisons/NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print the result as JSON, and no progress
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
The page needs nothing else: no network, no other file. It opens from disk, is light or dark as the reader's
system is, and can be printed. Beside it the same figures are written as SVG and PNG, and in each run's
folder its log as CSV.")]
pub(super) struct ReportArgs {
    /// Folders of runs, or of comparisons
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The folder for report.html and figures [default: that of the first run]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write TensorBoard's event files too, in each run's folder
    #[arg(long)]
    pub tensorboard: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Every number is derived again: populations and elites from the log's account of each step, run.json and the
files of networks from the last checkpoint and the data. Times are not. Checksums and fingerprints have no
key: they tell damage, mistakes and other data, and keep out nobody who knows how to write them anew.")]
pub(super) struct VerifyArgs {
    /// The run's folder
    pub run: PathBuf,
    /// Train the initial recipes without evolution again, to check what that came to
    #[arg(long)]
    pub control: bool,
    /// The name of before for --control
    #[arg(long, hide = true)]
    pub contrast: bool,
    /// The folder with the data, if it has moved since
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Examples:
  esgd evaluate runs/digits-1                   its best network, whose fitness must be the recorded one
  esgd evaluate runs/digits-1 soup.safetensors  another network that fits, here of the run's folder
  esgd evaluate runs/digits-1 ensemble          the networks of a folder together
  esgd evaluate runs/digits-1 a.safetensors b.safetensors

Of several networks the probabilities are averaged. Networks of other programs may have a prefix before all
names of their tensors, which is dropped, and values of f64, f16 or bf16, which are converted.")]
pub(super) struct EvaluateArgs {
    /// The run's folder
    pub run: PathBuf,
    /// A network to evaluate instead of its best (safetensors), here or in the run's folder; or a folder of
    /// some; several are evaluated together, as an ensemble
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The folder with the data, if it has moved since
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to evaluate, if not where it was trained: cpu or cuda:N
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
Both begin with the best network and take in those of the last population, best first, that lower the loss
on the data that fitness is measured on; so neither is worse there than the best. An ensemble averages
probabilities and takes an evaluation of each of its networks for an answer; a soup averages weights, with
BatchNorm's statistics estimated anew where that is better, and is one network. They are written to the
run's folder: soup.safetensors, ensemble/1.safetensors and so on, combined.json.")]
pub(super) struct CombineArgs {
    /// The run's folder
    pub run: PathBuf,
    /// The folder with the data, if it has moved since
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to evaluate, if not where it was trained: cpu or cuda:N
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_long_help = "\
What is there and whole is not downloaded again, and a download that broke off goes on where it
stopped. Every file is checked against the SHA-256 of the official one. Files that are not of this command
are never overwritten.")]
pub(super) struct DataArgs {
    /// cifar10 (170 MB), fashion-mnist (31 MB) or mnist (12 MB)
    pub name: String,
    /// The folder for the files
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Another place on the web that has the files
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ConfigArgs {
    /// Print the defaults, every field explained (this is what happens without options, too)
    #[arg(long)]
    pub print_default: bool,
    /// Print a preset instead
    #[arg(long, value_name = "NAME", conflicts_with = "print_default")]
    pub preset: Option<String>,
}

/// A whole number that a config can hold.
fn whole(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number <= i64::MAX as u64);
    number.ok_or_else(|| format!("expected a whole number from 0 to {}", i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_that_a_config_can_hold() {
        let of = |seed: &str| Args::try_parse_from(["esgd", "train", "--seed", seed]);
        assert!(of("0").is_ok() && of("9223372036854775807").is_ok());
        for odd in ["9223372036854775808", "18446744073709551616", "-1", "1.5", "1e3", "many", ""] {
            let message = of(odd).unwrap_err().to_string();
            assert!(message.contains("a whole number from 0 to 9223372036854775807"), "{message}");
        }
    }
}
