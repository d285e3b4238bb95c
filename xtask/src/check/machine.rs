//! Nothing committed depends on the machine it was written on: no path of its own, no address of its mirrors.

use std::path::Path;

use super::verdict;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Hosts of mirrors and registries. Which one a machine uses is the machine's configuration. (Split, so that this
/// file does not name them.)
const HOSTS: &[&str] = &[
    concat!("deb.", "debian.org"),
    concat!("security.", "debian.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("proxy.", "golang.org"),
    concat!("files.", "pythonhosted.org"),
];

/// Looks through every text file.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let places = machine_places(&workspace.root, std::env::var("HOME").ok().as_deref());
    let mut findings = Vec::new();
    for file in workspace.files()? {
        let Some(text) = workspace.text(&file)? else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = named_in(line, &places) {
                findings.push(format!("{}:{}: names {found}", file.display(), number + 1));
            }
        }
    }
    verdict(
        findings,
        "Write paths relative to the workspace, and leave hosts to the machine's configuration.",
    )
}

/// Path prefixes that mean this machine.
fn machine_places(root: &Path, home: Option<&str>) -> Vec<String> {
    let mut places = vec![format!("{}/", root.display()), concat!("/tmp", "/h/").to_owned()];
    if let Some(parent) = root.parent().filter(|parent| parent.components().count() > 1) {
        places.push(format!("{}/", parent.display()));
    }
    // What toolchains keep below a home directory; the directory itself (`/root`) is named rightly in many places.
    places.extend(
        [".cargo/", ".rustup/", ".cache/"].iter().filter_map(|part| Some(format!("{}/{part}", home?))),
    );
    places
}

fn named_in<'a>(line: &str, places: &'a [String]) -> Option<&'a str> {
    let hosts = HOSTS.iter().copied();
    let found_host = hosts.into_iter().find(|host| line.contains(host));
    found_host.or_else(|| places.iter().map(String::as_str).find(|place| names_place(line, place)))
}

/// Whether the line has the path from its beginning, not as the tail of a longer one (`$dir/work/`).
fn names_place(line: &str, place: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || "_-.}~)>".contains(c);
    line.match_indices(place).any(|(at, _)| !line[..at].chars().next_back().is_some_and(continues))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_paths_are_found_and_similar_ones_are_not() {
        let places = machine_places(Path::new("/srv/code/twin"), Some("/home/ann"));
        let found = |line| named_in(line, &places);
        assert_eq!(found("open(\"/srv/code/twin/x\")"), Some("/srv/code/twin/"));
        assert_eq!(found("see /srv/code/other"), Some("/srv/code/"));
        assert_eq!(found("PATH=/home/ann/.cargo/bin"), Some("/home/ann/.cargo/"));
        assert_eq!(found("$HOME/srv/code/twin/x"), None);
        assert_eq!(found("/home/ann may be private"), None);
    }

    #[test]
    fn mirrors_are_found() {
        assert!(named_in(&format!("URIs: http://{}/debian", HOSTS[0]), &[]).is_some());
        assert!(named_in("https://docs.rs/rustls", &[]).is_none());
    }
}
