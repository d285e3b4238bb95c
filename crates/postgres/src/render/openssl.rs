//! The OpenSSL configuration that limits TLS 1.3 where PostgreSQL has no setting for it (before 18).

/// A configuration file for `OPENSSL_CONF`: every TLS context of the process starts from it.
///
/// PostgreSQL's own settings are applied on top and never touch the TLS 1.3 suites. The security level is
/// Debian's default, which this file would otherwise lower: it replaces the system's file.
pub(crate) fn openssl_conf(tls13: Option<&str>) -> String {
    let suites = tls13.map(|suites| format!("Ciphersuites = {suites}\n")).unwrap_or_default();
    format!(
        "openssl_conf = twinlock\n\n[twinlock]\nssl_conf = tls\n\n[tls]\nsystem_default = every_context\n\n\
         [every_context]\nMinProtocol = TLSv1.2\nCipherString = DEFAULT@SECLEVEL=2\n{suites}"
    )
}
