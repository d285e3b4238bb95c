//! Key derivation of PKCS#12 (RFC 7292, appendix B) and PBKDF2, for every digest that wallets use.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use sha1::{Digest as _, Sha1};
use zeroize::{Zeroize, Zeroizing};

/// A digest that a MAC or a key derivation can be built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// What derived bytes are for: the `ID` byte of RFC 7292, B.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

impl Hash {
    pub(crate) fn output_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn block_bytes(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => 128,
        }
    }

    /// Hashes `first`, then its own output until it has hashed `iterations` times.
    fn iterate(self, first: &[u8], iterations: u32, out: &mut [u8]) {
        match self {
            Self::Sha1 => {
                let mut state = Sha1::digest(first);
                (1..iterations).for_each(|_| state = Sha1::digest(state));
                out.copy_from_slice(&state);
                state.as_mut_slice().zeroize();
            }
            Self::Sha256 => iterate_aws(&digest::SHA256, first, iterations, out),
            Self::Sha384 => iterate_aws(&digest::SHA384, first, iterations, out),
            Self::Sha512 => iterate_aws(&digest::SHA512, first, iterations, out),
        }
    }
}

fn iterate_aws(algorithm: &'static digest::Algorithm, first: &[u8], iterations: u32, out: &mut [u8]) {
    out.copy_from_slice(digest::digest(algorithm, first).as_ref());
    for _ in 1..iterations {
        let next = digest::digest(algorithm, out);
        out.copy_from_slice(next.as_ref());
    }
}

/// Derives `length` bytes from `password` (already UTF-16 with its final zero).
pub(crate) fn pkcs12(
    hash: Hash,
    purpose: Use,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let (u, v) = (hash.output_bytes(), hash.block_bytes());
    let mut input = first_input(purpose, password, salt, v);
    let mut a = Zeroizing::new(vec![0; u]);
    let mut out = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(u)));
    loop {
        hash.iterate(&input, iterations, &mut a);
        out.extend_from_slice(&a);
        if out.len() >= length {
            out.truncate(length);
            return out;
        }
        // Each block of I grows by B + 1, B being A repeated to a block.
        let b: Zeroizing<Vec<u8>> = Zeroizing::new(a.iter().copied().cycle().take(v).collect());
        input[v..].chunks_exact_mut(v).for_each(|block| add_plus_one(block, &b));
    }
}

/// `D || S || P`: the purpose, the salt and the password, each filled up to whole blocks.
fn first_input(purpose: Use, password: &[u8], salt: &[u8], v: usize) -> Zeroizing<Vec<u8>> {
    let filled = |bytes: &[u8]| bytes.len().next_multiple_of(v);
    let mut input = Zeroizing::new(Vec::with_capacity(v + filled(salt) + filled(password)));
    input.resize(v, purpose as u8);
    input.extend(salt.iter().copied().cycle().take(filled(salt)));
    input.extend(password.iter().copied().cycle().take(filled(password)));
    input
}

/// Adds `b + 1` to `block`, both big-endian numbers, dropping the carry out of the top.
fn add_plus_one(block: &mut [u8], b: &[u8]) {
    let mut carry = 1;
    for (x, y) in block.iter_mut().zip(b).rev() {
        carry += u16::from(*x) + u16::from(*y);
        *x = carry.to_le_bytes()[0];
        carry >>= 8;
    }
}

/// PBKDF2 with HMAC over `hash`.
pub(crate) fn pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: NonZeroU32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let algorithm = match hash {
        Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let mut out = Zeroizing::new(vec![0; length]);
    pbkdf2::derive(algorithm, iterations, salt, password, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn utf16(password: &str) -> Vec<u8> {
        crate::Password::new(password).utf16().to_vec()
    }

    #[test]
    fn pkcs12_derivation_gives_the_keys_of_a_wallet_made_by_mkstore() {
        let password = utf16("123Wallet");
        let salt = hex("967ca62b186e7bb0");
        let derive =
            |purpose, salt: &[u8], length| pkcs12(Hash::Sha1, purpose, &password, salt, 1024, length);
        let key = hex("6cc1cd28ef533e2e3dd2c6bb74d186db70a2123cfb448efe");
        assert_eq!(*derive(Use::Key, &salt, 24), key);
        assert_eq!(*derive(Use::Iv, &salt, 8), hex("10e7eee9e0fd8c34"));
        let mac_key = hex("2f19eec135fd2b292e4b98df25a2d1182478b272");
        assert_eq!(*derive(Use::Mac, &hex("e398c69c57e47821"), 20), mac_key);
    }

    #[test]
    fn both_derivations_give_the_keys_of_a_wallet_made_by_orapki_23ai() {
        let key = pbkdf2(
            Hash::Sha256,
            b"WElcome##123456",
            &hex("115e541fb9e398d5"),
            NonZeroU32::new(10_000).unwrap(),
            32,
        );
        assert_eq!(*key, hex("55392e70cccdf1b77090a6c4c4270583e81864ac78b0799f9d421ac5e7bea512"));
        let mac_key =
            pkcs12(Hash::Sha1, Use::Mac, &utf16("WElcome##123456"), &hex("828842be646b1086"), 10_000, 20);
        assert_eq!(*mac_key, hex("0fd4e9e5f7f382ceeeb48700930419e106eec1bd"));
    }
}
