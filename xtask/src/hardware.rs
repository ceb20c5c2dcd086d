//! What a measurement must name to mean anything: processor, cores, compiler and commit.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use crate::process::{git, read};

pub(crate) fn describe() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu_model(&cpuinfo).unwrap_or(std::env::consts::ARCH);
    let cores = available_parallelism().map_or_else(|_| "unknown".into(), |n| n.to_string());
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let rustc = read(Command::new(rustc).arg("--version")).unwrap_or_else(|e| e.to_string());
    let commit = commit();
    format!("cpu:    {cpu}\ncores:  {cores}\nrustc:  {}\ncommit: {}", rustc.trim(), commit)
}

/// The commit that is checked out, with a word where it was changed.
pub(crate) fn commit() -> String {
    // `--exclude *` leaves tags out: a hash reads the same on every clone.
    let mut describe = git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*"]);
    read(&mut describe).map_or_else(|_| "none".into(), |commit| commit.trim().to_owned())
}

/// The first `model name` of Linux's `/proc/cpuinfo`; some processors give none.
fn cpu_model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_first_one_named() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nmodel name\t: Other\n";
        assert_eq!(cpu_model(cpuinfo), Some("Some CPU @ 2.00GHz"));
        assert_eq!(cpu_model("processor\t: 0\n"), None);
    }

    #[test]
    fn the_description_has_one_line_for_each_thing() {
        let text = describe();
        let keys: Vec<_> = text.lines().filter_map(|line| line.split_once(':')).collect();
        let keys: Vec<_> = keys.into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["cpu", "cores", "rustc", "commit"]);
    }
}
