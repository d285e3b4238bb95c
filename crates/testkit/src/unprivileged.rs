//! Tests that start PostgreSQL, which refuses to run as root.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::scratch::ScratchDir;

/// Where a test that was started again as another user finds its scratch directories.
const SCRATCH: &str = "TWINLOCK_TEST_SCRATCH";

/// The longest that one test may take.
const TEST_BOUND: Duration = Duration::from_secs(240);
/// Written by the second run, because a program that was asked for a test it does not have succeeds.
const RAN: &str = "ran";

/// Runs a test's body as the user `postgres` when the tests run as root, and right here otherwise.
///
/// ```ignore
/// #[test]
/// fn standby_follows() {
///     twinlock_testkit::unprivileged!(async |place: &Place| {});
/// }
/// ```
/// With `small_disk, ` before the body, [`crate::Place::small`] is on a file system of its own with little room.
///
/// The body gets a [`crate::Place`] with empty directories; whatever it leaves running there is killed afterwards.
#[macro_export]
macro_rules! unprivileged {
    (small_disk, $body:expr) => {{
        fn here() {}
        let small = $crate::SmallDisk::Wanted;
        $crate::run_unprivileged(::std::any::type_name_of_val(&here), small, || $crate::block_on($body));
    }};
    ($body:expr) => {{
        fn here() {}
        let small = $crate::SmallDisk::Unused;
        $crate::run_unprivileged(::std::any::type_name_of_val(&here), small, || $crate::block_on($body));
    }};
}

/// Whether a test needs a file system with room for 16 MiB, which only root can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmallDisk {
    /// It does; run by anybody but root, it passes without having been run.
    Wanted,
    /// It does not.
    Unused,
}

/// Runs `body` here, or, as root, this test program once more as `postgres` with only the test that `marker` (the
/// type name of a function inside it) is in.
///
/// # Panics
/// When the test fails there.
pub fn run_unprivileged(marker: &str, small: SmallDisk, body: impl FnOnce()) {
    if !rustix::process::geteuid().is_root() {
        // Only the first run, as root, can have mounted one.
        if small == SmallDisk::Unused || std::env::var_os(SCRATCH).is_some() {
            body();
        }
        return;
    }
    let (user, group) = ids_of("postgres");
    let place = Place::new();
    let mounted = (small == SmallDisk::Wanted).then(|| Mounted::at(place.small("")));
    place.give_to(user, group);
    // The program may lie where that user cannot go; this link leads to it all the same.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", &test_name(marker), "--nocapture", "--include-ignored"]);
    command.env(SCRATCH, place.root()).env("HOME", place.root()).current_dir("/").uid(user).gid(group);
    let mut child = command.spawn().expect("the test program can be started again");
    let status = wait(&mut child);
    let ran = place.disk(RAN).exists();
    drop((mounted, place));
    assert!(status.success(), "the test failed as user postgres: {status}");
    assert!(ran, "no test is called {:?}", test_name(marker));
}

/// A small file system, unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: PathBuf) -> Self {
        std::fs::create_dir(&path).expect("a directory can be made");
        let options = ["-t", "tmpfs", "-o", "size=16m,mode=0777", "twinlock-test"];
        let status = Command::new("mount").args(options).arg(&path).status();
        assert!(status.is_ok_and(|status| status.success()), "root can mount a file system");
        Self(path)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: what still runs in it is killed when the scratch directory around it goes.
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

/// Waits for a test, which must not hang.
fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + TEST_BOUND;
    loop {
        match child.try_wait().expect("it is our child") {
            Some(status) => return status,
            None if Instant::now() >= deadline => {
                child.kill().expect("it is our child");
                child.wait().expect("it is our child");
                panic!("the test did not end within {TEST_BOUND:?}");
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Runs a test's body in a runtime like the agent's.
///
/// # Panics
/// When the body does.
pub fn block_on<F: AsyncFnOnce(&Place)>(body: F) {
    let place = Place::given().unwrap_or_default();
    std::fs::write(place.disk(RAN), b"").expect("the scratch directory can be written to");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(body(&place));
}

/// Scratch directories for one test: on disk and in memory.
#[derive(Debug)]
pub struct Place {
    disk: PathBuf,
    memory: PathBuf,
    owned: Vec<ScratchDir>,
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// Makes new ones; they are removed, and what runs in them killed, when it is dropped.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn new() -> Self {
        let disk = ScratchDir::on_disk();
        let memory = ScratchDir::in_memory();
        std::os::unix::fs::symlink(memory.path(), disk.path().join("memory")).expect("a link can be made");
        Self { disk: disk.path().to_owned(), memory: memory.path().to_owned(), owned: vec![disk, memory] }
    }

    /// Those that the first run of the test program made.
    fn given() -> Option<Self> {
        let disk = PathBuf::from(std::env::var_os(SCRATCH)?);
        let memory = std::fs::read_link(disk.join("memory")).expect("the first run made this link");
        Some(Self { disk, memory, owned: Vec::new() })
    }

    fn give_to(&self, user: u32, group: u32) {
        for directory in &self.owned {
            std::os::unix::fs::chown(directory.path(), Some(user), Some(group))
                .expect("root can give it away");
        }
    }

    fn root(&self) -> &Path {
        &self.disk
    }

    /// A path on disk.
    pub fn disk(&self, name: &str) -> PathBuf {
        self.disk.join(name)
    }

    /// A path on the small file system.
    pub fn small(&self, name: &str) -> PathBuf {
        self.disk.join("small").join(name)
    }

    /// A path on tmpfs.
    pub fn memory(&self, name: &str) -> PathBuf {
        self.memory.join(name)
    }
}

/// The name that the test harness knows a test by: its path without the crate.
fn test_name(marker: &str) -> String {
    let path = marker.strip_suffix("::here").unwrap_or(marker);
    let mut parts: Vec<_> = path.split("::").filter(|part| *part != "{{closure}}").collect();
    parts.remove(0);
    parts.join("::")
}

/// User and group id of a user of this machine.
fn ids_of(user: &str) -> (u32, u32) {
    let passwd = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user));
    let line = line.unwrap_or_else(|| panic!("there is no user {user}: install PostgreSQL"));
    let id =
        |index: usize| line.split(':').nth(index).and_then(|id| id.parse().ok()).expect("an id is a number");
    (id(2), id(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_is_named_by_its_path() {
        assert_eq!(test_name("lifecycle::starts::here"), "starts");
        assert_eq!(test_name("my_crate::a::tests::starts::{{closure}}::here"), "a::tests::starts");
    }

    #[test]
    fn body_runs_as_another_user_than_root() {
        unprivileged!(async |place: &Place| {
            assert!(!rustix::process::geteuid().is_root());
            std::fs::write(place.disk("a"), b"").unwrap();
            std::fs::write(place.memory("a"), b"").unwrap();
        });
    }
}
