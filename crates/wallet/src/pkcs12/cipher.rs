//! Block ciphers in CBC mode with PKCS#7 padding, over the old and the new ciphers of PKCS#12.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit,
};
use des::{Des, TdesEde3};
use rc2::Rc2;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cipher {
    Des,
    TripleDes,
    /// Three-key DES with the first key used again as the third.
    DoubleDes,
    Rc2 {
        bits: usize,
    },
    Aes128,
    Aes192,
    Aes256,
}

impl Cipher {
    pub(crate) fn key_bytes(self) -> usize {
        match self {
            Self::TripleDes | Self::Aes192 => 24,
            Self::DoubleDes | Self::Aes128 => 16,
            Self::Des => 8,
            Self::Rc2 { bits } => bits / 8,
            Self::Aes256 => 32,
        }
    }

    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::Des | Self::TripleDes | Self::DoubleDes | Self::Rc2 { .. } => 8,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
        }
    }

    /// Decrypts and takes the padding off; `None` when key, vector, length or padding do not fit.
    pub(crate) fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Des => decrypt_with(Des::new_from_slice(key).ok()?, iv, data),
            Self::TripleDes => decrypt_with(TdesEde3::new_from_slice(key).ok()?, iv, data),
            Self::DoubleDes => decrypt_with(TdesEde3::new_from_slice(&twice(key)?).ok()?, iv, data),
            Self::Rc2 { bits } => decrypt_with(rc2(key, bits)?, iv, data),
            Self::Aes128 => decrypt_with(Aes128::new_from_slice(key).ok()?, iv, data),
            Self::Aes192 => decrypt_with(Aes192::new_from_slice(key).ok()?, iv, data),
            Self::Aes256 => decrypt_with(Aes256::new_from_slice(key).ok()?, iv, data),
        }
    }

    /// Decrypts the first block alone, whatever its padding; `None` when there is none.
    pub(crate) fn decrypt_first_block(
        self,
        key: &[u8],
        iv: &[u8],
        data: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let first = data.get(..self.block_bytes())?;
        // An encrypted block of nothing but padding, appended, makes any first block a whole message.
        let padding = self.encrypt(key, first, &[])?;
        self.decrypt(key, iv, &[first, &padding].concat())
    }

    /// Pads and encrypts; `None` when key or vector have the wrong length.
    pub(crate) fn encrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Des => encrypt_with(Des::new_from_slice(key).ok()?, iv, data),
            Self::TripleDes => encrypt_with(TdesEde3::new_from_slice(key).ok()?, iv, data),
            Self::DoubleDes => encrypt_with(TdesEde3::new_from_slice(&twice(key)?).ok()?, iv, data),
            Self::Rc2 { bits } => encrypt_with(rc2(key, bits)?, iv, data),
            Self::Aes128 => encrypt_with(Aes128::new_from_slice(key).ok()?, iv, data),
            Self::Aes192 => encrypt_with(Aes192::new_from_slice(key).ok()?, iv, data),
            Self::Aes256 => encrypt_with(Aes256::new_from_slice(key).ok()?, iv, data),
        }
    }
}

fn twice(key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let first = key.get(..8)?;
    Some(Zeroizing::new([key, first].concat()))
}

fn rc2(key: &[u8], bits: usize) -> Option<Rc2> {
    (key.len() * 8 == bits).then(|| Rc2::new_with_eff_key_len(key, bits))
}

fn decrypt_with<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(data.to_vec());
    let mode = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    let length = mode.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

fn encrypt_with<C: BlockCipherEncrypt>(cipher: C, iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let block = C::block_size();
    let mut buffer = vec![0; (data.len() + 1).next_multiple_of(block)];
    buffer[..data.len()].copy_from_slice(data);
    let mode = cbc::Encryptor::inner_iv_slice_init(cipher, iv).ok()?;
    mode.encrypt_padded::<Pkcs7>(&mut buffer, data.len()).ok()?;
    Some(buffer)
}
