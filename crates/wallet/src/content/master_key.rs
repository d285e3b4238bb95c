//! Master keys of transparent data encryption, as Oracle's keystores hold them.
//!
//! A key is the secret `ORACLE.SECURITY.DB.ENCRYPTION.<id>`. Its value is base64 of tagged fields with
//! little-endian lengths: `00` the length of the whole, `01` the key, `03` the key's MD5, `05` the time it
//! was made as an Oracle DATE. Fields with other tags are kept as they are.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq;
use time::{Date, Month, PrimitiveDateTime, Time};
use zeroize::Zeroizing;

use crate::error::WalletError;
use crate::random;
use crate::wallet::Wallet;

const PREFIX: &str = "ORACLE.SECURITY.DB.ENCRYPTION.";
const CURRENT: &str = "ORACLE.SECURITY.DB.ENCRYPTION.MASTERKEY";
const ID_BYTES: usize = 39;
const ID_CHARACTERS: usize = 52;
const KEY_BYTES: usize = 32;
const SOFTWARE_KEY: u8 = 0x01;

const WHOLE: u8 = 0x00;
const KEY: u8 = 0x01;
const DIGEST: u8 = 0x03;
const MADE: u8 = 0x05;

/// The id of a master key: 52 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MasterKeyId(String);

impl MasterKeyId {
    /// A new id, random but for the two bytes that are the same in all of Oracle's.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate() -> Result<Self, WalletError> {
        let mut bytes = [0; ID_BYTES];
        bytes[0] = SOFTWARE_KEY;
        random::fill(&mut bytes[1..17])?;
        (bytes[7], bytes[9]) = (0x4F, 0xBF);
        Ok(Self(Base64::encode_string(&bytes)))
    }

    /// The 52 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 16 bytes by which a database knows the key.
    pub fn key_id(&self) -> [u8; 16] {
        let mut bytes = [0; ID_BYTES];
        let decoded = Base64::decode(&self.0, &mut bytes).unwrap_or_default();
        decoded.get(1..17).and_then(|id| id.try_into().ok()).unwrap_or_default()
    }
}

impl FromStr for MasterKeyId {
    type Err = WalletError;

    fn from_str(text: &str) -> Result<Self, WalletError> {
        let mut bytes = [0; ID_BYTES];
        match Base64::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == ID_BYTES && text.len() == ID_CHARACTERS => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(WalletError::Malformed { what: "master key id" }),
        }
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A 256-bit master key. Wiped when dropped and absent from `Debug`.
#[derive(Clone)]
pub struct MasterKey {
    id: MasterKeyId,
    key: Zeroizing<[u8; KEY_BYTES]>,
    made: Option<PrimitiveDateTime>,
    /// Fields that are not understood, with their tags.
    others: Vec<(u8, Zeroizing<Vec<u8>>)>,
}

impl MasterKey {
    /// A new random key with a new id.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(made: PrimitiveDateTime) -> Result<Self, WalletError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random::fill(key.as_mut_slice())?;
        Ok(Self { id: MasterKeyId::generate()?, key, made: Some(made), others: Vec::new() })
    }

    /// A key with the given id and bytes.
    pub fn new(id: MasterKeyId, key: [u8; KEY_BYTES], made: Option<PrimitiveDateTime>) -> Self {
        Self { id, key: Zeroizing::new(key), made, others: Vec::new() }
    }

    /// The key's id.
    pub fn id(&self) -> &MasterKeyId {
        &self.id
    }

    /// The key itself.
    pub fn key(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }

    /// When the key was made, in the database's own time.
    pub fn made(&self) -> Option<PrimitiveDateTime> {
        self.made
    }

    /// Reads the value of a wallet's entry.
    ///
    /// # Errors
    /// When the value is not in the form described above, or its digest is not the key's.
    pub fn from_value(id: MasterKeyId, value: &str) -> Result<Self, WalletError> {
        let malformed = || WalletError::Malformed { what: "master key" };
        let bytes = Zeroizing::new(Base64::decode_vec(value).map_err(|_| malformed())?);
        let mut found = Self { id, key: Zeroizing::default(), made: None, others: Vec::new() };
        let (mut has_key, mut digest) = (false, None);
        for (tag, field) in fields(&bytes).ok_or_else(malformed)? {
            match tag {
                KEY => {
                    found.key = Zeroizing::new(field.try_into().map_err(|_| malformed())?);
                    has_key = true;
                }
                DIGEST => digest = Some(field),
                MADE => found.made = Some(date_from_oracle(field).ok_or_else(malformed)?),
                other => found.others.push((other, Zeroizing::new(field.to_vec()))),
            }
        }
        let intact = digest.is_none_or(|digest| digest.ct_eq(&found.digest()).into());
        if has_key && intact { Ok(found) } else { Err(malformed()) }
    }

    /// The value for a wallet's entry.
    pub fn to_value(&self) -> Zeroizing<String> {
        let digest = self.digest();
        let made = self.made.map(date_to_oracle);
        let mut fields: Vec<(u8, &[u8])> = vec![(KEY, self.key.as_slice()), (DIGEST, &digest)];
        fields.extend(made.as_ref().map(|made| (MADE, made.as_slice())));
        fields.extend(self.others.iter().map(|(tag, field)| (*tag, field.as_slice())));
        fields.sort_by_key(|(tag, _)| *tag);
        let total = 3 + fields.iter().map(|(_, field)| 3 + field.len()).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(total));
        bytes.push(WHOLE);
        bytes.extend_from_slice(&short(total));
        for (tag, field) in fields {
            bytes.push(tag);
            bytes.extend_from_slice(&short(field.len()));
            bytes.extend_from_slice(field);
        }
        Zeroizing::new(Base64::encode_string(&bytes))
    }

    fn digest(&self) -> [u8; 16] {
        Md5::digest(self.key.as_slice()).into()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id.0).field("made", &self.made).finish_non_exhaustive()
    }
}

impl Wallet {
    /// The master keys that can be read. An entry in another form is still among the secrets.
    pub fn master_keys(&self) -> Vec<MasterKey> {
        self.secrets()
            .filter_map(|secret| {
                let id = secret.name().strip_prefix(PREFIX)?.parse().ok()?;
                MasterKey::from_value(id, secret.value()).ok()
            })
            .collect()
    }

    /// The master key with this id.
    pub fn master_key(&self, id: &MasterKeyId) -> Option<MasterKey> {
        MasterKey::from_value(id.clone(), self.secret(&format!("{PREFIX}{id}"))?).ok()
    }

    /// Adds a master key; returns whether there was one with its id before, which is replaced.
    pub fn set_master_key(&mut self, key: &MasterKey) -> bool {
        self.set_secret(&format!("{PREFIX}{}", key.id), &key.to_value())
    }

    /// The id of the key in use by the root, or by the database with this GUID (32 hexadecimal digits).
    pub fn current_master_key(&self, database: Option<&str>) -> Option<MasterKeyId> {
        self.secret(&current_name(database))?.parse().ok()
    }

    /// Sets which key the root, or the database with this GUID, uses.
    ///
    /// # Errors
    /// When the wallet has no such key.
    pub fn set_current_master_key(
        &mut self,
        database: Option<&str>,
        id: &MasterKeyId,
    ) -> Result<(), WalletError> {
        if self.master_key(id).is_none() {
            return Err(WalletError::NoSuchEntry { kind: "master key", name: id.to_string() });
        }
        self.set_secret(&current_name(database), id.as_str());
        Ok(())
    }
}

fn current_name(database: Option<&str>) -> String {
    match database {
        Some(guid) => format!("{CURRENT}.{guid}"),
        None => CURRENT.to_owned(),
    }
}

/// The tagged fields after the first, which says how long the whole is.
fn fields(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (whole, mut rest) = bytes.split_at_checked(3)?;
    if whole[0] != WHOLE || usize::from(u16::from_le_bytes([whole[1], whole[2]])) != bytes.len() {
        return None;
    }
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (head, after) = rest.split_at_checked(3)?;
        let length = usize::from(u16::from_le_bytes([head[1], head[2]]));
        let (field, after) = after.split_at_checked(length)?;
        fields.push((head[0], field));
        rest = after;
    }
    Some(fields)
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("fields were read from, or are, at most 65,535 bytes").to_le_bytes()
}

/// Oracle's DATE: century and year of the century plus 100, month, day, and the time of day plus one each.
fn date_from_oracle(bytes: &[u8]) -> Option<PrimitiveDateTime> {
    let &[century, year, month, day, hour, minute, second] = bytes else { return None };
    let year = i32::from(century.checked_sub(100)?) * 100 + i32::from(year.checked_sub(100)?);
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let time = Time::from_hms(hour.checked_sub(1)?, minute.checked_sub(1)?, second.checked_sub(1)?).ok()?;
    Some(PrimitiveDateTime::new(date, time))
}

fn date_to_oracle(moment: PrimitiveDateTime) -> [u8; 7] {
    // Years before 1 or after 9999 do not exist for Oracle; a clock that far off is clamped.
    let year = moment.year().clamp(1, 9999);
    let plus = |value: i32, offset: i32| u8::try_from(value + offset).unwrap_or(u8::MAX);
    [
        plus(year / 100, 100),
        plus(year % 100, 100),
        u8::from(moment.month()),
        moment.day(),
        moment.hour() + 1,
        moment.minute() + 1,
        moment.second() + 1,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    /// A value published for 12.2.
    const VALUE: &str =
        "AEMAASAAzz8dfB/n5MWRlEBxs6Ya3YAUQGHA4EVpvVIho0wBGMYDEAA9MiwNkiHGAkd9O6b3yCnhBQcAeHsLBg8DFQ==";

    fn some_id() -> MasterKeyId {
        MasterKeyId::generate().unwrap()
    }

    #[test]
    fn published_value_is_read_and_written_back_the_same() {
        let key = MasterKey::from_value(some_id(), VALUE).unwrap();
        assert_eq!(key.made(), Some(datetime!(2023-11-06 14:02:20)));
        assert_eq!(key.key()[..3], [0xCF, 0x3F, 0x1D]);
        assert_eq!(*key.to_value(), VALUE);
    }

    #[test]
    fn altered_key_is_refused() {
        let altered = VALUE.replacen("zz8d", "zz8e", 1);
        assert!(MasterKey::from_value(some_id(), &altered).is_err());
        assert!(MasterKey::from_value(some_id(), &VALUE[4..]).is_err());
    }

    #[test]
    fn unknown_fields_are_kept() {
        let mut bytes = Base64::decode_vec(VALUE).unwrap();
        bytes.extend_from_slice(&[9, 2, 0, 0xAB, 0xCD]);
        bytes[1] += 5;
        let value = Base64::encode_string(&bytes);
        assert_eq!(*MasterKey::from_value(some_id(), &value).unwrap().to_value(), value);
    }

    #[test]
    fn new_ids_have_the_form_of_oracles() {
        let id = some_id();
        assert_eq!(id.as_str().len(), 52);
        assert_eq!((id.key_id()[6], id.key_id()[8]), (0x4F, 0xBF));
        assert_eq!(id.as_str().parse::<MasterKeyId>().unwrap(), id);
        assert!("short".parse::<MasterKeyId>().is_err());
    }

    #[test]
    fn current_key_must_be_in_the_wallet() {
        let mut wallet = Wallet::new();
        let key = MasterKey::generate(datetime!(2026-01-02 03:04:05)).unwrap();
        assert!(wallet.set_current_master_key(None, key.id()).is_err());
        wallet.set_master_key(&key);
        wallet.set_current_master_key(None, key.id()).unwrap();
        assert_eq!(wallet.current_master_key(None).as_ref(), Some(key.id()));
        assert_eq!(wallet.current_master_key(Some("ABCD")), None);
        assert_eq!(wallet.master_keys().len(), 1);
        assert_eq!(wallet.master_key(key.id()).unwrap().key(), key.key());
    }
}
