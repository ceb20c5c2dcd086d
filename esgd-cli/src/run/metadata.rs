//! What the files of networks say of them, for whoever uses them elsewhere.

use std::path::Path;

use esgd_core::{Fitness, Problem};
use esgd_models::{
    Genome, Measured, Metadata, Network, Supervised,
    data::{Normalisation, class_names},
    regular_file::{self, Links},
};

use crate::{
    catalogue::CATALOGUE,
    config::{Config, Data, Source},
    failure::Failure,
    files::sha256,
};

/// The file of a network of a run. The same network gives the same bytes.
pub(crate) fn file(
    config: &Config,
    problem: &Supervised<Network>,
    theta: &Genome,
    fitness: Fitness,
) -> Result<Vec<u8>, Failure> {
    Ok(of(config, problem, Some(fitness.get())).file(theta)?)
}

/// What is said of a network of a run, with its fitness if it is known.
pub(crate) fn of<'a>(
    config: &Config,
    problem: &'a Supervised<Network>,
    fitness: Option<f64>,
) -> Metadata<'a> {
    let network = problem.task();
    let normalisation = match config.data.name {
        Source::Digits => Some(Normalisation::plain(16.0, 1)),
        _ => problem.train().normalisation(),
    };
    let measured = |fitness| Measured { fitness, objective: problem.objective().to_string() };
    Metadata {
        program: format!("esgd {}", env!("CARGO_PKG_VERSION")),
        network,
        normalisation,
        class_names: class_names(&config.data, network.classes()),
        measured: fitness.map(measured),
    }
}

/// What the classes are called, where the data are known: the digits, CIFAR-10, and by the checksum of
/// their labels MNIST and Fashion-MNIST.
fn class_names(data: &Data, classes: usize) -> Vec<String> {
    let names = match data.name {
        Source::Digits => Some(class_names::DIGITS),
        Source::Cifar10 => Some(class_names::CIFAR10),
        _ => by_labels(Path::new(&data.dir)),
    };
    // Of others that lie in the same form there may be more or fewer.
    let names = names.filter(|names| names.len() == classes);
    names.map_or_else(Vec::new, |names| names.map(String::from).to_vec())
}

fn by_labels(dir: &Path) -> Option<[&'static str; 10]> {
    const LABELS: &str = "train-labels-idx1-ubyte.gz";
    let official = |set: &str| {
        let entry = CATALOGUE.iter().find(|entry| entry.name == set)?;
        entry.files.iter().map(|one| one.file).find(|file| file.path == LABELS)
    };
    let is = |set: &str| {
        official(set).is_some_and(|official| {
            let bytes = regular_file::read(&dir.join(LABELS), official.size, Links::Follow);
            bytes.is_ok_and(|bytes| sha256::of(&bytes) == official.sha256)
        })
    };
    match () {
        () if is("fashion-mnist") => Some(class_names::FASHION_MNIST),
        () if is("mnist") => Some(class_names::DIGITS),
        () => None,
    }
}
