//! Where developer files live that another user must be able to read.
//!
//! Root's tests run PostgreSQL as the `postgres` user, who often cannot enter the checkout (a home directory is
//! private). What that user must read or execute is therefore kept in a system directory when we are root.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// Used when we are root: nothing in it is needed to run Twinlock, and all of it can be made again.
const SYSTEM_PLACE: &str = "/var/cache/twinlock-dev";

/// The one program that we build for users.
pub(crate) const PROGRAM: &str = "twinlock";

/// The directory for such files, made if absent.
pub(crate) fn shared(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let place = path(workspace);
    std::fs::create_dir_all(&place).map_err(Failure::file("create", &place))?;
    Ok(place)
}

/// The same directory, without making it.
pub(crate) fn path(workspace: &Workspace) -> PathBuf {
    if process::is_root() { PathBuf::from(SYSTEM_PLACE) } else { workspace.target.join("twinlock-dev") }
}

/// Whether `user` may read and execute `path`, through every directory above it.
fn is_executable_by(user: &str, path: &Path) -> bool {
    process::succeeds(process::program("runuser").args(["-u", user, "--", "test", "-x"]).arg(path))
}

/// A directory from which every user can run our programs: `built` itself if the `postgres` user can reach it, else
/// a copy. An agent restarts its own program as that user.
pub(crate) fn programs(workspace: &Workspace, built: &Path) -> Result<PathBuf, Failure> {
    let program = built.join(PROGRAM);
    if !program.is_file() {
        return Err(Failure::Stopped(format!(
            "{} is not built: cargo build --workspace --bins",
            program.display()
        )));
    }
    if !process::is_root() || is_executable_by("postgres", &program) {
        return Ok(built.to_owned());
    }
    let directory = shared(workspace)?.join(built.file_name().unwrap_or_default());
    std::fs::create_dir_all(&directory).map_err(Failure::file("create", &directory))?;
    // Never written in place: an earlier copy may be running.
    process::output(process::program("install").args(["-m", "755", "-C"]).arg(&program).arg(&directory))?;
    Ok(directory)
}
