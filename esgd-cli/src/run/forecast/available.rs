//! Memory that is left: of the machine's, and of what each group of processes that this one is in may take
//! (Linux's cgroups, of both versions, which containers and schedulers limit).

use std::{
    fs,
    path::{Path, PathBuf},
};

use esgd_models::regular_file::{self, Links};
use sysinfo::System;

/// The most that is read of a file of the system's, in bytes.
const MOST: u64 = 1 << 20;

/// Bytes that are left for this process.
pub(super) fn available() -> u64 {
    let mut system = System::new();
    system.refresh_memory();
    let free = system.available_memory();
    left_in_groups(Path::new("/")).map_or(free, |left| free.min(left))
}

/// Bytes that are left in the narrowest of the groups, on a machine whose files are under `root`; nothing if
/// no group is limited.
fn left_in_groups(root: &Path) -> Option<u64> {
    let groups = text(&root.join("proc/self/cgroup"))?;
    let mounts = text(&root.join("proc/self/mountinfo"))?;
    let folders = mounts.lines().filter_map(Mount::of).flat_map(|mount| {
        let group = groups.lines().find_map(|line| mount.version.group(line));
        group.map_or(vec![], |group| mount.folders(group, root))
    });
    folders.filter_map(|(version, folder)| version.left(&folder)).min()
}

/// A version of cgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// The group that a line of /proc/self/cgroup names, `NUMBER:CONTROLLERS:GROUP`, if it is one for memory.
    fn group(self, line: &str) -> Option<&str> {
        let mut fields = line.splitn(3, ':');
        let (number, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
        let is_it = match self {
            Self::One => controllers.split(',').any(|name| name == "memory"),
            Self::Two => number == "0" && controllers.is_empty(),
        };
        is_it.then_some(group)
    }

    /// Bytes that are left in the group of this folder, if it has a limit.
    fn left(self, folder: &Path) -> Option<u64> {
        let number = |name: &str| text(&folder.join(name))?.trim().parse::<u64>().ok();
        let (limit, used) = match self {
            Self::One => (number("memory.limit_in_bytes")?, number("memory.usage_in_bytes")),
            // `max`, which is no number, is no limit.
            Self::Two => (number("memory.max")?, number("memory.current")),
        };
        let used = used.unwrap_or(0).saturating_sub(self.reclaimable(folder));
        Some(limit.saturating_sub(used))
    }

    /// Bytes that count as used and are given up when they are needed: files that have been read.
    fn reclaimable(self, folder: &Path) -> u64 {
        let statistics = text(&folder.join("memory.stat")).unwrap_or_default();
        let value = |name: &str| {
            let of = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
            statistics.lines().find_map(of).unwrap_or(0u64)
        };
        let names = match self {
            // With all groups within.
            Self::One => ["total_inactive_file", "total_active_file"],
            Self::Two => ["inactive_file", "active_file"],
        };
        names.into_iter().map(value).fold(0, u64::saturating_add)
    }
}

/// Where groups are folders.
struct Mount<'a> {
    version: Version,
    /// The group that is the folder itself: a container may see no more.
    root: &'a str,
    folder: &'a str,
}

impl<'a> Mount<'a> {
    /// From a line of /proc/self/mountinfo: `ID PARENT DEVICE ROOT FOLDER OPTIONS … - TYPE SOURCE OPTIONS`.
    fn of(line: &'a str) -> Option<Self> {
        let (place, file_system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, folder) = (place.next()?, place.next()?);
        let mut fields = file_system.split(' ');
        let version = match (fields.next()?, fields.nth(1)?) {
            ("cgroup2", _) => Version::Two,
            ("cgroup", options) if options.split(',').any(|name| name == "memory") => Version::One,
            _ => return None,
        };
        Some(Self { version, root, folder })
    }

    /// The folders of a group and of all that it is in.
    fn folders(&self, group: &str, root: &Path) -> Vec<(Version, PathBuf)> {
        let folder = root.join(self.folder.trim_start_matches('/'));
        let within = Path::new(group).strip_prefix(self.root).unwrap_or(Path::new(group));
        let within = within.strip_prefix("/").unwrap_or(within);
        // A group outside of what this process sees is named with `..`.
        let plain = !within.components().any(|part| part == std::path::Component::ParentDir);
        let within = if plain { within } else { Path::new("") };
        within.ancestors().map(|group| (self.version, folder.join(group))).collect()
    }
}

fn text(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    regular_file::read_text(&path, MOST, Links::Follow).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
    const ONE: &str = "30 23 0:27 / / rw - ext4 /dev/sda rw\n\
                       33 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                       35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n";

    /// What is left on a machine with these files.
    fn left(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        let proc = [("proc/self/cgroup", groups), ("proc/self/mountinfo", mounts)];
        for (path, contents) in proc.iter().chain(files) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        left_in_groups(root.path())
    }

    #[test]
    fn of_version_2_the_narrowest_group_counts_without_files_that_were_read() {
        let of = |inner: &str, outer: &str| {
            left(
                "0::/a/b\n",
                TWO,
                &[
                    ("sys/fs/cgroup/a/b/memory.max", inner),
                    ("sys/fs/cgroup/a/b/memory.current", "300\n"),
                    (
                        "sys/fs/cgroup/a/b/memory.stat",
                        "anon 100\ninactive_file 150\nactive_file 50\n",
                    ),
                    ("sys/fs/cgroup/a/memory.max", outer),
                    ("sys/fs/cgroup/a/memory.current", "700\n"),
                    ("sys/fs/cgroup/a/memory.stat", "inactive_file 0\n"),
                ],
            )
        };
        assert_eq!(of("1000\n", "max\n"), Some(900));
        assert_eq!(of("1000\n", "1200\n"), Some(500));
        assert_eq!(of("max\n", "1200\n"), Some(500));
        assert_eq!(of("1000\n", "600\n"), Some(0));
        assert_eq!(of("max\n", "max\n"), None);
    }

    #[test]
    fn of_version_1_the_narrowest_group_counts_too() {
        let files = [
            ("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "300\n"),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2000\n"),
            ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "700\n"),
            (
                "sys/fs/cgroup/memory/a/memory.stat",
                "inactive_file 1\ntotal_inactive_file 200\ntotal_active_file 100\n",
            ),
        ];
        let groups = "9:name=systemd:/x\n4:cpu,memory:/a/b\n0::/\n";
        assert_eq!(left(groups, ONE, &files), Some(1600));
        // Where both are there, the other one has no memory.
        let both = format!("{ONE}{}", TWO.replace("/cgroup rw", "/cgroup/unified rw"));
        assert_eq!(left(groups, &both, &files), Some(1600));
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        let limit = [
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "500"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "100"),
        ];
        let mounted = ONE.replace("0:32 /", "0:32 /docker/1");
        assert_eq!(left("4:memory:/docker/1\n", &mounted, &limit), Some(400));
        let within = [limit[0], limit[1], ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "70")];
        assert_eq!(left("4:memory:/docker/1/x\n", &mounted, &within), Some(70));
        // The mount says nothing of it.
        assert_eq!(left("4:memory:/docker/1\n", ONE, &limit), Some(400));
        let outside = [("sys/fs/cgroup/memory.max", "70"), ("sys/fs/cgroup/memory.current", "20")];
        assert_eq!(left("0::/../../x\n", TWO, &outside), Some(50));
    }

    #[test]
    fn what_is_not_there_or_says_nothing_is_no_limit() {
        assert_eq!(left("", "", &[]), None);
        assert_eq!(left("0::/\n", TWO, &[]), None);
        assert_eq!(left("0::/\n", TWO, &[("sys/fs/cgroup/memory.max", "many")]), None);
        assert_eq!(left("what", "ever - x", &[]), None);
        assert!(left_in_groups(Path::new("/nowhere")).is_none());
        assert!(available() > 0);
    }
}
