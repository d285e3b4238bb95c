//! A wallet's two file forms, as bytes in memory.

use std::num::NonZeroU32;

use zeroize::Zeroizing;

use crate::error::WalletError;
use crate::limits::{Budget, Limits, within};
use crate::password::Password;
use crate::pkcs12::bag::Content;
use crate::pkcs12::pbe::{Encryption, Keys, Scheme};
use crate::pkcs12::pfx::{self, Pfx};
use crate::random;
use crate::sso::{self, AutoLoginKind, LocalIdentity, Sso};
use crate::wallet::Wallet;

/// The file that a wallet was read from: what an unchanged wallet is written back as.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) kind: Option<AutoLoginKind>,
    pub(crate) derivation: Derivation,
}

/// How expensive guessing a wallet's password is made, and by which cipher it is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// The cipher family.
    pub encryption: Encryption,
    /// Iterations for the encryption key.
    pub iterations: NonZeroU32,
    /// Iterations for the authentication code's key. An attacker tries passwords against whichever of the
    /// two is cheaper.
    pub code_iterations: NonZeroU32,
}

impl Derivation {
    /// What Oracle's current tools write: AES-256 and 10,000 iterations.
    ///
    /// A password guess costs an attacker about a sixtieth of what it costs against [`Derivation::keystore`].
    pub const ORACLE: Self = Self::fixed(Encryption::Aes256, 10_000, 10_000);
    /// What Oracle 12c to 19c write and read: triple DES and 10,000 iterations.
    pub const ORACLE_19C: Self = Self::fixed(Encryption::TripleDes, 10_000, 10_000);

    /// For wallets whose contents must withstand an attack on the password: 600,000 iterations.
    pub fn keystore() -> Self {
        Self::with_iterations(NonZeroU32::new(600_000).expect("not zero"))
    }

    /// AES-256 with this many iterations of PBKDF2, and an authentication code to match.
    ///
    /// One iteration of the code's derivation is one compression of SHA-1 where PBKDF2 makes two of SHA-256,
    /// so the code gets twice the count; otherwise it would be the easier one to attack.
    pub fn with_iterations(iterations: NonZeroU32) -> Self {
        let code_iterations = iterations.saturating_mul(NonZeroU32::new(2).expect("not zero"));
        Self { encryption: Encryption::Aes256, iterations, code_iterations }
    }

    const fn fixed(encryption: Encryption, iterations: u32, code_iterations: u32) -> Self {
        match (NonZeroU32::new(iterations), NonZeroU32::new(code_iterations)) {
            (Some(iterations), Some(code_iterations)) => Self { encryption, iterations, code_iterations },
            _ => panic!("counts are not zero"),
        }
    }

    fn of(pfx: &Pfx) -> Self {
        let scheme = pfx.scheme.as_ref();
        let mac = pfx.mac.as_ref().map(|mac| mac.iterations);
        let iterations = scheme.map(|scheme| scheme.iterations).or(mac).unwrap_or(Self::ORACLE.iterations);
        Self {
            encryption: scheme.and_then(Scheme::encryption).unwrap_or_default(),
            iterations,
            code_iterations: mac.unwrap_or(iterations),
        }
    }

    /// A file's own derivation, or Oracle's where that asks more of an attacker: what a file of unknown
    /// making is rewritten with.
    pub(crate) fn at_least_oracle(self) -> Self {
        Self {
            encryption: self.encryption,
            iterations: self.iterations.max(Self::ORACLE.iterations),
            code_iterations: self.code_iterations.max(Self::ORACLE.code_iterations),
        }
    }
}

/// How a wallet is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Bounds on what a file may ask of its reader.
    pub limits: Limits,
    /// Who and where this is, for local auto-login wallets.
    pub local: Option<LocalIdentity>,
    /// Accept a PKCS#12 file without an authentication code. Anybody could have made or altered it: only
    /// for importing what the caller vouches for.
    pub allow_unauthenticated: bool,
}

impl Wallet {
    /// Reads the bytes of a `cwallet.sso`.
    ///
    /// # Errors
    /// When the bytes are not such a file, or one of the local kind.
    pub fn from_sso_bytes(bytes: &[u8]) -> Result<Self, WalletError> {
        Self::from_sso_bytes_with(bytes, &OpenOptions::default())
    }

    /// Reads the bytes of a `cwallet.sso`, of the local kind as well.
    ///
    /// # Errors
    /// When the bytes are not such a file, or it is for another host or user.
    pub fn from_sso_bytes_with(bytes: &[u8], options: &OpenOptions) -> Result<Self, WalletError> {
        check_size(bytes, &options.limits)?;
        let sso = Sso::read(bytes)?;
        let mut failure = WalletError::AutoLoginDamaged;
        for password in sso.passwords(options.local.as_ref())? {
            match Self::from_pfx(sso.pfx, &password, options) {
                Ok((mut wallet, mut origin)) => {
                    origin.bytes = Zeroizing::new(bytes.to_vec());
                    origin.kind = Some(sso.kind);
                    wallet.origin = Some(origin);
                    return Ok(wallet);
                }
                Err(WalletError::WrongPassword) if sso.kind == AutoLoginKind::Local => {
                    failure = WalletError::OtherHostOrUser;
                }
                Err(WalletError::WrongPassword | WalletError::Damaged) => {
                    failure = WalletError::AutoLoginDamaged
                }
                Err(other) => return Err(other),
            }
        }
        Err(failure)
    }

    /// Reads the bytes of an `ewallet.p12`, or of a PKCS#12 file made by another tool.
    ///
    /// # Errors
    /// [`WalletError::WrongPassword`], [`WalletError::Damaged`], or why the bytes are not such a file.
    pub fn from_p12_bytes(bytes: &[u8], password: &Password) -> Result<Self, WalletError> {
        Self::from_p12_bytes_with(bytes, password, &OpenOptions::default())
    }

    /// Reads the bytes of a PKCS#12 file with options.
    ///
    /// # Errors
    /// As [`Wallet::from_p12_bytes`].
    pub fn from_p12_bytes_with(
        bytes: &[u8],
        password: &Password,
        options: &OpenOptions,
    ) -> Result<Self, WalletError> {
        check_size(bytes, &options.limits)?;
        let (mut wallet, mut origin) = Self::from_pfx(bytes, password, options)?;
        origin.bytes = Zeroizing::new(bytes.to_vec());
        wallet.origin = Some(origin);
        wallet.bags.iter_mut().for_each(|bag| bag.stays_plain = !bag.shrouded);
        Ok(wallet)
    }

    fn from_pfx(
        bytes: &[u8],
        password: &Password,
        options: &OpenOptions,
    ) -> Result<(Self, Origin), WalletError> {
        let mut keys = Keys::new(password, Budget::new(&options.limits));
        let pfx = Pfx::read(bytes, &mut keys, &options.limits, !options.allow_unauthenticated)?;
        let origin = Origin { bytes: Zeroizing::default(), kind: None, derivation: Derivation::of(&pfx) };
        let wallet =
            Self { bags: pfx.bags, unknown_contents: pfx.unknown_contents, origin: None, changed: false };
        Ok((wallet, origin))
    }

    /// The wallet as a new `ewallet.p12`, with new salts.
    ///
    /// # Errors
    /// When the wallet is larger than its readers would accept, or there is no randomness.
    pub fn to_p12_bytes(&self, password: &Password, derivation: &Derivation) -> Result<Vec<u8>, WalletError> {
        self.write_p12(password, derivation, random::bytes::<8>()?.to_vec())
    }

    /// The wallet as a new `cwallet.sso` that stands on its own (kind 37), with a new internal password.
    ///
    /// # Errors
    /// As [`Wallet::to_p12_bytes`].
    pub fn to_sso_bytes(&self) -> Result<Zeroizing<Vec<u8>>, WalletError> {
        self.write_sso(AutoLoginKind::Only, None, random::bytes::<8>()?.to_vec())
    }

    /// How the file that this wallet was read from is protected.
    pub fn derivation(&self) -> Option<Derivation> {
        self.origin.as_ref().map(|origin| origin.derivation)
    }

    /// What kind of auto-login file this wallet was read from, if it was one.
    pub fn auto_login_kind(&self) -> Option<AutoLoginKind> {
        self.origin.as_ref().and_then(|origin| origin.kind)
    }

    /// The derivation of the password file that this wallet was read from.
    pub(crate) fn own_derivation(&self) -> Derivation {
        match &self.origin {
            Some(Origin { kind: None, derivation, .. }) => *derivation,
            _ => Derivation::keystore(),
        }
    }

    pub(crate) fn write_p12(
        &self,
        password: &Password,
        derivation: &Derivation,
        mac_salt: Vec<u8>,
    ) -> Result<Vec<u8>, WalletError> {
        let mut keys = Keys::new(password, Budget::unlimited());
        let scheme = Scheme::generate(derivation.encryption, derivation.iterations)?;
        let mut bags = self.bags.clone();
        for bag in &mut bags {
            if matches!(bag.content, Content::Key(_)) && !bag.stays_plain {
                bag.shroud(&mut keys, &scheme.sibling()?)?;
            }
        }
        let raw: Vec<_> = bags.iter().map(|bag| Zeroizing::new(bag.raw().to_vec())).collect();
        self.write_pfx(&raw, scheme, derivation, mac_salt, &mut keys)
    }

    pub(crate) fn write_sso(
        &self,
        kind: AutoLoginKind,
        local: Option<&LocalIdentity>,
        mac_salt: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, WalletError> {
        let (header, password) = sso::generate(kind, local)?;
        // The password lies beside the ciphertext: more iterations would slow down nobody but us.
        let encryption = self.derivation().map_or(Encryption::default(), |derivation| derivation.encryption);
        let derivation = Derivation { encryption, ..Derivation::ORACLE };
        let mut keys = Keys::new(&password, Budget::unlimited());
        let scheme = Scheme::generate(derivation.encryption, derivation.iterations)?;
        let pfx = self.write_pfx(&self.plain_bags(), scheme, &derivation, mac_salt, &mut keys)?;
        Ok(Zeroizing::new([header, pfx].concat()))
    }

    fn write_pfx(
        &self,
        bags: &[Zeroizing<Vec<u8>>],
        scheme: Scheme,
        derivation: &Derivation,
        mac_salt: Vec<u8>,
        keys: &mut Keys<'_>,
    ) -> Result<Vec<u8>, WalletError> {
        let limits = Limits::default();
        within(bags.len() as u64, limits.entries as u64, "number of entries")?;
        let protection = pfx::Protection { scheme, mac_salt, mac_iterations: derivation.code_iterations };
        let bytes = pfx::write(bags, &self.unknown_contents, protection, keys)?;
        check_size(&bytes, &limits)?;
        Ok(bytes)
    }
}

fn check_size(bytes: &[u8], limits: &Limits) -> Result<(), WalletError> {
    within(bytes.len() as u64, limits.file_bytes, "size of the wallet file")
}
