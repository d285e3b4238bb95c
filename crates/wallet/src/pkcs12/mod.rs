//! The PKCS#12 container (RFC 7292) that both wallet files are.

pub(crate) mod bag;
pub(crate) mod cipher;
pub(crate) mod kdf;
pub(crate) mod mac;
pub(crate) mod pbe;
pub(crate) mod pfx;
