//! What lies below a path: is the disk encrypted, and how much room is left.
//! Spec: sysfs (Documentation/ABI: `dev/block`, `dm/uuid`, `slaves`, `loop/backing_file`), proc(5) `mountinfo`;
//! cryptsetup names its device-mapper devices `CRYPT-<TYPE>-…`.
//!
//! From the file system's device down through every mapping, array and loop file to the disks. Only what the kernel
//! itself encrypts is seen; a self-encrypting disk or an encrypted folder is not.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use coffer_core::host::{DiskEncryption, DiskFacts};
use rustix::fs::{major, minor, statvfs};

/// Deepest stack of devices followed. Real ones have about five; a loop file on its own disk would go on for ever.
const MAX_DEPTH: usize = 16;

/// Kinds of cryptsetup device that check data without hiding it, or are only a part of the real one.
const NOT_HIDING: [&str; 3] = ["VERITY-", "INTEGRITY-", "SUBDEV-"];

/// The disks of this machine.
pub(crate) struct Disk {
    sysfs: PathBuf,
    mountinfo: PathBuf,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self { sysfs: "/sys".into(), mountinfo: "/proc/self/mountinfo".into() }
    }

    /// Encryption under an existing path.
    fn under_path(&self, path: &Path, depth: usize) -> DiskEncryption {
        let Ok(facts) = fs::metadata(path) else { return DiskEncryption::Unknown };
        // Major 0 stands for file systems without one device of their own: btrfs, overlay, network, memory.
        if major(facts.dev()) == 0 { self.under_mount(path, depth) } else { self.under_device(facts.dev(), depth) }
    }

    /// Encryption under a path on a file system that names its device in the mount table only.
    fn under_mount(&self, path: &Path, depth: usize) -> DiskEncryption {
        let Some(mount) = fs::canonicalize(path).ok().and_then(|path| self.mount_of(&path)) else {
            return DiskEncryption::Unknown;
        };
        match fs::metadata(&mount.source) {
            Ok(facts) if facts.file_type().is_block_device() => {
                let devices = if mount.kind == "btrfs" { self.btrfs_devices(facts.rdev()) } else { Vec::new() };
                if devices.is_empty() {
                    self.under_device(facts.rdev(), depth)
                } else {
                    all(devices.iter().map(|number| self.under_number(number, depth)))
                }
            }
            Ok(_) | Err(_) => DiskEncryption::Unknown,
        }
    }

    /// The mount that holds `path`: of those at the longest prefix, the last, which hides the others.
    fn mount_of(&self, path: &Path) -> Option<Mount> {
        let table = fs::read(&self.mountinfo).ok()?;
        table
            .split(|&byte| byte == b'\n')
            .filter_map(Mount::parse)
            .filter(|mount| path.starts_with(&mount.point))
            .max_by_key(|mount| mount.point.components().count())
    }

    /// Numbers of all devices of the btrfs that has `device` among them.
    fn btrfs_devices(&self, device: u64) -> Vec<String> {
        let number = number(device);
        children(&self.sysfs.join("fs/btrfs"))
            .map(|file_system| numbers(&file_system.join("devices")))
            .find(|devices| devices.contains(&number))
            .unwrap_or_default()
    }

    fn under_device(&self, device: u64, depth: usize) -> DiskEncryption {
        self.under_number(&number(device), depth)
    }

    /// Encryption at or below the block device with this `major:minor`.
    fn under_number(&self, number: &str, depth: usize) -> DiskEncryption {
        let Some(depth) = depth.checked_sub(1) else { return DiskEncryption::Unknown };
        let Ok(mut device) = fs::canonicalize(self.sysfs.join("dev/block").join(number)) else {
            return DiskEncryption::Unknown;
        };
        // A partition stands inside its disk, which may itself be an array or a loop file.
        if device.join("partition").exists() && !device.pop() {
            return DiskEncryption::Unknown;
        }
        if read_line(&device.join("dm/uuid")).is_some_and(|uuid| hides_data(&uuid)) {
            return DiskEncryption::Encrypted;
        }
        if let Some(file) = read_line(&device.join("loop/backing_file")) {
            return self.under_path(Path::new(&file), depth);
        }
        let below = numbers(&device.join("slaves"));
        if below.is_empty() {
            DiskEncryption::NotSeen
        } else {
            all(below.iter().map(|number| self.under_number(number, depth)))
        }
    }
}

impl DiskFacts for Disk {
    fn encryption(&self, path: &Path) -> DiskEncryption {
        existing(path).map_or(DiskEncryption::Unknown, |path| self.under_path(path, MAX_DEPTH))
    }

    fn free_bytes(&self, path: &Path) -> Option<u64> {
        let facts = statvfs(existing(path)?).ok()?;
        facts.f_bavail.checked_mul(facts.f_frsize)
    }
}

/// One line of the mount table.
struct Mount {
    point: PathBuf,
    kind: String,
    source: PathBuf,
}

impl Mount {
    /// `id parent major:minor root POINT options [optional…] - KIND SOURCE options`
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b' ');
        let point = fields.nth(4).map(unescape)?;
        fields.find(|field| *field == b"-")?;
        let kind = String::from_utf8(fields.next()?.to_vec()).ok()?;
        let source = fields.next().map(unescape)?;
        Some(Self { point, kind, source })
    }
}

/// Reads the mount table's `\ooo` for space, tab, newline and backslash.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..3).filter(|_| first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &tail[3..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

/// The nearest part of `path` that exists: what is not there yet will lie on the same disk.
fn existing(path: &Path) -> Option<&Path> {
    path.ancestors()
        .map(|part| if part.as_os_str().is_empty() { Path::new(".") } else { part })
        .find(|part| part.exists())
}

/// Whether a device-mapper name is that of a mapping which encrypts.
fn hides_data(uuid: &str) -> bool {
    uuid.strip_prefix("CRYPT-").is_some_and(|kind| !NOT_HIDING.iter().any(|other| kind.starts_with(other)))
}

/// What holds for data spread over several devices: one that is open opens the whole.
fn all(devices: impl Iterator<Item = DiskEncryption>) -> DiskEncryption {
    devices
        .reduce(|left, right| match (left, right) {
            (DiskEncryption::NotSeen, _) | (_, DiskEncryption::NotSeen) => DiskEncryption::NotSeen,
            (DiskEncryption::Unknown, _) | (_, DiskEncryption::Unknown) => DiskEncryption::Unknown,
            (DiskEncryption::Encrypted, DiskEncryption::Encrypted) => DiskEncryption::Encrypted,
        })
        .unwrap_or(DiskEncryption::Unknown)
}

fn number(device: u64) -> String {
    format!("{}:{}", major(device), minor(device))
}

/// The `major:minor` of every device listed in a sysfs folder.
fn numbers(folder: &Path) -> Vec<String> {
    children(folder).filter_map(|device| read_line(&device.join("dev"))).collect()
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn read_line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.trim_end_matches('\n');
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sysfs of our own: this machine's disks cannot be made to look like every stack.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn disk(&self) -> Disk {
            Disk { sysfs: self.0.path().to_owned(), mountinfo: self.0.path().join("mountinfo") }
        }

        /// Adds device `number` at `devices/<place>` upon the devices `below`, with extra files.
        fn device(&self, number: &str, place: &str, below: &[&str], files: &[(&str, &str)]) -> &Self {
            let folder = self.0.path().join("devices").join(place);
            fs::create_dir_all(folder.join("slaves")).unwrap();
            fs::write(folder.join("dev"), format!("{number}\n")).unwrap();
            for (name, text) in files {
                fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
                fs::write(folder.join(name), text).unwrap();
            }
            for place in below {
                let name = place.replace('/', "!");
                let link = folder.join("slaves").join(name);
                std::os::unix::fs::symlink(self.0.path().join("devices").join(place), link).unwrap();
            }
            let by_number = self.0.path().join("dev/block");
            fs::create_dir_all(&by_number).unwrap();
            std::os::unix::fs::symlink(&folder, by_number.join(number)).unwrap();
            self
        }

        fn under(&self, number: &str) -> DiskEncryption {
            self.disk().under_number(number, MAX_DEPTH)
        }
    }

    #[test]
    fn encryption_is_found_at_any_height_of_the_stack() {
        let tree = Tree::new();
        tree.device("8:0", "sda", &[], &[])
            .device("8:3", "sda/sda3", &[], &[("partition", "3\n")])
            .device("253:0", "dm-0", &["sda/sda3"], &[("dm/uuid", "CRYPT-LUKS2-0123-luks\n")])
            .device("253:1", "dm-1", &["dm-0"], &[("dm/uuid", "LVM-abc\n")]);
        assert_eq!(tree.under("253:0"), DiskEncryption::Encrypted);
        assert_eq!(tree.under("253:1"), DiskEncryption::Encrypted);
        assert_eq!(tree.under("8:3"), DiskEncryption::NotSeen);
        assert_eq!(tree.under("9:9"), DiskEncryption::Unknown);
    }

    #[test]
    fn a_partition_of_an_array_counts_by_what_the_array_lies_on() {
        let tree = Tree::new();
        tree.device("253:0", "dm-0", &[], &[("dm/uuid", "CRYPT-PLAIN-x")]).device("9:0", "md0", &["dm-0"], &[]).device(
            "259:0",
            "md0/md0p1",
            &[],
            &[("partition", "1")],
        );
        assert_eq!(tree.under("259:0"), DiskEncryption::Encrypted);
    }

    #[test]
    fn one_open_device_opens_the_whole() {
        let tree = Tree::new();
        tree.device("8:0", "sda", &[], &[]).device("253:0", "dm-0", &[], &[("dm/uuid", "CRYPT-LUKS1-x")]).device(
            "253:1",
            "dm-1",
            &["dm-0", "sda"],
            &[("dm/uuid", "LVM-x")],
        );
        assert_eq!(tree.under("253:1"), DiskEncryption::NotSeen);
    }

    #[test]
    fn integrity_without_secrecy_is_not_encryption() {
        let tree = Tree::new();
        tree.device("8:0", "sda", &[], &[]).device("253:0", "dm-0", &["sda"], &[("dm/uuid", "CRYPT-VERITY-x")]).device(
            "253:1",
            "dm-1",
            &["sda"],
            &[("dm/uuid", "CRYPT-INTEGRITY-x")],
        );
        assert_eq!(tree.under("253:0"), DiskEncryption::NotSeen);
        assert_eq!(tree.under("253:1"), DiskEncryption::NotSeen);
    }

    #[test]
    fn devices_that_lie_on_each_other_end_in_unknown() {
        let tree = Tree::new();
        tree.device("253:0", "dm-0", &["dm-1"], &[]).device("253:1", "dm-1", &["dm-0"], &[]);
        assert_eq!(tree.under("253:0"), DiskEncryption::Unknown);
    }

    #[test]
    fn the_innermost_and_newest_mount_counts() {
        let tree = Tree::new();
        let table = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
                     2 1 0:40 /@home /home/with\\040space rw shared:1 - btrfs /dev/mapper/old rw\n\
                     3 2 0:41 / /home/with\\040space rw shared:2 master:1 - btrfs /dev/mapper/new rw\n\
                     damaged line\n";
        fs::write(tree.0.path().join("mountinfo"), table).unwrap();
        let source = |path: &str| tree.disk().mount_of(Path::new(path)).unwrap().source;
        assert_eq!(source("/home/with space/vault"), Path::new("/dev/mapper/new"));
        assert_eq!(source("/home/with"), Path::new("/dev/sda1"));
    }

    #[test]
    fn every_device_of_a_btrfs_is_looked_at() {
        let tree = Tree::new();
        tree.device("8:0", "sda", &[], &[]).device("8:16", "sdb", &[], &[]);
        let devices = tree.0.path().join("fs/btrfs/1234/devices");
        fs::create_dir_all(&devices).unwrap();
        for name in ["sda", "sdb"] {
            std::os::unix::fs::symlink(tree.0.path().join("devices").join(name), devices.join(name)).unwrap();
        }
        let mut found = tree.disk().btrfs_devices(rustix::fs::makedev(8, 16));
        found.sort();
        assert_eq!(found, ["8:0", "8:16"]);
        assert!(tree.disk().btrfs_devices(rustix::fs::makedev(8, 32)).is_empty());
    }

    #[test]
    fn a_loop_file_counts_by_the_disk_it_lies_on() {
        let tree = Tree::new();
        let missing = tree.0.path().join("no such file");
        tree.device("7:0", "loop0", &[], &[("loop/backing_file", missing.to_str().unwrap())]);
        assert_eq!(tree.under("7:0"), DiskEncryption::Unknown);
    }

    #[test]
    fn this_machine_answers_for_paths_that_do_not_exist_yet() {
        let disk = Disk::new();
        let missing = Path::new("/tmp/no/such/folder");
        assert_eq!(disk.encryption(missing), disk.encryption(Path::new("/tmp")));
        assert!(disk.free_bytes(missing).unwrap() > 0);
        // Kernel memory, not a disk.
        assert_eq!(disk.encryption(Path::new("/proc")), DiskEncryption::Unknown);
    }
}
