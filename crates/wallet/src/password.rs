//! Passwords in the two forms that the formats want.

use std::fmt;

use zeroize::Zeroizing;

/// A wallet password, wiped from memory when dropped.
#[derive(Clone)]
pub struct Password {
    text: Zeroizing<String>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Password {
    /// Takes over `password`.
    pub fn new(password: impl Into<String>) -> Self {
        let text = Zeroizing::new(password.into());
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        Self { text, bytes }
    }

    /// A password of bytes that stand for one character each, as the internal ones of auto-login files.
    pub(crate) fn from_latin1(bytes: &[u8]) -> Self {
        // Twice the room: no growing, which would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
        text.extend(bytes.iter().copied().map(char::from));
        Self { text, bytes: Zeroizing::new(bytes.to_vec()) }
    }

    /// Why this password is weak, if it is: what a person should be told before using it.
    ///
    /// Oracle's tools demand eight characters with letters and others; a keystore password is attacked
    /// offline, so shorter than twelve, or with few different characters, is called weak here.
    pub fn weakness(&self) -> Option<&'static str> {
        let characters = self.text.chars().count();
        let different = self.text.chars().collect::<std::collections::BTreeSet<_>>().len();
        let all = |test: fn(char) -> bool| self.text.chars().all(test);
        match () {
            () if characters < 8 => Some("it has fewer than 8 characters, and Oracle's tools refuse it"),
            () if all(char::is_alphabetic) || all(char::is_numeric) => {
                Some("it has letters only or digits only, and Oracle's tools refuse it")
            }
            () if characters < 12 => Some("it has fewer than 12 characters"),
            () if different < 6 => Some("it has fewer than 6 different characters"),
            () => None,
        }
    }

    /// The plain bytes (UTF-8), as PBKDF2 takes them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// UTF-16 big-endian with a final zero, as the PKCS#12 key derivation takes it (RFC 7292, B.1).
    pub(crate) fn utf16(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(2 * self.text.len() + 2));
        self.text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes()));
        out.extend_from_slice(&[0, 0]);
        out
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_told_apart_from_good_ones() {
        for weak in ["", "Ab1", "abcdefghijklmnop", "123456789012345", "Abcdef123", "ababababab1ab"] {
            assert!(Password::new(weak).weakness().is_some(), "{weak}");
        }
        for good in ["correct horse battery staple", "WElcome##123456", "Probe#2026-long"] {
            assert_eq!(Password::new(good).weakness(), None, "{good}");
        }
    }

    #[test]
    fn characters_beyond_16_bits_become_surrogates() {
        assert_eq!(*Password::new("\u{1F511}").utf16(), [0xD8, 0x3D, 0xDD, 0x11, 0, 0]);
    }
}
