//! Credentials of a connect string: user name and password for one database.
//!
//! `mkstore -createCredential` keeps each as three secrets with one number:
//! `oracle.security.client.connect_stringN`, `.usernameN` and `.passwordN`.

use std::fmt;

use zeroize::Zeroizing;

use crate::wallet::Wallet;

const PREFIX: &str = "oracle.security.client.";
const CONNECT_STRING: &str = "connect_string";
const USER: &str = "username";
const PASSWORD: &str = "password";

/// User name and password for one connect string. The password is wiped when dropped and absent from
/// `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectCredential {
    connect_string: String,
    user: String,
    password: Zeroizing<String>,
}

impl ConnectCredential {
    /// Makes a credential.
    pub fn new(
        connect_string: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            connect_string: connect_string.into(),
            user: user.into(),
            password: Zeroizing::new(password.into()),
        }
    }

    /// What the client connects to.
    pub fn connect_string(&self) -> &str {
        &self.connect_string
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for ConnectCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectCredential")
            .field("connect_string", &self.connect_string)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Wallet {
    /// The credentials for connect strings, by their number. One that lacks a part is passed over.
    pub fn connect_credentials(&self) -> Vec<ConnectCredential> {
        self.numbers()
            .into_iter()
            .filter_map(|number| {
                let part = |part| self.secret(&name(part, number));
                Some(ConnectCredential::new(part(CONNECT_STRING)?, part(USER)?, part(PASSWORD)?))
            })
            .collect()
    }

    /// Sets the credential for its connect string; returns whether there was one before.
    pub fn set_connect_credential(&mut self, credential: &ConnectCredential) -> bool {
        let known = self.number_of(&credential.connect_string);
        let number = known.unwrap_or_else(|| self.numbers().last().map_or(1, |last| last.saturating_add(1)));
        self.set_secret(&name(CONNECT_STRING, number), &credential.connect_string);
        self.set_secret(&name(USER, number), &credential.user);
        self.set_secret(&name(PASSWORD, number), &credential.password);
        known.is_some()
    }

    /// Deletes the credential for `connect_string`; returns whether there was one.
    pub fn delete_connect_credential(&mut self, connect_string: &str) -> bool {
        let Some(number) = self.number_of(connect_string) else { return false };
        for part in [CONNECT_STRING, USER, PASSWORD] {
            self.delete_secret(&name(part, number));
        }
        true
    }

    fn number_of(&self, connect_string: &str) -> Option<u32> {
        // Service names are compared without regard to case, as Oracle's net layer does.
        let is_it = |value: &str| value.eq_ignore_ascii_case(connect_string);
        self.numbers()
            .into_iter()
            .find(|number| self.secret(&name(CONNECT_STRING, *number)).is_some_and(is_it))
    }

    /// The numbers in use, ascending.
    fn numbers(&self) -> Vec<u32> {
        let prefix = format!("{PREFIX}{CONNECT_STRING}");
        let number = |name: &str| name.strip_prefix(&prefix)?.parse().ok();
        let mut numbers: Vec<u32> = self.secrets().filter_map(|secret| number(secret.name())).collect();
        numbers.sort_unstable();
        numbers
    }
}

fn name(part: &str, number: u32) -> String {
    format!("{PREFIX}{part}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_numbered_from_one_and_replaced_in_place() {
        let mut wallet = Wallet::new();
        assert!(!wallet.set_connect_credential(&ConnectCredential::new("sales", "scott", "tiger")));
        assert!(!wallet.set_connect_credential(&ConnectCredential::new("hr", "hr", "secret")));
        assert!(wallet.set_connect_credential(&ConnectCredential::new("SALES", "scott", "lion")));
        assert_eq!(wallet.secret("oracle.security.client.password1"), Some("lion"));
        assert_eq!(wallet.secret("oracle.security.client.username2"), Some("hr"));
        assert_eq!(wallet.connect_credentials().len(), 2);
        assert!(wallet.delete_connect_credential("sales"));
        assert!(!wallet.delete_connect_credential("sales"));
        assert_eq!(wallet.connect_credentials(), [ConnectCredential::new("hr", "hr", "secret")]);
        wallet.set_connect_credential(&ConnectCredential::new("new", "a", "b"));
        assert_eq!(wallet.secret("oracle.security.client.username3"), Some("a"));
    }
}
