//! Certificates and keys as PEM files in memory, one directory for each generation.
//!
//! PostgreSQL opens certificate and key one after the other. Were they replaced in place, a reload between the two
//! would find a pair that does not fit; so a new pair gets a new directory, and one line of the configuration
//! moves to it.

use std::fs;
use std::path::{Path, PathBuf};

use twinlock_wallet::{Certificate, KeyAlgorithm, read_pem};

use crate::directories::make_private;
use crate::error::PostgresError;
use crate::files::replace;
use crate::render::ConnectionFiles;
use crate::settings::TlsFiles;

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";
const TRUSTED: &str = "trusted.pem";
/// Object identifier of the curve P-521.
const P521: &str = "1.3.132.0.35";

/// One pair of certificate and key, and what it trusts.
pub(super) struct Generation {
    number: u64,
    directory: PathBuf,
    curve: &'static str,
}

impl Generation {
    /// The newest generation below `pem` when it holds just these files, else the next one, not yet written.
    pub(super) fn fitting(pem: &Path, tls: &TlsFiles) -> Result<Self, PostgresError> {
        let newest = numbers_in(pem)?.into_iter().max();
        if let Some(number) = newest {
            let generation = Self::numbered(pem, number, tls);
            if generation.holds(tls) {
                return Ok(generation);
            }
        }
        Ok(Self::numbered(pem, newest.unwrap_or(0) + 1, tls))
    }

    fn numbered(pem: &Path, number: u64, tls: &TlsFiles) -> Self {
        Self { number, directory: pem.join(number.to_string()), curve: curve_of(tls) }
    }

    pub(super) fn files(&self) -> ConnectionFiles {
        let path = |name| self.directory.join(name);
        ConnectionFiles {
            certificate: path(CERTIFICATE),
            key: path(KEY),
            trusted: path(TRUSTED),
            curve: self.curve,
        }
    }

    /// Writes the files unless they are there; says whether it did.
    pub(super) fn write(&self, tls: &TlsFiles) -> Result<bool, PostgresError> {
        if self.holds(tls) {
            return Ok(false);
        }
        make_private(&self.directory)?;
        for (name, contents) in contents_of(tls) {
            replace(&self.directory.join(name), contents)?;
        }
        Ok(true)
    }

    fn holds(&self, tls: &TlsFiles) -> bool {
        contents_of(tls).into_iter().all(|(name, contents)| {
            fs::read(self.directory.join(name))
                .map(zeroize::Zeroizing::new)
                .is_ok_and(|found| *found == contents)
        })
    }
}

/// Removes all generations but this one and the one before it: a standby that has not yet reloaded, or a program
/// that was just started, still opens that one.
pub(super) fn remove_old(pem: &Path, current: &Generation) -> Result<(), PostgresError> {
    for number in numbers_in(pem)?.into_iter().filter(|number| number + 1 < current.number) {
        let directory = pem.join(number.to_string());
        fs::remove_dir_all(&directory).map_err(PostgresError::file("remove", &directory))?;
    }
    Ok(())
}

fn numbers_in(pem: &Path) -> Result<Vec<u64>, PostgresError> {
    let entries = fs::read_dir(pem).map_err(PostgresError::file("list", pem))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// The curve of the certificate's key in OpenSSL's words. What cannot be read here PostgreSQL will refuse itself.
fn curve_of(tls: &TlsFiles) -> &'static str {
    let found = read_pem(&tls.certificate_pem).map(|found| found.certificates).unwrap_or_default();
    match found.first().map(Certificate::key_algorithm) {
        Some(KeyAlgorithm::EcP384) => "secp384r1",
        Some(KeyAlgorithm::Other(identifier)) if identifier == P521 => "secp521r1",
        _ => "prime256v1",
    }
}

fn contents_of(tls: &TlsFiles) -> [(&'static str, &[u8]); 3] {
    [
        (TRUSTED, tls.trusted_pem.as_bytes()),
        (CERTIFICATE, tls.certificate_pem.as_bytes()),
        (KEY, tls.key_pem.as_bytes()),
    ]
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use zeroize::Zeroizing;

    use super::*;

    fn tls(text: &str) -> TlsFiles {
        TlsFiles {
            certificate_pem: text.to_owned(),
            key_pem: Zeroizing::new(format!("key of {text}")),
            trusted_pem: "trusted".to_owned(),
        }
    }

    fn put(pem: &Path, text: &str) -> (Generation, bool) {
        let generation = Generation::fitting(pem, &tls(text)).unwrap();
        let written = generation.write(&tls(text)).unwrap();
        remove_old(pem, &generation).unwrap();
        (generation, written)
    }

    #[test]
    fn same_credential_keeps_its_generation() {
        let pem = tempfile::tempdir_in("/dev/shm").unwrap();
        assert!(put(pem.path(), "a").1);
        let (generation, written) = put(pem.path(), "a");
        assert_eq!((generation.number, written), (1, false));
    }

    #[test]
    fn new_credential_gets_a_directory_of_its_own() {
        let pem = tempfile::tempdir_in("/dev/shm").unwrap();
        let first = put(pem.path(), "a").0.files();
        let second = put(pem.path(), "b").0.files();
        assert_eq!(fs::read_to_string(first.certificate).unwrap(), "a");
        assert_eq!(fs::read_to_string(second.certificate).unwrap(), "b");
        put(pem.path(), "c");
        assert_eq!(numbers_in(pem.path()).unwrap().len(), 2);
    }

    #[test]
    fn key_is_readable_by_its_owner_only() {
        let pem = tempfile::tempdir_in("/dev/shm").unwrap();
        let key = put(pem.path(), "a").0.files().key;
        assert_eq!(fs::metadata(key).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn half_written_generation_is_not_taken() {
        let pem = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::create_dir(pem.path().join("7")).unwrap();
        fs::write(pem.path().join("7/certificate.pem"), "a").unwrap();
        assert_eq!(put(pem.path(), "a").0.number, 8);
    }
}
