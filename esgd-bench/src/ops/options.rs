//! What the program is asked to do.

use std::path::PathBuf;

use crate::Result;

/// Printed for `--help`.
pub const HELP: &str = "\
Measures how fast offspring are made, next to a memory copy, PyTorch and NumPy.

Usage: ops [PART…] [--rounds N] [--quick] [--figure FILE.svg]

Parts, all if none is named:
  comparison     One size, on all cores and on one; then each set of vector instructions
  breakdown      Where the time goes
  growth         Time against d, rho and lambda
  operations     The other operations, next to PyTorch

Options:
  --rounds N     Rounds in which the contestants alternate [default: 7]
  --quick        Small sizes, to try it out
  --figure FILE  Draws the growth as an SVG
  -h, --help     Prints this help

Tables in Markdown go to the standard output, progress to the standard error. PyTorch and NumPy run
by `python3`; a row says so where they are missing.
";

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One size against all peers.
    Comparison,
    /// Where our own time goes.
    Breakdown,
    /// Time against d, ρ and λ.
    Growth,
    /// Other strategies' operations.
    Operations,
}

const PARTS: [(&str, Part); 4] = [
    ("comparison", Part::Comparison),
    ("breakdown", Part::Breakdown),
    ("growth", Part::Growth),
    ("operations", Part::Operations),
];

/// The command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What to measure, in this order.
    pub parts: Vec<Part>,
    /// Rounds of each comparison.
    pub rounds: usize,
    /// Sizes for trying it out.
    pub quick: bool,
    /// Where the drawing goes.
    pub figure: Option<PathBuf>,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    /// If it is wrong, with what was expected.
    pub fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { parts: vec![], rounds: 7, quick: false, figure: None };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--rounds" => {
                    let rounds = args.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0);
                    options.rounds = rounds.ok_or("`--rounds` needs a number above 0")?;
                }
                "--figure" => {
                    let file = args.next().ok_or("`--figure` needs the .svg file to write")?;
                    options.figure = Some(file.into());
                }
                name => match PARTS.iter().find(|(known, _)| *known == name) {
                    Some((_, part)) => options.parts.push(*part),
                    None => {
                        let known = PARTS.map(|(known, _)| known).join(", ");
                        return Err(format!(
                            "got `{name}`, expected one of {known}, --rounds N, --quick or \
                             --figure FILE"
                        )
                        .into());
                    }
                },
            }
        }
        if options.parts.is_empty() {
            options.parts = PARTS.map(|(_, part)| part).to_vec();
        }
        if options.figure.is_some() && !options.parts.contains(&Part::Growth) {
            return Err("`--figure` draws the growth, which is not among the parts".into());
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_line_is_read() {
        assert_eq!(parse("").unwrap().parts.len(), PARTS.len());
        let options = parse("growth --rounds 3 --figure a.svg").unwrap();
        assert_eq!((options.parts, options.rounds), (vec![Part::Growth], 3));
    }

    #[test]
    fn a_wrong_one_is_a_sentence() {
        for wrong in ["--rounds", "--rounds 0", "--figure", "growht", "breakdown --figure a.svg"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
