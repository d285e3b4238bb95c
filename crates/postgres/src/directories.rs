//! Where an instance keeps its files.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::PostgresError;

const TMPFS_MAGIC: u64 = 0x0102_1994;
const RAMFS_MAGIC: u64 = 0x8584_58f6;
/// Longest path of a socket that the kernel takes, without the zero byte at its end.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Where an instance keeps its files. All belong to the user that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// The data directory. Its parent must be writable: replacements are prepared beside it.
    pub data: PathBuf,
    /// Configuration, keys and socket, on a memory file system: `conf/`, `pem/`, `socket/`.
    pub runtime: PathBuf,
    /// Where PostgreSQL writes its log.
    pub log: PathBuf,
}

/// Whether the runtime directory may be on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimePlace {
    /// Refuse anything but tmpfs or ramfs.
    MemoryOnly,
    /// Private keys may reach the disk: somebody accepted that.
    Anywhere,
}

impl Directories {
    /// Makes the runtime and log directories, private to their owner.
    ///
    /// # Errors
    /// When the runtime directory is not in memory although it must be, its path is too long for a socket, or a
    /// directory cannot be made.
    pub fn prepare(&self, place: RuntimePlace) -> Result<(), PostgresError> {
        let longest = self.socket().as_os_str().len() + "/.s.PGSQL.65535.lock".len();
        if longest > SOCKET_PATH_BYTES_MAX {
            return Err(PostgresError::Unusable {
                what: "the runtime directory",
                value: self.runtime.display().to_string(),
                reason: "a socket in it would have a path longer than 107 bytes",
            });
        }
        make_private(&self.runtime)?;
        if place == RuntimePlace::MemoryOnly && !is_in_memory(&self.runtime)? {
            return Err(PostgresError::RuntimeNotInMemory { path: self.runtime.clone() });
        }
        for directory in [&self.conf(), &self.pem(), &self.socket(), &self.log] {
            make_private(directory)?;
        }
        Ok(())
    }

    /// Rendered configuration.
    pub fn conf(&self) -> PathBuf {
        self.runtime.join("conf")
    }

    /// Certificates and keys, one directory for each generation.
    pub fn pem(&self) -> PathBuf {
        self.runtime.join("pem")
    }

    /// Directory of the Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("socket")
    }

    /// A directory beside the data directory, for a replacement that is being prepared or for a mark.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.data.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.data.with_file_name(name)
    }
}

/// Makes a directory, and its parents, that only its owner can enter.
pub(crate) fn make_private(path: &Path) -> Result<(), PostgresError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(PostgresError::file("make directory", path))?;
    let mode = fs::metadata(path).map_err(PostgresError::file("look at", path))?.mode();
    if mode & 0o077 != 0 {
        let private = Permissions::from_mode(0o700);
        fs::set_permissions(path, private).map_err(PostgresError::file("make private", path))?;
    }
    Ok(())
}

fn is_in_memory(path: &Path) -> Result<bool, PostgresError> {
    let statistics =
        rustix::fs::statfs(path).map_err(|errno| PostgresError::file("look at", path)(errno.into()))?;
    #[expect(clippy::cast_sign_loss, reason = "the type differs between architectures")]
    let kind = statistics.f_type as u64 & 0xFFFF_FFFF;
    Ok(kind == TMPFS_MAGIC || kind == RAMFS_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(root: &Path) -> Directories {
        Directories { data: root.join("data"), runtime: root.join("run"), log: root.join("log") }
    }

    #[test]
    fn runtime_on_disk_is_refused_unless_told() {
        let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let directories = below(disk.path());
        if is_in_memory(disk.path()).unwrap() {
            return;
        }
        let error = directories.prepare(RuntimePlace::MemoryOnly).unwrap_err();
        assert!(matches!(error, PostgresError::RuntimeNotInMemory { .. }), "{error}");
        directories.prepare(RuntimePlace::Anywhere).unwrap();
    }

    #[test]
    fn directories_are_private_even_when_they_were_not() {
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        let directories = below(memory.path());
        fs::create_dir(&directories.runtime).unwrap();
        fs::set_permissions(&directories.runtime, Permissions::from_mode(0o755)).unwrap();
        directories.prepare(RuntimePlace::MemoryOnly).unwrap();
        for path in [&directories.runtime, &directories.pem(), &directories.socket(), &directories.log] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o700, "{}", path.display());
        }
    }

    #[test]
    fn path_too_long_for_a_socket_is_refused() {
        let directories = below(&Path::new("/dev/shm").join("x".repeat(90)));
        let error = directories.prepare(RuntimePlace::MemoryOnly).unwrap_err();
        assert!(matches!(error, PostgresError::Unusable { .. }), "{error}");
        assert!(!directories.runtime.exists());
    }
}
