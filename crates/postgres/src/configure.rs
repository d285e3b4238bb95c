//! Writing what is wanted of an instance into its files.

mod auto_conf;
mod pem;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crate::directories::make_private;
use crate::error::PostgresError;
use crate::files::{replace, replace_if_different};
use crate::instance::Instance;
use crate::program::Program;
use crate::render;
use crate::settings::{RoleSettings, Settings, Synchronous, TlsFiles};

/// The main file in the directory `conf`.
pub(crate) const POSTGRESQL_CONF: &str = "postgresql.conf";
/// The main file with which the server was started.
pub(crate) const STARTED_CONF: &str = "started.conf";
/// Whom to receive from.
pub(crate) const STANDBY_CONF: &str = "standby.conf";
/// Which standby commits wait for.
pub(crate) const SYNCHRONOUS_CONF: &str = "synchronous.conf";
/// OpenSSL's configuration, for versions without a setting for TLS 1.3 suites.
const OPENSSL_CONF: &str = "openssl.cnf";
/// Its presence in the data directory makes the next start one as a standby.
pub(crate) const STANDBY_SIGNAL: &str = "standby.signal";

/// What writing the files amounted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConfigureOutcome {
    /// Some file is different from before: a running server needs a reload.
    pub changed: bool,
    /// The running server was started with other values of settings that only a start sets.
    pub restart_needed: bool,
}

impl Instance {
    /// Writes the files that make the instance what `settings` says; nothing is started, reloaded or stopped.
    ///
    /// Each file is replaced as a whole, certificate and key as a pair in a directory of their own, so a server
    /// that reloads at any moment finds them fitting together. The instance's own files in the data directory
    /// are left for a server started by hand: they name a synchronous
    /// standby that does not exist, so that it acknowledges nothing.
    ///
    /// # Errors
    /// [`PostgresError::Unusable`] for a name that cannot be written safely, before anything is changed;
    /// otherwise when a file cannot be written.
    pub fn configure(&self, settings: &Settings, tls: &TlsFiles) -> Result<ConfigureOutcome, PostgresError> {
        let conf = self.directories().conf();
        for directory in [&conf, &self.directories().pem(), &self.directories().socket()] {
            make_private(directory)?;
        }
        let mut changed = self.write_rendered(settings, tls)?;
        if !conf.join(SYNCHRONOUS_CONF).exists() {
            self.write_synchronous(&Synchronous::Nobody)?;
        }
        if self.is_initialised() {
            changed |= write_own_files(self.data(), Some(settings))?;
            if let RoleSettings::Standby { .. } = settings.role {
                changed |= mark_as_standby(self.data())?;
            }
        }
        Ok(ConfigureOutcome { changed, restart_needed: self.restart_needed(&conf)? })
    }

    fn write_rendered(&self, settings: &Settings, tls: &TlsFiles) -> Result<bool, PostgresError> {
        let pem = self.directories().pem();
        let generation = pem::Generation::fitting(&pem, tls)?;
        let files = generation.files();
        let version = self.installation().version();
        let rendered = [
            ("pg_hba.conf", render::hba(settings)?),
            ("pg_ident.conf", render::ident(&settings.identity, own_user()?)?),
            (OPENSSL_CONF, render::openssl_conf(settings.tls.tls13.as_deref())),
            (STANDBY_CONF, render::standby_conf(settings, &files)?),
            (POSTGRESQL_CONF, render::postgresql_conf(settings, self.directories(), &files, version)?),
        ];
        let mut changed = generation.write(tls)?;
        for (name, text) in &rendered {
            changed |= replace_if_different(&self.directories().conf().join(name), text.as_bytes())?;
        }
        pem::remove_old(&pem, &generation)?;
        Ok(changed)
    }

    /// Whether the running server, if there is one, was started with other values than the files now say.
    fn restart_needed(&self, conf: &Path) -> Result<bool, PostgresError> {
        if self.postmaster().is_none() {
            return Ok(false);
        }
        // A server without the copy was not started by us.
        let Ok(started) = fs::read_to_string(conf.join(STARTED_CONF)) else { return Ok(true) };
        let main = conf.join(POSTGRESQL_CONF);
        let wanted = fs::read_to_string(&main).map_err(PostgresError::file("read", &main))?;
        let (started, wanted) = (values_in(&started), values_in(&wanted));
        let names = started.keys().chain(wanted.keys());
        for name in names.filter(|name| started.get(*name) != wanted.get(*name)) {
            if self.installation().needs_restart(name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a server or client program of the instance finds in its environment.
    pub(crate) fn openssl_environment(&self) -> Vec<(&'static str, OsString)> {
        let path = self.directories().conf().join(OPENSSL_CONF);
        // From 18 on the setting ssl_tls13_ciphers does it, and the system's file stays in force.
        let needed = self.installation().version().major < 18 && sets_suites(&path);
        if needed { vec![("OPENSSL_CONF", path.into_os_string())] } else { Vec::new() }
    }

    /// The connection files of the newest generation in the runtime directory, written when they differ.
    pub(crate) fn connection_files(&self, tls: &TlsFiles) -> Result<render::ConnectionFiles, PostgresError> {
        make_private(&self.directories().pem())?;
        let generation = pem::Generation::fitting(&self.directories().pem(), tls)?;
        generation.write(tls)?;
        Ok(generation.files())
    }
}

/// Writes the files that a server started by hand reads, and takes what the pair owns out of
/// `postgresql.auto.conf`, which would override everything.
pub(crate) fn write_own_files(data: &Path, settings: Option<&Settings>) -> Result<bool, PostgresError> {
    let mut changed =
        replace_if_different(&data.join("postgresql.conf"), render::dormant_conf(settings).as_bytes())?;
    changed |= replace_if_different(&data.join("pg_hba.conf"), render::dormant_hba().as_bytes())?;
    changed |= replace_if_different(&data.join("pg_ident.conf"), b"")?;
    changed |= auto_conf::remove_owned(&data.join("postgresql.auto.conf"))?;
    Ok(changed)
}

/// Makes the next start of a data directory one as a standby.
pub(crate) fn mark_as_standby(data: &Path) -> Result<bool, PostgresError> {
    let path = data.join(STANDBY_SIGNAL);
    if path.exists() { Ok(false) } else { replace(&path, b"").map(|()| true) }
}

fn sets_suites(openssl_conf: &Path) -> bool {
    fs::read_to_string(openssl_conf).is_ok_and(|text| text.contains("Ciphersuites"))
}

/// Reads back a file that we wrote: the last value of each setting, still quoted.
fn values_in(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = ")).collect()
}

/// Name of the user that runs this process, as `getpwuid` knows it: peer authentication compares that.
fn own_user() -> Result<&'static str, PostgresError> {
    static NAME: OnceLock<String> = OnceLock::new();
    if let Some(name) = NAME.get() {
        return Ok(name);
    }
    let name = Program::new("/usr/bin/id".into()).arguments(["-un"]).output()?;
    Ok(NAME.get_or_init(|| name.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_value_of_a_setting_counts() {
        let values = values_in("# a = 'x'\na = '1'\nb = 'c = d'\na = '2'\ninclude 'f'\n");
        assert_eq!(values, BTreeMap::from([("a", "'2'"), ("b", "'c = d'")]));
    }
}
