//! Makes programs of a newer Debian run on this one: with their own loader, C library and libraries.
//!
//! Only programs are changed. Their `DT_RPATH` also serves the libraries that they load, now or later, as long as
//! none of those brings a search path of its own, which [`verify`] finds out. PostgreSQL finds its other files
//! relative to the program, so nothing else needs to know where the tree is.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::apt::PATCHELF;
use crate::failure::Failure;
use crate::process;

/// Rewrites the loader and library path of every program in `tree`, which will stand at `root` when it runs.
pub(super) fn point_programs_at(tree: &Path, root: &Path, major: u32) -> Result<(), Failure> {
    let loader = loader_in(tree)?;
    let libraries = loader.parent().unwrap_or(tree).to_owned();
    let inside = |path: &Path| root.join(path.strip_prefix(tree).unwrap_or(path));
    for program in programs_in(&tree.join(bindir(major)))? {
        let mut patchelf = process::program(&loader);
        patchelf.arg("--library-path").arg(&libraries).arg(tree.join("usr/bin").join(PATCHELF));
        patchelf.arg("--set-interpreter").arg(inside(&loader));
        patchelf.args(["--force-rpath", "--set-rpath"]).arg(inside(&libraries)).arg(&program);
        process::output(&mut patchelf)?;
    }
    Ok(())
}

/// Checks that no program or server module of the tree would load anything from the machine.
pub(super) fn verify(root: &Path, major: u32) -> Result<(), Failure> {
    let loader = loader_in(root)?;
    let libraries = loader.parent().unwrap_or(root);
    let mut strangers = Vec::new();
    for program in programs_in(&root.join(bindir(major)))? {
        let loaded = process::output(process::program(&loader).arg("--list").arg(&program))?;
        strangers.extend(outside(root, &program, &loaded));
    }
    let modules = root.join(format!("usr/lib/postgresql/{major}/lib"));
    for module in programs_in(&modules)? {
        // A module's undefined symbols are the server's; `--list` resolves libraries only.
        let mut list = process::program(&loader);
        list.arg("--library-path").arg(libraries).arg("--list").arg(&module);
        strangers.extend(outside(root, &module, &process::output(&mut list)?));
    }
    if strangers.is_empty() {
        return Ok(());
    }
    Err(Failure::Findings {
        findings: strangers,
        remedy: "The unpacked tree is not complete: the list of packages to download needs one more.",
    })
}

fn bindir(major: u32) -> String {
    format!("usr/lib/postgresql/{major}/bin")
}

/// The dynamic loader of the tree, which stands beside its libraries.
fn loader_in(tree: &Path) -> Result<PathBuf, Failure> {
    let lib = tree.join("usr/lib");
    let directories = std::fs::read_dir(&lib).map_err(Failure::file("list", &lib))?;
    let loader = directories.flatten().find_map(|directory| {
        let files = std::fs::read_dir(directory.path()).ok()?;
        files.flatten().map(|file| file.path()).find(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("ld-linux"))
        })
    });
    loader.ok_or_else(|| Failure::Stopped(format!("no dynamic loader under {}", lib.display())))
}

/// The ELF files directly in a directory; links and scripts are left alone.
fn programs_in(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(directory).map_err(Failure::file("list", directory))?;
    let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    Ok(files.map(|entry| entry.path()).filter(|path| is_elf(path)).collect())
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

/// The lines of the loader's answer that name a file outside the tree, or none at all.
fn outside(root: &Path, program: &Path, loaded: &str) -> Vec<String> {
    let root = root.to_string_lossy();
    let stranger =
        |line: &&str| line.contains("not found") || (line.contains('/') && !line.contains(root.as_ref()));
    loaded.lines().filter(stranger).map(|line| format!("{}: {}", program.display(), line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_the_machine_are_noticed() {
        let loaded = "\tlinux-vdso.so.1 (0x1)\n\tlibpq.so.5 => /r/usr/lib/libpq.so.5 (0x2)\n\
                      \tlibz.so.1 => /lib/libz.so.1 (0x3)\n\tlibx.so => not found\n";
        let strangers = outside(Path::new("/r"), Path::new("/r/bin/p"), loaded);
        assert_eq!(
            strangers,
            ["/r/bin/p: libz.so.1 => /lib/libz.so.1 (0x3)", "/r/bin/p: libx.so => not found"]
        );
    }
}
