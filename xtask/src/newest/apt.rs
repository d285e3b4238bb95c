//! The machine's apt, pointed at one newer suite and at state of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::failure::Failure;
use crate::process;

/// Where Debian keeps the keys of its archive; the ending changed with trixie's successor.
const KEYRINGS: &[&str] =
    &["usr/share/keyrings/debian-archive-keyring.gpg", "usr/share/keyrings/debian-archive-keyring.pgp"];

/// Points the programs at their own loader; it comes from the same suite and runs by that suite's loader.
pub(super) const PATCHELF: &str = "patchelf";

/// An apt that knows one suite and thinks that nothing is installed.
pub(super) struct Apt {
    directory: PathBuf,
}

/// A PostgreSQL server package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) major: u32,
    pub(super) version: String,
}

impl Apt {
    /// Reads the package lists of `suite` from the machine's own mirror.
    ///
    /// A machine may be too old to know the keys that sign the suite. Its own release then has a newer keyring
    /// package, which the keys that it does know vouch for; that one is unpacked and used.
    pub(super) fn open(directory: &Path, suite: &str) -> Result<Self, Failure> {
        let mirror = machine_mirror()?;
        let own_keys = keyring_in(Path::new("/"))?;
        let first = Self::configured(directory, &mirror, &[suite], &own_keys)?;
        if first.update().is_ok() {
            return Ok(first);
        }
        let newer_keys = newer_keyring(&directory.join("keys"), &mirror, &own_keys)?;
        let second = Self::configured(directory, &mirror, &[suite], &newer_keys)?;
        second.update()?;
        Ok(second)
    }

    fn configured(directory: &Path, mirror: &str, suites: &[&str], keys: &Path) -> Result<Self, Failure> {
        for part in ["lists/partial", "archives/partial", "debs"] {
            let path = directory.join(part);
            std::fs::create_dir_all(&path).map_err(Failure::file("create", &path))?;
        }
        write(&directory.join("status"), "")?;
        write(&directory.join("suite.sources"), &sources(mirror, suites, keys))?;
        write(&directory.join("apt.conf"), &configuration(directory))?;
        if process::is_root() {
            // apt fetches as this user; where it does not exist apt fetches as root and says so.
            let _given = process::succeeds(process::program("chown").arg("_apt").arg(directory.join("debs")));
        }
        Ok(Self { directory: directory.to_owned() })
    }

    fn update(&self) -> Result<(), Failure> {
        process::output(self.tool("apt-get").args(["-o", "APT::Update::Error-Mode=any", "update"])).map(drop)
    }

    /// The newest server package up to a major version, if it is newer than what the machine has.
    pub(super) fn newest_postgres(&self, major_max: u32) -> Result<Package, Failure> {
        let names = process::output(self.tool("apt-cache").args(["pkgnames", "postgresql-"]))?;
        let major = newest_major(&names, major_max)
            .ok_or_else(|| Failure::Stopped(format!("the suite has no postgresql-N up to {major_max}")))?;
        let name = format!("postgresql-{major}");
        let shown = process::output(self.tool("apt-cache").args(["show", "--no-all-versions", &name]))?;
        let version = field(&shown, "Version")
            .ok_or_else(|| Failure::Stopped(format!("apt-cache told no version of {name}")))?;
        Ok(Package { name, major, version: version.to_owned() })
    }

    /// Downloads the server, its clients and every library that they need.
    pub(super) fn download(&self, package: &Package) -> Result<Vec<PathBuf>, Failure> {
        let client = format!("postgresql-client-{}", package.major);
        let wanted = [package.name.as_str(), client.as_str(), PATCHELF];
        let mut plan = self.tool("apt-get");
        plan.args(["install", "--no-install-recommends", "--print-uris", "-qq", "-y"]).args(wanted);
        let names = needed(&process::output(&mut plan)?, &wanted);
        let debs = self.directory.join("debs");
        process::output(self.tool("apt-get").current_dir(&debs).args(["-q", "download"]).args(&names))?;
        let entries = std::fs::read_dir(&debs).map_err(Failure::file("list", &debs))?;
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = process::program(name);
        // `-c` is read after the machine's own configuration (whose proxies hold here too) and so wins over it.
        command.arg("-c").arg(self.directory.join("apt.conf")).args(["-o", "Acquire::Retries=3"]);
        command.env("LC_ALL", "C.UTF-8");
        command
    }
}

/// Unpacks packages into one tree. Nothing of them is executed.
pub(super) fn unpack(debs: &[PathBuf], tree: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(tree).map_err(Failure::file("create", tree))?;
    for deb in debs {
        process::output(process::program("dpkg-deb").arg("--extract").arg(deb).arg(tree))?;
    }
    Ok(())
}

/// The mirror from which this machine gets its own release.
fn machine_mirror() -> Result<String, Failure> {
    let codename = debian::codename()?;
    let format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    let mut targets = process::program("apt-get");
    targets.args(["indextargets", "--format", format, "Created-By: Packages"]);
    mirror_of(&process::output(&mut targets)?, &codename).ok_or_else(|| {
        Failure::Stopped(format!(
            "apt on this machine knows no source of {codename}: add one, or install nothing newer"
        ))
    })
}

fn newer_keyring(directory: &Path, mirror: &str, own_keys: &Path) -> Result<PathBuf, Failure> {
    let codename = debian::codename()?;
    let updates = format!("{codename}-updates");
    let apt = Apt::configured(directory, mirror, &[&codename, &updates], own_keys)?;
    apt.update()?;
    let debs = directory.join("debs");
    process::output(apt.tool("apt-get").current_dir(&debs).args([
        "-q",
        "download",
        "debian-archive-keyring",
    ]))?;
    let entries = std::fs::read_dir(&debs).map_err(Failure::file("list", &debs))?;
    let tree = directory.join("root");
    unpack(&entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>(), &tree)?;
    keyring_in(&tree)
}

fn keyring_in(root: &Path) -> Result<PathBuf, Failure> {
    let found = KEYRINGS.iter().map(|keyring| root.join(keyring)).find(|path| path.is_file());
    found.ok_or_else(|| {
        Failure::Stopped("the keys of Debian's archive are missing: install debian-archive-keyring".into())
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(Failure::file("write", path))
}

fn sources(mirror: &str, suites: &[&str], keys: &Path) -> String {
    format!(
        "Types: deb\nURIs: {mirror}\nSuites: {}\nComponents: main\nSigned-By: {}\n",
        suites.join(" "),
        keys.display()
    )
}

/// State of our own, no preferences, no package contents lists, and none of the machine's hooks.
fn configuration(directory: &Path) -> String {
    let at = |name: &str| directory.join(name).display().to_string();
    format!(
        "Dir::State \"{state}\";\n\
         Dir::State::lists \"{lists}\";\n\
         Dir::State::status \"{status}\";\n\
         Dir::Cache \"{state}\";\n\
         Dir::Cache::archives \"{archives}\";\n\
         Dir::Etc::sourcelist \"{sources}\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
         #clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n",
        state = directory.display(),
        lists = at("lists"),
        status = at("status"),
        archives = at("archives"),
        sources = at("suite.sources"),
    )
}

fn mirror_of(targets: &str, codename: &str) -> Option<String> {
    let mirror = targets.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (uri, release, component) = (words.next()?, words.next()?, words.next()?);
        (release == codename && component == "main").then_some(uri)
    })?;
    Some(mirror.to_owned())
}

fn newest_major(package_names: &str, major_max: u32) -> Option<u32> {
    let majors = package_names.lines().filter_map(|name| name.strip_prefix("postgresql-")?.parse().ok());
    majors.filter(|major| *major <= major_max).max()
}

fn field<'a>(shown: &'a str, name: &str) -> Option<&'a str> {
    shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Picks from apt's plan what the programs load: the wanted packages and the libraries. The rest of the plan is what
/// an installation would need around them (an init system, Perl, locales), and we install nothing.
fn needed(plan: &str, wanted: &[&str]) -> BTreeSet<String> {
    // Each line reads: 'URI' name_version_architecture.deb size hash
    let names = plan.lines().filter_map(|line| Some(line.split(' ').nth(1)?.split('_').next()?.to_owned()));
    names
        .filter(|name| {
            wanted.contains(&name.as_str())
                || (name.starts_with("lib") && !name.contains("perl") && name != "libc-bin")
                || name.starts_with("zlib")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_supported_major_is_chosen() {
        let names = "postgresql-common\npostgresql-17\npostgresql-18\npostgresql-18-jit\npostgresql-19\n";
        assert_eq!(newest_major(names, 18), Some(18));
        assert_eq!(newest_major(names, 17), Some(17));
        assert_eq!(newest_major("postgresql-common\n", 18), None);
    }

    #[test]
    fn mirror_is_that_of_the_release_itself() {
        let targets =
            "http://a.example/security/ bookworm-security main\nhttp://b.example/debian/ bookworm main\n";
        assert_eq!(mirror_of(targets, "bookworm").as_deref(), Some("http://b.example/debian/"));
        assert_eq!(mirror_of(targets, "trixie"), None);
    }

    #[test]
    fn only_programs_and_libraries_are_downloaded() {
        let plan = "'http://x/1' perl_5_amd64.deb 1 H\n'http://x/2' libc6_2.43_amd64.deb 1 H\n\
                    'http://x/3' libperl5.42_5_amd64.deb 1 H\n'http://x/4' postgresql-18_18.6_amd64.deb 1 H\n\
                    'http://x/5' zlib1g_1%3a1.3_amd64.deb 1 H\n'http://x/6' systemd_262_amd64.deb 1 H\n";
        let names: Vec<String> = needed(plan, &["postgresql-18"]).into_iter().collect();
        assert_eq!(names, ["libc6", "postgresql-18", "zlib1g"]);
    }
}
