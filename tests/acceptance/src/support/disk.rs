use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A small file system in memory, mounted on a folder. Unmounted when dropped.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Mounts the file system. Returns `None` if this process may not mount.
    pub(crate) fn mount(folder: &Path, mebibytes: usize) -> Option<Self> {
        let size = format!("size={mebibytes}m,mode=0700");
        command("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", text(folder)])
            .then(|| Self(folder.to_owned()))
    }

    /// Mounts it again with the option `ro` or `rw`. No file may be open for writing.
    pub(crate) fn remount(&self, option: &str) {
        assert!(command("mount", &["-o", &format!("remount,{option}"), text(&self.0)]));
    }

    /// Fills the disk to the last byte.
    pub(crate) fn fill(&self) -> Filler {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[b'x'; 4096]).is_ok() {}
        while file.write_all(b"x").is_ok() {}
        Filler(path)
    }
}

/// A file that takes up all free space of a disk. Removed when dropped.
pub(crate) struct Filler(PathBuf);

impl Filler {
    /// Frees some space.
    pub(crate) fn free(&self, kibibytes: u64) {
        let file = File::options().write(true).open(&self.0).unwrap();
        file.set_len(file.metadata().unwrap().len() - kibibytes * 1024).unwrap();
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        command("umount", &["-l", text(&self.0)]);
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Files that no process can write to, not even one that has them open. Writable again when
/// dropped.
pub(crate) struct Immutable(Vec<PathBuf>);

impl Immutable {
    /// Makes the files immutable.
    pub(crate) fn new(files: &[PathBuf]) -> Self {
        assert!(files.iter().all(|file| command("chattr", &["+i", text(file)])));
        Self(files.to_vec())
    }

    /// Returns whether files in this folder can be made immutable on this machine.
    pub(crate) fn is_possible_in(folder: &Path) -> bool {
        let path = folder.join("probe");
        let mut file = File::create(&path).unwrap();
        let done = command("chattr", &["+i", text(&path)]) && file.write_all(b"x").is_err();
        command("chattr", &["-i", text(&path)]);
        std::fs::remove_file(&path).unwrap();
        done
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.0.iter().for_each(|file| assert!(command("chattr", &["-i", text(file)])));
    }
}

fn command(name: &str, args: &[&str]) -> bool {
    let command = Command::new(name).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    command.is_ok_and(|status| status.success())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
