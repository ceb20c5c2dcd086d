//! Event files for TensorBoard: records of protocol buffers, each with its checksums.
//!
//! A record is its length (u64), a masked CRC-32C of that, the event, and a masked CRC-32C of the event
//! (`tensorflow/core/lib/io/record_writer`); an event is `tensorflow.Event` (`event.proto`), of whose fields
//! these are written: wall_time 1, step 2, file_version 3, summary 5; of a summary its values 1, each with
//! tag 1 and simple_value 2.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use esgd_core::{Phase, Report};

use crate::{
    failure::Failure,
    files::{
        atomic_file,
        own_file::{self, Kind},
    },
    run::{log::Line, strategy_numbers},
};

/// Writes the scalars of each phase.
#[derive(Debug)]
pub(crate) struct Events<W: Write> {
    out: W,
}

/// The event file of a run.
pub(crate) type EventFile = Events<BufWriter<File>>;

/// In a run's folder.
pub(crate) const DIR: &str = "tensorboard";
/// TensorBoard reads files with `tfevents` in their names.
pub(crate) const FILE: &str = "events.out.tfevents.esgd";

impl Events<BufWriter<File>> {
    /// The event file of a run, of what it has come to so far: a new one in the place of an earlier one.
    pub(crate) fn of(run: &Path, lines: &[Line]) -> Result<Self, Failure> {
        let dir = run.join(DIR);
        let path = dir.join(FILE);
        own_file::folder(&dir)?;
        own_file::check(&path, Kind::Events)?;
        let write = || -> io::Result<Self> {
            let mut events = Events::new(BufWriter::new(atomic_file::beside(&dir)?))?;
            lines.iter().try_for_each(|line| events.add(line.seconds, &line.report))?;
            let file = events.out.into_inner().map_err(io::IntoInnerError::into_error)?;
            Ok(Self { out: BufWriter::new(file.persist(&path)?) })
        };
        write().map_err(|e| Failure::Failed(format!("cannot write {}: {e}", path.display())))
    }
}

impl<W: Write> Events<W> {
    /// Begins a file.
    fn new(mut out: W) -> io::Result<Self> {
        let mut event = vec![];
        bytes(&mut event, 3, b"brain.Event:2");
        record(&mut out, &event)?;
        out.flush()?;
        Ok(Self { out })
    }

    /// Adds a phase; the time is that of the run.
    pub(crate) fn add(&mut self, seconds: f64, report: &Report) -> io::Result<()> {
        let fine_tuned = u64::from(report.phase == Phase::FineTune);
        let step = (report.generation as u64).saturating_add(fine_tuned);
        self.scalars(seconds, step, &scalars(report))
    }

    fn scalars(&mut self, seconds: f64, step: u64, all: &[(String, f64)]) -> io::Result<()> {
        let mut summary = vec![];
        for (tag, number) in all {
            let mut value = vec![];
            bytes(&mut value, 1, tag.as_bytes());
            float(&mut value, 2, *number as f32);
            bytes(&mut summary, 1, &value);
        }
        let mut event = vec![];
        double(&mut event, 1, seconds);
        // A field that is 0 is left out.
        if step > 0 {
            varint(&mut event, 2 << 3);
            varint(&mut event, step);
        }
        bytes(&mut event, 5, &summary);
        record(&mut self.out, &event)?;
        self.out.flush()
    }
}

/// What is shown of a phase. What diverged is left out.
fn scalars(report: &Report) -> Vec<(String, f64)> {
    let individuals = &report.individuals;
    let sound: Vec<f64> =
        individuals.iter().map(|one| one.fitness.get()).filter(|f| f.is_finite()).collect();
    let elite = individuals.iter().take(report.m).filter_map(|one| one.hyper.as_ref()?.get("lr"));
    let rates: Vec<f64> = elite.filter(|lr| *lr > 0.0).collect();
    let mut all = vec![
        ("fitness/best".to_owned(), report.best.get()),
        ("fitness/elite_mean".to_owned(), report.elite_mean.get()),
        ("elite/offspring".to_owned(), report.elite_offspring as f64 / report.m.max(1) as f64),
        ("population/diverged".to_owned(), (individuals.len() - sound.len()) as f64),
        ("spent/epochs".to_owned(), report.effort.epochs as f64),
        ("spent/backed_off".to_owned(), report.effort.backed_off as f64),
        ("spent/offspring".to_owned(), report.effort.offspring as f64),
    ];
    if let (Some(first), Some(last)) = (sound.first(), sound.last()) {
        all.push(("population/best".into(), *first));
        all.push(("population/worst".into(), *last));
    }
    if !rates.is_empty() {
        let mean = rates.iter().map(|lr| lr.ln()).sum::<f64>() / rates.len() as f64;
        all.push(("elite/lr".into(), mean.exp()));
    }
    all.extend(report.diversity.map(|d| ("population/diversity".to_owned(), d)));
    let numbers = strategy_numbers::of(&report.numbers);
    all.extend(numbers.map(|one| (format!("strategy/{}", one.label()), one.value)));
    // TensorBoard's numbers are single precision.
    all.retain(|(_, number)| (*number as f32).is_finite());
    all
}

fn record(out: &mut impl Write, event: &[u8]) -> io::Result<()> {
    let length = (event.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked(&length).to_le_bytes())?;
    out.write_all(event)?;
    out.write_all(&masked(event).to_le_bytes())
}

/// A CRC that is stored beside what it is of is masked, so that a CRC of both is no constant.
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xA282_EAD8)
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn double(out: &mut Vec<u8>, field: u64, value: f64) {
    if value == 0.0 {
        return;
    }
    varint(out, field << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn float(out: &mut Vec<u8>, field: u64, value: f32) {
    varint(out, field << 3 | 5);
    out.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/golden/tensorboard_events.py` wrote these bytes with TensorBoard's own library.
    #[test]
    fn events_are_those_of_tensorboard() {
        let mut events = Events::new(vec![]).unwrap();
        let scalars = |all: &[(&str, f64)]| -> Vec<(String, f64)> {
            all.iter().map(|(tag, number)| ((*tag).to_owned(), *number)).collect()
        };
        events.scalars(0.25, 0, &scalars(&[("a", 1.5), ("b/c", -2.0)])).unwrap();
        events.scalars(12.5, 300, &scalars(&[("a", 0.1)])).unwrap();
        assert_eq!(events.out, include_bytes!("../../tests/golden/events.tfevents"));
    }

    #[test]
    fn a_strategy_has_a_series_a_number() {
        let line = "{\"seconds\":0,\"phase\":\"start\",\"generation\":0,\"best\":0.5,\"elite_mean\":0.5,\"elite\":[],\"elite_offspring\":0,\"m\":1,\"individuals\":[],\"effort\":{\"epochs\":0,\"backed_off\":0,\"offspring\":0},\"numbers\":{\"path\":[1.5,-2],\"sigma\":[0.25],\"huge\":[1e300]}}\n";
        let log = crate::run::log::parse(line.as_bytes()).unwrap();
        let mut all = scalars(&log.lines[0].report);
        all.retain(|(tag, _)| tag.starts_with("strategy/"));
        let expected = [("path/0", 1.5), ("path/1", -2.0), ("sigma", 0.25)];
        assert_eq!(all, expected.map(|(name, value)| (format!("strategy/{name}"), value)));
    }
}
