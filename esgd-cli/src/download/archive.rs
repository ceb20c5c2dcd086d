//! Unpacking an archive: the files that are wanted, and nothing outside the folder.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
};

use esgd_models::regular_file::{self, Links};
use flate2::read::GzDecoder;
use tar::{Archive, EntryType};
use tempfile::NamedTempFile;

use super::{Named, check_place, checksum};
use crate::{failure::Failure, files::atomic_file};

/// Unpacks the files named from a .tar.gz into `dir`, each checked and then renamed to its place.
pub(super) fn unpack(archive: &Path, wanted: &[Named], dir: &Path) -> Result<(), Failure> {
    let fault = |what: String| {
        Failure::Failed(format!("the archive {} {what}: nothing of it is used", archive.display()))
    };
    let damaged = |e: io::Error| fault(format!("is damaged ({e})"));
    let cannot =
        |e: io::Error| Failure::Failed(format!("cannot write into {}: {e}", dir.display()));
    let mut ready: Vec<(NamedTempFile, &Named)> = vec![];
    let file = regular_file::open(archive, Links::Refuse)
        .map_err(|e| Failure::Failed(format!("cannot read {}: {e}", archive.display())))?;
    let mut tar = Archive::new(GzDecoder::new(file));
    for entry in tar.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(fault(format!("has a file outside its folder, {}", path.display())));
        }
        if matches!(entry.header().entry_type(), EntryType::Symlink | EntryType::Link) {
            return Err(fault(format!("has a link, {}", path.display())));
        }
        // `./a` is another spelling of `a`.
        let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
        let Some(file) = wanted.iter().find(|file| Path::new(file.path) == path) else { continue };
        let mut contents = vec![];
        // One byte more than expected shows that there is too much.
        entry.take(file.size + 1).read_to_end(&mut contents).map_err(damaged)?;
        let mut to = atomic_file::beside(dir).map_err(cannot)?;
        to.write_all(&contents).map_err(cannot)?;
        to.as_file().sync_all().map_err(cannot)?;
        if let Some(what) = checksum::fault(file, to.path()) {
            return Err(fault(format!("has another {} than the official one: {what}", file.path)));
        }
        ready.push((to, file));
    }
    if let Some(missing) =
        wanted.iter().find(|file| !ready.iter().any(|(_, found)| found.path == file.path))
    {
        return Err(fault(format!("has no {}", missing.path)));
    }
    for (temporary, file) in ready {
        let place = dir.join(file.path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(cannot)?;
        }
        check_place(file, dir)?;
        temporary.persist(&place).map_err(|e| cannot(e.error))?;
    }
    Ok(())
}
