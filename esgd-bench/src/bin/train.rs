//! How fast individuals train, next to PyTorch and stock candle.

use std::process::ExitCode;

use esgd_bench::{
    Result,
    train::{answers, comparison, generation, networks},
};

const HELP: &str = "\
cargo xtask bench train [NETWORK | generation] [--rounds N]

Training steps of two models side by side, one thread each, next to stock candle and PyTorch.
NETWORK is one of mlp-64, mlp-784, bn50, convnet, resnet20; without one, all of them and then a whole
generation of ESGD next to the same in PyTorch, which `generation` alone gives as well.
  --rounds N   rounds of each comparison (5)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help")) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    // As a contestant of its own, it only answers lines.
    let done = if args == ["serve"] { answers::answer_all() } else { run(&args) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("train: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let (mut rounds, mut only, mut whole) = (5, None, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--rounds" {
            let n = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
            rounds = n.ok_or("--rounds takes a number: expected 1 or more")?;
        } else if arg == "generation" {
            whole = true;
        } else if networks::batch(arg).is_some() {
            only = Some(arg.as_str());
        } else {
            return Err(format!("there is no network and no option `{arg}`\n\n{HELP}").into());
        }
    }
    if whole && only.is_some() {
        return Err("a network or `generation`, not both: expected one of them".into());
    }
    if !whole {
        comparison::print(rounds, only)?;
    }
    if only.is_none() { generation::print(rounds) } else { Ok(()) }
}
