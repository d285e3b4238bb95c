//! The programs of one PostgreSQL on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{Access, access};

use crate::error::PostgresError;
use crate::program::Program;
use crate::render::assignment;
use crate::version::Version;

/// Where Debian's packages put their programs, one directory for each major version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";
/// Where programs are looked for otherwise.
const SEARCH_PATH: [&str; 5] =
    ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];
/// What is needed besides the server itself, and Debian's package that brings it.
const PROGRAMS: [(&str, &str); 4] = [
    ("initdb", "the PostgreSQL server package (Debian: postgresql)"),
    ("pg_controldata", "the PostgreSQL server package (Debian: postgresql)"),
    ("pg_rewind", "the PostgreSQL server package (Debian: postgresql)"),
    ("pg_basebackup", "the PostgreSQL client package (Debian: postgresql-client)"),
];

/// The programs of one PostgreSQL, found, complete and of a supported version.
#[derive(Debug, Clone)]
pub struct Installation {
    bindir: PathBuf,
    version: Version,
    contexts: Arc<OnceLock<BTreeMap<String, String>>>,
}

impl Installation {
    /// Looks for PostgreSQL in `bindir`, or else takes the newest supported one of Debian's packages, or else
    /// the first one in the usual directories for programs.
    ///
    /// # Errors
    /// Says what is missing and what to install: no PostgreSQL, an unsupported version, one built without TLS,
    /// or a program that is not there.
    pub fn discover(bindir: Option<&Path>) -> Result<Self, PostgresError> {
        Self::discover_in(bindir, Path::new(DEBIAN_ROOT), &SEARCH_PATH.map(PathBuf::from))
    }

    /// As [`Installation::discover`], with `directories` (of a `PATH`, for instance) in the place of the usual ones.
    ///
    /// # Errors
    /// As [`Installation::discover`].
    pub fn discover_in(
        bindir: Option<&Path>,
        debian_root: &Path,
        directories: &[PathBuf],
    ) -> Result<Self, PostgresError> {
        if let Some(bindir) = bindir {
            return Self::at(bindir);
        }
        if let Some(newest) = newest_of_debian(debian_root) {
            return Self::at(&newest);
        }
        match directories.iter().find(|directory| is_program(&directory.join("postgres"))) {
            Some(directory) => Self::at(directory),
            None => {
                let mut searched = vec![debian_root.to_owned()];
                searched.extend_from_slice(directories);
                Err(PostgresError::NotInstalled { searched })
            }
        }
    }

    fn at(bindir: &Path) -> Result<Self, PostgresError> {
        let postgres = bindir.join("postgres");
        if !is_program(&postgres) {
            return Err(PostgresError::NotInstalled { searched: vec![bindir.to_owned()] });
        }
        let version = version_of(&postgres)?;
        if !version.is_supported() {
            return Err(PostgresError::UnsupportedVersion { program: postgres, version });
        }
        for (program, package) in PROGRAMS {
            if !is_program(&bindir.join(program)) {
                return Err(PostgresError::MissingProgram { program, bindir: bindir.to_owned(), package });
            }
        }
        if !has_tls(&postgres)? {
            return Err(PostgresError::WithoutTls { program: postgres });
        }
        Ok(Self { bindir: bindir.to_owned(), version, contexts: Arc::default() })
    }

    /// Version of the server program.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The directory with the programs.
    pub fn bindir(&self) -> &Path {
        &self.bindir
    }

    /// Path of one of the programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bindir.join(name)
    }

    /// Whether a change of the setting needs a restart; so does one of a setting that this server does not know
    /// by itself, as those of preloaded libraries mostly do.
    ///
    /// # Errors
    /// When the server program cannot be asked.
    pub(crate) fn needs_restart(&self, setting: &str) -> Result<bool, PostgresError> {
        let contexts = match self.contexts.get() {
            Some(contexts) => contexts,
            None => {
                let described =
                    Program::new(self.program("postgres")).arguments(["--describe-config"]).output()?;
                self.contexts.get_or_init(|| contexts_in(&described))
            }
        };
        Ok(contexts.get(&setting.to_ascii_lowercase()).is_none_or(|context| context == "postmaster"))
    }

    /// Asks the server program whether it accepts these settings, without starting it.
    ///
    /// Settings of libraries that are not loaded (with a dot in the name) are accepted with any value.
    ///
    /// # Errors
    /// [`PostgresError::SettingsRefused`] with the server's own words.
    pub fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<(), PostgresError> {
        let text = settings.iter().map(|(name, value)| assignment(name, value)).collect();
        match ask(&self.program("postgres"), "config_file", text) {
            Ok(_) => Ok(()),
            Err(PostgresError::Program { stderr, .. }) => {
                Err(PostgresError::SettingsRefused { message: server_words(&stderr) })
            }
            Err(other) => Err(other),
        }
    }
}

/// The newest supported version under Debian's directory for PostgreSQL.
fn newest_of_debian(root: &Path) -> Option<PathBuf> {
    let majors = std::fs::read_dir(root).ok()?.flatten().filter_map(|entry| {
        let major: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bindir = entry.path().join("bin");
        let usable = Version { major, minor: 0 }.is_supported() && is_program(&bindir.join("postgres"));
        usable.then_some((major, bindir))
    });
    majors.max_by_key(|(major, _)| *major).map(|(_, bindir)| bindir)
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

fn version_of(postgres: &Path) -> Result<Version, PostgresError> {
    let output = Program::new(postgres.to_owned()).arguments(["--version"]).output()?;
    Version::parse(&output).ok_or_else(|| PostgresError::UnknownVersion {
        program: postgres.to_owned(),
        output: output.trim().to_owned(),
    })
}

/// The server itself knows which TLS library it was built with; how it was configured says less.
fn has_tls(postgres: &Path) -> Result<bool, PostgresError> {
    let library = ask(postgres, "ssl_library", String::new())?;
    Ok(!library.trim().is_empty())
}

/// Runs the server program with `-C`, which prints a setting and ends. It reads the configuration from standard
/// input: a value may be a secret, and arguments are seen by everybody.
fn ask(postgres: &Path, setting: &str, configuration: String) -> Result<String, PostgresError> {
    let files = ["config_file=/dev/stdin", "data_directory=/", "hba_file=/dev/null", "ident_file=/dev/null"];
    Program::new(postgres.to_owned())
        .arguments(["-C", setting])
        .arguments(files.iter().flat_map(|file| ["-c", file]))
        .input(configuration)
        .output()
}

/// Reads `postgres --describe-config`: one setting a line, name and context in its first two columns.
fn contexts_in(described: &str) -> BTreeMap<String, String> {
    described
        .lines()
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?.to_ascii_lowercase(), columns.next()?.to_owned()))
        })
        .collect()
}

/// The server's complaint without time stamps and notes about files that are left out on purpose.
fn server_words(stderr: &str) -> String {
    let words: Vec<_> = stderr
        .lines()
        .filter(|line| !line.contains("skipping missing configuration file"))
        .filter(|line| !line.contains("contains errors"))
        .map(|line| match line.split_once("FATAL:  ").or_else(|| line.split_once("LOG:  ")) {
            Some((_, words)) => words,
            None => line.trim(),
        })
        .collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use std::collections::BTreeMap;

    use super::*;

    /// A directory of scripts that answer as the programs of some PostgreSQL would.
    fn pretend(directory: &Path, version: &str, tls: &str, missing: &str) -> PathBuf {
        let bindir = directory.join("bin");
        std::fs::create_dir_all(&bindir).unwrap();
        let server = format!(
            "#!/bin/sh\ncase $1 in --version) echo '{version}';; -C) echo '{tls}';; *) exit 1;; esac\n"
        );
        let others = PROGRAMS.map(|(name, _)| (name, "#!/bin/sh\n".to_owned()));
        for (name, text) in others.into_iter().chain([("postgres", server)]) {
            if name != missing {
                let path = bindir.join(name);
                std::fs::write(&path, text).unwrap();
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            }
        }
        bindir
    }

    const GOOD: &str = "postgres (PostgreSQL) 16.2";

    #[test]
    fn complete_installation_is_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let found = Installation::discover(Some(&pretend(dir.path(), GOOD, "OpenSSL", ""))).unwrap();
        assert_eq!(found.version().to_string(), "16.2");
    }

    #[test]
    fn what_is_missing_is_named() {
        for program in ["initdb", "pg_controldata", "pg_rewind", "pg_basebackup"] {
            let dir = tempfile::tempdir().unwrap();
            let error =
                Installation::discover(Some(&pretend(dir.path(), GOOD, "OpenSSL", program))).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{program} is missing from ")), "{error}");
        }
    }

    #[test]
    fn installation_without_tls_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let error = Installation::discover(Some(&pretend(dir.path(), GOOD, "", ""))).unwrap_err();
        assert!(matches!(error, PostgresError::WithoutTls { .. }), "{error}");
    }

    #[test]
    fn unsupported_versions_are_refused() {
        for version in ["postgres (PostgreSQL) 13.20", "postgres (PostgreSQL) 19devel"] {
            let dir = tempfile::tempdir().unwrap();
            let error =
                Installation::discover(Some(&pretend(dir.path(), version, "OpenSSL", ""))).unwrap_err();
            assert!(matches!(error, PostgresError::UnsupportedVersion { .. }), "{error}");
        }
    }

    #[test]
    fn newest_supported_of_debian_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        for major in ["9.6", "13", "14", "16", "19", "common"] {
            pretend(&dir.path().join(major), GOOD, "OpenSSL", "");
        }
        let found = Installation::discover_in(None, dir.path(), &[]).unwrap();
        assert_eq!(found.bindir(), dir.path().join("16/bin"));
    }

    #[test]
    fn settings_are_refused_in_the_words_of_the_server() {
        let found = Installation::discover(None).unwrap();
        let check =
            |name: &str, value: &str| found.check_settings(&BTreeMap::from([(name.into(), value.into())]));
        check("work_mem", "8MB").unwrap();
        check("some_library.setting", "it's").unwrap();
        let error = check("work_mem", "much").unwrap_err().to_string();
        assert!(error.ends_with("invalid value for parameter \"work_mem\": \"much\""), "{error}");
        let error = check("wrk_mem", "8MB").unwrap_err().to_string();
        assert!(error.contains("unrecognized configuration parameter \"wrk_mem\""), "{error}");
    }

    #[test]
    fn settings_that_only_a_start_sets_are_known() {
        let found = Installation::discover(None).unwrap();
        let needs = ["shared_buffers", "Port", "pg_stat_statements.max"];
        assert!(needs.iter().all(|name| found.needs_restart(name).unwrap()));
        assert!(["work_mem", "ssl_cert_file"].iter().all(|name| !found.needs_restart(name).unwrap()));
    }

    #[test]
    fn nothing_found_names_where_it_was_sought() {
        let dir = tempfile::tempdir().unwrap();
        let error =
            Installation::discover_in(None, &dir.path().join("a"), &[dir.path().join("b")]).unwrap_err();
        assert!(error.to_string().contains("/a, ") && error.to_string().contains("/b"), "{error}");
    }
}
