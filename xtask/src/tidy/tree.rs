//! The files of the repository: those that git tracks, and new ones that it does not ignore.

use std::fs;

use crate::failure::Failure;
use crate::process::{git, read, root};

pub(super) struct Tree {
    files: Vec<String>,
}

impl Tree {
    pub(super) fn read() -> Result<Self, Failure> {
        let list =
            ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
        let names = read(&mut git(&list))?;
        let names = names.split_terminator('\0');
        // Git goes on listing a deleted file until the deletion is staged.
        let files = names.filter(|name| root().join(name).is_file()).map(String::from).collect();
        Ok(Self { files })
    }

    /// Paths relative to the root, with `/` between folders.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    pub(super) fn rust_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(|path| path.ends_with(".rs"))
    }

    pub(super) fn text(&self, path: &str) -> Result<String, Failure> {
        fs::read_to_string(root().join(path)).map_err(|error| {
            Failure::Failed(format!("{path} could not be read ({error}), expected UTF-8 text"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_file_is_in_the_tree() {
        // Outside a git checkout, such as an unpacked archive, there is nothing to list.
        if !root().join(".git").exists() {
            return;
        }
        let tree = Tree::read().unwrap();
        let here = tree.rust_files().find(|path| *path == "xtask/src/tidy/tree.rs").unwrap();
        assert!(tree.text(here).unwrap().starts_with("//!"));
    }
}
