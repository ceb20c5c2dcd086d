//! `cargo xtask tidy`: the rules of the house that no compiler checks, one a file.

mod code_only;
mod direction;
mod ignored;
mod length;
mod licences;
mod links;
mod rust_files;
mod tree;

use std::fmt;

use crate::failure::Failure;
use tree::Tree;

/// One breach of a rule: where it is, what is there, and what was expected.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    if let Some(arg) = args.first() {
        return Err(Failure::Usage(format!(
            "`cargo xtask tidy` got `{arg}`, expected no argument"
        )));
    }
    let tree = Tree::read()?;
    let mut violations = direction::check_workspace(&tree)?;
    violations.extend(licences::check_dependencies()?);
    violations.extend(links::check_documents(&tree)?);
    for path in tree.rust_files() {
        let text = tree.text(path)?;
        violations.extend(rust_files::check(path, &text));
        violations.extend(length::check(path, &text));
        violations.extend(ignored::check(path, &text));
    }
    violations.sort();
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => {
            eprintln!("tidy: {} files, all as expected", tree.files().len());
            Ok(())
        }
        1 => Err(Failure::Failed("tidy found 1 violation, named above".into())),
        n => Err(Failure::Failed(format!("tidy found {n} violations, named above"))),
    }
}
