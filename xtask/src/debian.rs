//! What we need to know of Debian: who we are, what is installed, and how to install more.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process;

/// Tells the package `postgresql-common`, before it is first installed, to make no server of its own.
const NO_MAIN_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/twinlock-start.conf";

/// Whether this is a Debian (or a descendant) whose packages we may install.
pub(crate) fn can_install() -> bool {
    process::is_root() && process::find_on_path("apt-get").is_some()
}

/// The codename of the installed release, such as `bookworm`.
pub(crate) fn codename() -> Result<String, Failure> {
    let path = Path::new("/etc/os-release");
    let text = std::fs::read_to_string(path).map_err(Failure::file("read", path))?;
    release_codename(&text).ok_or_else(|| {
        Failure::Stopped(
            "/etc/os-release has no VERSION_CODENAME: this does not look like a Debian release".into(),
        )
    })
}

/// Installs packages from the machine's own sources.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    println!("installing {}", packages.join(" "));
    process::output(apt_get().arg("update"))?;
    let quieted = packages.contains(&"postgresql") && !is_installed("postgresql-common");
    if quieted {
        let directory = Path::new(NO_MAIN_CLUSTER).parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(directory).map_err(Failure::file("create", directory))?;
        let path = Path::new(NO_MAIN_CLUSTER);
        std::fs::write(path, "create_main_cluster = false\n").map_err(Failure::file("write", path))?;
    }
    let installed =
        process::output(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages));
    if quieted {
        // It was there for this one installation; what the machine's owner makes later is not our business.
        let path = Path::new(NO_MAIN_CLUSTER);
        std::fs::remove_file(path).map_err(Failure::file("remove", path))?;
    }
    installed.map(drop)
}

/// Whether a package is installed.
pub(crate) fn is_installed(package: &str) -> bool {
    let mut query = process::program("dpkg-query");
    query.args(["--show", "--showformat", "${db:Status-Status}", package]);
    process::output(&mut query).is_ok_and(|status| status == "installed")
}

/// The directories of programs of the installed PostgreSQL versions, newest first.
pub(crate) fn postgres_bindirs() -> Vec<PathBuf> {
    let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bindir)| bindir.join("initdb").is_file())
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, bindir)| bindir).collect()
}

fn apt_get() -> std::process::Command {
    let mut apt = process::program("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-o", "Acquire::Retries=3"]);
    apt
}

fn release_codename(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codename_is_read_with_or_without_quotes() {
        assert_eq!(release_codename("ID=debian\nVERSION_CODENAME=trixie\n").as_deref(), Some("trixie"));
        assert_eq!(release_codename("VERSION_CODENAME=\"forky\"").as_deref(), Some("forky"));
        assert_eq!(release_codename("ID=debian\n"), None);
    }
}
