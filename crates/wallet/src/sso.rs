//! The wrapper of `cwallet.sso`: a PKCS#12 file behind a password that the file itself carries.
//!
//! **This is obfuscation.** Whoever can read the file can open it; only the local kind asks for a host name
//! and a user name besides, and neither is a secret.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::error::WalletError;
use crate::password::Password;
use crate::pkcs12::cipher::Cipher;
use crate::random;

const MAGIC: [u8; 3] = [0xA1, 0xF8, 0x4E];
const VERSION: [u8; 4] = [0, 0, 0, 6];
const AES_SCHEME: u8 = 0x06;
const DES_SCHEME: u8 = 0x35;
const AES_IV: [u8; 16] =
    [0xC0, 0x34, 0xD8, 0x31, 0x1C, 0x02, 0xCE, 0xF8, 0x51, 0xF0, 0x14, 0x4B, 0x81, 0xED, 0x4B, 0xF2];
const RAW_BYTES: usize = 16;

/// What an auto-login file says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoLoginKind {
    /// Kind 36: beside an `ewallet.p12` with the same contents.
    WithPasswordFile,
    /// Kind 37: on its own (`auto_login_only`).
    Only,
    /// Kind 38: for one user on one host (`auto_login_local`).
    Local,
}

/// The host and user that a local auto-login wallet is tied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIdentity {
    /// The host name; only the part before the first dot counts.
    pub host: String,
    /// The login name of the operating-system user.
    pub user: String,
}

/// A `cwallet.sso` taken apart: its kind, what opens it, and the PKCS#12 file inside.
pub(crate) struct Sso<'a> {
    pub(crate) kind: AutoLoginKind,
    raw: Zeroizing<[u8; RAW_BYTES]>,
    pub(crate) pfx: &'a [u8],
}

impl AutoLoginKind {
    fn byte(self) -> u8 {
        match self {
            Self::WithPasswordFile => 0x36,
            Self::Only => 0x37,
            Self::Local => 0x38,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, WalletError> {
        match byte {
            0x36 => Ok(Self::WithPasswordFile),
            0x37 => Ok(Self::Only),
            0x38 => Ok(Self::Local),
            other => Err(WalletError::Unsupported {
                what: "kind of auto-login file",
                name: format!("{other:02X}"),
            }),
        }
    }
}

impl fmt::Display for AutoLoginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithPasswordFile => "auto-login",
            Self::Only => "auto-login only",
            Self::Local => "local auto-login",
        })
    }
}

impl<'a> Sso<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, WalletError> {
        const WHAT: &str = "auto-login file";
        let malformed = || WalletError::Malformed { what: WHAT };
        let rest = bytes.strip_prefix(&MAGIC).ok_or_else(malformed)?;
        let (kind, rest) = rest.split_first().ok_or_else(malformed)?;
        let kind = AutoLoginKind::from_byte(*kind)?;
        let (version, rest) = rest.split_at_checked(4).ok_or_else(malformed)?;
        if version != VERSION {
            return Err(WalletError::Unsupported {
                what: "auto-login version",
                name: format!("{version:02X?}"),
            });
        }
        let (length, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| malformed())?;
        let (section, pfx) = rest.split_at_checked(length).ok_or_else(malformed)?;
        let (scheme, data) = section.split_first().ok_or_else(malformed)?;
        let raw = match *scheme {
            AES_SCHEME => raw_from_aes(data),
            DES_SCHEME => raw_from_des(data),
            other => {
                return Err(WalletError::Unsupported {
                    what: "auto-login scheme",
                    name: format!("{other:02X}"),
                });
            }
        };
        Ok(Self { kind, raw: raw.ok_or_else(malformed)?, pfx })
    }

    /// The passwords that may open the file inside, the likeliest first.
    pub(crate) fn passwords(&self, local: Option<&LocalIdentity>) -> Result<Vec<Password>, WalletError> {
        match (self.kind, local) {
            (AutoLoginKind::WithPasswordFile | AutoLoginKind::Only, _) => Ok(vec![internal(&self.raw)]),
            (AutoLoginKind::Local, Some(identity)) => {
                // Two descriptions of the last step exist; they differ for one value in 128.
                let password = |modulus| internal(&local_password(&self.raw, identity, modulus));
                Ok(vec![password(0x7F), password(0x80)])
            }
            (AutoLoginKind::Local, None) => Err(WalletError::OtherHostOrUser),
        }
    }
}

/// A new wrapper of the AES kind: the header to write before the PKCS#12 file, and that file's password.
pub(crate) fn generate(
    kind: AutoLoginKind,
    local: Option<&LocalIdentity>,
) -> Result<(Vec<u8>, Password), WalletError> {
    let mut raw = Zeroizing::new(random_raw()?);
    let key = Zeroizing::new(random::bytes::<16>()?);
    let password = match (kind, local) {
        (AutoLoginKind::Local, Some(identity)) => loop {
            // A byte where the two descriptions disagree would leave the wallet to luck.
            let (a, b) = (local_password(&raw, identity, 0x7F), local_password(&raw, identity, 0x80));
            if a == b {
                break internal(&a);
            }
            *raw = random_raw()?;
        },
        (AutoLoginKind::Local, None) => return Err(WalletError::OtherHostOrUser),
        (AutoLoginKind::WithPasswordFile | AutoLoginKind::Only, _) => internal(&raw),
    };
    Ok((header(kind, &key, &raw), password))
}

fn header(kind: AutoLoginKind, key: &[u8; 16], raw: &[u8; RAW_BYTES]) -> Vec<u8> {
    let padded = Cipher::Aes128.encrypt(key, &AES_IV, raw).expect("key and vector have the right lengths");
    let section = [&[AES_SCHEME], key.as_slice(), &padded[..RAW_BYTES]].concat();
    let length = u32::try_from(section.len()).expect("33 bytes").to_be_bytes();
    [&MAGIC, [kind.byte()].as_slice(), &VERSION, &length, &section].concat()
}

fn random_raw() -> Result<[u8; RAW_BYTES], WalletError> {
    let mut raw = [0; RAW_BYTES];
    for byte in &mut raw {
        while !(1..=0x7F).contains(byte) {
            *byte = random::bytes::<1>()?[0] & 0x7F;
        }
    }
    Ok(raw)
}

fn raw_from_aes(data: &[u8]) -> Option<Zeroizing<[u8; RAW_BYTES]>> {
    let (key, block) = data.split_at_checked(16)?;
    let block: [u8; RAW_BYTES] = block.try_into().ok()?;
    let raw = Cipher::Aes128.decrypt_first_block(key, &AES_IV, &block)?;
    Some(Zeroizing::new(raw.as_slice().try_into().ok()?))
}

fn raw_from_des(hex: &[u8]) -> Option<Zeroizing<[u8; RAW_BYTES]>> {
    let bytes = Zeroizing::new(from_hex(hex)?);
    let (key, ciphertext) = bytes.split_at_checked(8)?;
    let raw = Cipher::Des.decrypt(key, &[0; 8], ciphertext)?;
    Some(Zeroizing::new(raw.as_slice().try_into().ok()?))
}

fn from_hex(hex: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok();
    if hex.len() % 2 == 0 { hex.chunks_exact(2).map(pair).collect() } else { None }
}

/// Mixes host and user into the password of a local wallet.
fn local_password(
    raw: &[u8; RAW_BYTES],
    identity: &LocalIdentity,
    modulus: u8,
) -> Zeroizing<[u8; RAW_BYTES]> {
    let host = identity.host.split('.').next().unwrap_or_default();
    let key = Zeroizing::new([host.as_bytes(), identity.user.as_bytes()].concat());
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), raw);
    let mut out = Zeroizing::new([0; RAW_BYTES]);
    out.iter_mut().zip(code.as_ref()).for_each(|(out, byte)| *out = (byte & 0x7F) % modulus + 1);
    out
}

/// Each byte stands for one character.
fn internal(bytes: &[u8; RAW_BYTES]) -> Password {
    Password::from_latin1(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        from_hex(text.replace(' ', "").as_bytes()).unwrap()
    }

    #[test]
    fn published_aes_headers_give_their_passwords() {
        for (header, raw) in [
            (
                "a1f84e36000000060000002106 f39e1b5834aa958a10f3fcf3148f6084 a1c6e01a49a0deb57d894bd00f164fb6",
                "465c505862637c176518145537220a7d",
            ),
            (
                "a1f84e36000000060000002106 8f616c70c39bb5e2423fb3b3deb207fa 4481ef2bb6413b440d0164a21a343d07",
                "3e6b204b2a3a685b410b3c045e423606",
            ),
        ] {
            let bytes = hex(header);
            let sso = Sso::read(&bytes).unwrap();
            assert_eq!(
                (sso.kind, sso.raw.as_slice()),
                (AutoLoginKind::WithPasswordFile, hex(raw).as_slice())
            );
            let key = bytes[13..29].try_into().unwrap();
            assert_eq!(super::header(sso.kind, &key, &sso.raw), bytes, "and are written the same");
        }
    }

    #[test]
    fn published_des_section_gives_its_password_in_either_case() {
        let section = b"7f76ebcc0b326c8152d76a43e5dd847053cdeb0f1dd3ed6a8d1bead0c0de9747";
        let raw = hex("07344b6c491f24470956332c68164657");
        for section in [section.to_vec(), section.to_ascii_uppercase()] {
            let file = [hex("a1f84e36000000060000004135").as_slice(), &section, b"pfx"].concat();
            let sso = Sso::read(&file).unwrap();
            assert_eq!((sso.raw.as_slice(), sso.pfx), (raw.as_slice(), b"pfx".as_slice()));
        }
    }

    #[test]
    fn host_and_user_change_the_password_of_a_local_wallet() {
        let raw = hex("07344b6c491f24470956332c68164657").try_into().unwrap();
        let identity = |host: &str| LocalIdentity { host: host.into(), user: "oracle".into() };
        let expected = hex("033f377540685a3f4d0177442c486e53");
        for host in ["dbhost", "dbhost.example.com"] {
            assert_eq!(local_password(&raw, &identity(host), 0x7F).as_slice(), expected);
        }
        assert_ne!(local_password(&raw, &identity("other"), 0x7F).as_slice(), expected);
    }

    #[test]
    fn headers_that_are_not_understood_are_refused() {
        for header in [
            "",
            "a1f84e",
            "a1f84e39000000060000002106",
            "a1f84e36000000050000002106",
            "a1f84e3600000006ffffffff06",
        ] {
            assert!(Sso::read(&hex(header)).is_err(), "{header}");
        }
        let empty_password_scheme = [hex("a1f84e36000000060000002105"), vec![0; 40]].concat();
        assert!(matches!(Sso::read(&empty_password_scheme), Err(WalletError::Unsupported { .. })));
    }
}
