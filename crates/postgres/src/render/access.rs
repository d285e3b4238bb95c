//! Who may come in: `pg_hba.conf` and `pg_ident.conf`.

use std::fmt::Write;

use super::quote::{CERTIFICATE_NAME, usable_name, word};
use crate::error::PostgresError;
use crate::instance::SUPERUSER;
use crate::settings::{Gate, Identity, Settings};

/// The user map for the socket: users of this machine.
const LOCAL_MAP: &str = "twinlock_local";
/// The user map for the socket with the user that runs the instance.
const AGENT_MAP: &str = "twinlock_agent";
/// The user map for certificates.
const REPLICATION_MAP: &str = "twinlock_replication";

/// `pg_hba.conf`: the first line that fits decides.
pub(crate) fn hba(settings: &Settings) -> Result<String, PostgresError> {
    let Identity { replication_role, admin_role, database, .. } = &settings.identity;
    check(&settings.identity)?;
    let (postgres, role) = (word(SUPERUSER), word(replication_role));
    let mut lines = vec![format!("local all {postgres} peer map={LOCAL_MAP}")];
    if let (Some(admin), Some(database)) = (admin_role, database) {
        lines.push(format!("local {} {} peer map={AGENT_MAP}", word(database), word(admin)));
    }
    // Replication, and pg_rewind in the database postgres: with the peer's certificate and never otherwise.
    let certificate = format!("cert clientcert=verify-full map={REPLICATION_MAP}");
    lines.push(format!("hostssl replication {role} all {certificate}"));
    lines.push(format!("hostssl {postgres} {role} all {certificate}"));
    let kind = if settings.plaintext_clients { "host" } else { "hostssl" };
    lines.push(format!("local all {role} reject"));
    lines.push(format!("{kind} all {role} all reject"));
    lines.push(format!("{kind} all {postgres} all reject"));
    if settings.gate == Gate::Open {
        if let Some(admin) = admin_role {
            lines.push(format!("local all {} peer map={LOCAL_MAP}", word(admin)));
        }
        lines.push("local all all scram-sha-256".to_owned());
        lines.push(format!("{kind} all all all scram-sha-256"));
    }
    Ok(lines.into_iter().fold(heading(), |mut text, line| {
        text.push_str(&line);
        text.push('\n');
        text
    }))
}

/// `pg_ident.conf`: which outside name may be which role.
pub(crate) fn ident(identity: &Identity, own_user: &str) -> Result<String, PostgresError> {
    check(identity)?;
    let mut text = heading();
    let mut line = |map: &str, outside: &str, role: &str| {
        writeln!(text, "{map} {} {}", word(outside), word(role)).expect("a String takes any text");
    };
    line(REPLICATION_MAP, &identity.certificate_name, &identity.replication_role);
    let others = identity.local_os_users.iter().map(String::as_str).filter(|user| *user != own_user);
    for user in std::iter::once(own_user).chain(others) {
        usable_name("the user of this machine", user)?;
        line(LOCAL_MAP, user, SUPERUSER);
        if let Some(admin) = &identity.admin_role {
            line(LOCAL_MAP, user, admin);
        }
    }
    if let Some(admin) = &identity.admin_role {
        line(AGENT_MAP, own_user, admin);
    }
    Ok(text)
}

fn check(identity: &Identity) -> Result<(), PostgresError> {
    usable_name(CERTIFICATE_NAME, &identity.certificate_name)?;
    usable_name("the replication role", &identity.replication_role)?;
    if let Some(admin) = &identity.admin_role {
        usable_name("the admin user", admin)?;
    }
    if let Some(database) = &identity.database {
        usable_name("the database", database)?;
    }
    Ok(())
}

fn heading() -> String {
    "# Written by Twinlock; changes are overwritten.\n".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::settings;

    fn lines(settings: &Settings) -> String {
        hba(settings).unwrap()
    }

    #[test]
    fn closed_gate_lets_in_agent_and_replication_only() {
        let text = lines(&Settings { gate: Gate::Closed, ..settings() });
        assert!(!text.contains("scram"), "{text}");
        assert!(
            text.contains(
                "hostssl replication \"twinlock_replication\" all cert clientcert=verify-full map="
            )
        );
    }

    #[test]
    fn without_plaintext_no_line_is_for_anything_but_tls() {
        let text = lines(&Settings { plaintext_clients: false, gate: Gate::Open, ..settings() });
        assert!(
            !text.lines().any(|line| line.starts_with("host ") || line.starts_with("hostnossl")),
            "{text}"
        );
        assert!(text.contains("hostssl all all all scram-sha-256\n"), "{text}");
    }

    #[test]
    fn plaintext_clients_come_in_when_allowed() {
        let text = lines(&Settings { plaintext_clients: true, gate: Gate::Open, ..settings() });
        assert!(text.contains("\nhost all all all scram-sha-256\n"), "{text}");
    }

    #[test]
    fn replication_role_is_tied_to_one_certificate_name() {
        let text = ident(&settings().identity, "postgres").unwrap();
        let certificates: Vec<_> = text.lines().filter(|line| line.starts_with(REPLICATION_MAP)).collect();
        assert_eq!(certificates, ["twinlock_replication \"repl wallet\" \"twinlock_replication\""]);
    }

    #[test]
    fn certificate_name_that_is_a_pattern_is_refused() {
        let identity = Identity { certificate_name: "/.*".to_owned(), ..settings().identity };
        assert!(ident(&identity, "postgres").is_err());
    }
}
