//! Hours of bad luck in minutes: `cargo xtask soak`.

use std::{process::ExitCode, time::Instant};

use esgd_bench::{
    Result,
    soak::{damage, disk, folders, kills, lies, limits, program::Program, races, streams},
};

const HELP: &str = "\
cargo xtask soak [PART…] [--quick]

Kills, damages and starves runs of the program, and holds what it leaves against runs that nobody
touched. Parts: kills, damage, full-disk, read-only, memory, races, streams, folders, lies, and fuzz,
which feeds the parsers.
Small disks and another user's rights take root on Linux.
  --quick   a tenth of the trials
";

const PARTS: [&str; 9] =
    ["kills", "damage", "full-disk", "read-only", "memory", "races", "streams", "folders", "lies"];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help")) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let (program, args) = args.split_first().ok_or("the program's path is missing")?;
    let program = Program(program.into());
    let quick = args.iter().any(|arg| arg == "--quick");
    let asked: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| *arg != "--quick").collect();
    if let Some(unknown) = asked.iter().find(|part| !PARTS.contains(part)) {
        return Err(format!("there is no part `{unknown}`: expected some of {PARTS:?}").into());
    }
    let times = |n: usize| if quick { n / 10 } else { n };
    for part in PARTS.iter().filter(|part| asked.is_empty() || asked.contains(part)) {
        let begin = Instant::now();
        let said = match *part {
            "kills" => kills::soak(&program, times(200)),
            "damage" => damage::soak(&program, times(2000)),
            "full-disk" => disk::full(&program),
            "read-only" => disk::read_only(&program, times(50)),
            "memory" => limits::memory(&program),
            "streams" => streams::soak(&program, times(500)),
            "folders" => folders::soak(&program, times(2000)),
            "lies" => lies::soak(&program, times(500)),
            _ => races::soak(&program, times(50)),
        };
        let said = said.map_err(|e| format!("{part}: {e}"))?;
        println!("{part:11}{said} ({:.0} s)", begin.elapsed().as_secs_f64());
    }
    Ok(())
}
