//! Downloads the official files of a data set.
//!
//! A file is downloaded beside its place, as `NAME.esgd-part`, checked, and then renamed; so what stands
//! under its name is whole, or somebody else's, and is not touched. A download that was broken off goes on
//! where it stopped.

mod archive;
mod checksum;
mod client;

use std::{fs, io, path::Path};

use crate::{
    catalogue::{CATALOGUE, Download, Entry, Named},
    config::nearest::did_you_mean,
    failure::Failure,
    files::atomic_file,
};
use client::{Client, Retry};

/// What to download.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The data set: `cifar10`, `fashion-mnist` or `mnist`.
    pub name: &'a str,
    /// The folder for the files, which is made if it is not there.
    pub dir: &'a Path,
    /// Another place on the web that has the files.
    pub from: Option<&'a str>,
    /// Who is told how far it is; `&()` is nobody.
    pub watcher: &'a dyn Watcher,
}

/// Somebody who watches downloads.
pub trait Watcher {
    /// A file of so many bytes begins to arrive, or goes on behind those that are `here`.
    fn begin(&self, _file: &str, _bytes: u64, _here: u64) {}

    /// So many bytes of it are here.
    fn received(&self, _bytes: u64) {}

    /// No more of it arrives.
    fn end(&self) {}

    /// Is told something in a sentence.
    fn notice(&self, _text: &str) {}
}

/// Nobody.
impl Watcher for () {}

/// Downloads what is not there yet. Gives the command that trains on it, up to the folder.
///
/// # Errors
/// That there is no such data set, that files of others are in the folder, or that none of the places on the web has the
/// official files.
pub fn run(request: &Request<'_>) -> Result<&'static str, Failure> {
    let Request { name, dir, from, watcher } = *request;
    let found = CATALOGUE.iter().find(|entry| entry.name == name);
    let entry = found.ok_or_else(|| {
        let names = || CATALOGUE.iter().map(|entry| entry.name);
        Failure::Usage(format!(
            "there is no data set `{name}`: expected one of {}{}",
            names().collect::<Vec<_>>().join(", "),
            did_you_mean(name, names())
        ))
    })?;
    if let Some(from) = from {
        if !["http://", "https://"].iter().any(|scheme| from.starts_with(scheme)) {
            return Err(Failure::Usage(format!(
                "--from {from} is no place on the web: expected http://… or https://…, the folder that \
                 has the files"
            )));
        }
    }
    fs::create_dir_all(dir)
        .map_err(|e| Failure::Usage(format!("cannot make the folder {}: {e}", dir.display())))?;
    let client = Client::new(watcher, Retry::DEFAULT);
    for download in entry.files {
        get(&client, entry, download, from, dir)?;
    }
    Ok(entry.then)
}

/// Downloads a file, unless it or what it holds is there and as it should be.
fn get(
    client: &Client<'_>,
    entry: &Entry,
    download: &Download,
    from: Option<&str>,
    dir: &Path,
) -> Result<(), Failure> {
    let wanted = if download.holds.is_empty() {
        std::slice::from_ref(&download.file)
    } else {
        download.holds
    };
    let missing: Vec<Named> = wanted.iter().filter(|file| !is_there(file, dir)).copied().collect();
    if missing.is_empty() {
        client.watcher.notice(&format!("{}: already there", download.file.path));
        return Ok(());
    }
    missing.iter().try_for_each(|file| check_place(file, dir))?;
    let own = from.map(|from| [from]);
    let mirrors = own.as_ref().map_or(entry.mirrors, |own| &own[..]);
    let part = dir.join(format!("{}.esgd-part", download.file.path));
    let mut result = Ok(());
    for mirror in mirrors {
        if let Err(why) = &result {
            client.watcher.notice(&format!("{why}; trying {mirror}"));
        }
        let url = format!("{}/{}", mirror.trim_end_matches('/'), download.file.path);
        result = client.fetch(&url, &download.file, &part);
        if result.is_ok() {
            break;
        }
    }
    result.map_err(Failure::Failed)?;
    let cannot = |e: &dyn std::fmt::Display| {
        Failure::Failed(format!("cannot write into {}: {e}", dir.display()))
    };
    if download.holds.is_empty() {
        check_place(&download.file, dir)?;
        let placed = fs::rename(&part, dir.join(download.file.path));
        return placed.and_then(|()| atomic_file::sync_folder(dir)).map_err(|e| cannot(&e));
    }
    archive::unpack(&part, &missing, dir)?;
    fs::remove_file(&part).map_err(|e| cannot(&e))
}

fn is_there(file: &Named, dir: &Path) -> bool {
    checksum::fault(file, &dir.join(file.path)).is_none()
}

/// Refuses a place where something is already, or that a link leads to.
fn check_place(file: &Named, dir: &Path) -> Result<(), Failure> {
    let path = dir.join(file.path);
    let refused = |path: &Path, what: &str| {
        Err(Failure::Usage(format!(
            "{} {what}, and nothing is overwritten: move it away, or choose another folder with --dir DIR",
            path.display()
        )))
    };
    if let Some(folder) = path.parent().filter(|folder| *folder != dir) {
        if fs::symlink_metadata(folder).is_ok_and(|found| !found.is_dir()) {
            return refused(folder, "is a link or a file where a folder belongs");
        }
    }
    match fs::symlink_metadata(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => refused(&path, &format!("cannot be looked at ({e})")),
        Ok(_) => {
            let fault = checksum::fault(file, &path).unwrap_or_else(|| "it is a link".into());
            refused(&path, &format!("is there and is not the official file ({fault})"))
        }
    }
}

#[cfg(test)]
mod tests;
