//! Certificate requests (PKCS#10).

use std::fmt;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use crate::error::WalletError;
use crate::private_key::PrivateKey;
use crate::{names, pem};

/// A request for a certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
    subject: String,
    public_key_info: Vec<u8>,
}

impl CertificateRequest {
    /// Reads a request. Its signature is verified when it is signed into a certificate.
    ///
    /// # Errors
    /// When `der` is not one PKCS#10 request.
    pub fn from_der(der: &[u8]) -> Result<Self, WalletError> {
        let malformed = || WalletError::Malformed { what: "certificate request" };
        let (rest, parsed) = X509CertificationRequest::from_der(der).map_err(|_| malformed())?;
        if !rest.is_empty() {
            return Err(malformed());
        }
        let info = &parsed.certification_request_info;
        Ok(Self {
            der: der.to_vec(),
            subject: names::distinguished(&info.subject),
            public_key_info: info.subject_pki.raw.to_vec(),
        })
    }

    /// Reads a request from PEM text that holds nothing else.
    ///
    /// # Errors
    /// When `text` is not one request.
    pub fn from_pem(text: &str) -> Result<Self, WalletError> {
        Self::from_der(&pem::read_one(text, pem::REQUEST)?)
    }

    /// The request's bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request as PEM text.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::REQUEST, &self.der).to_string()
    }

    /// The subject asked for, in the form of RFC 4514.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the request is for the public half of `key`.
    pub fn is_for(&self, key: &PrivateKey) -> bool {
        key.has_public_key(&self.public_key_info)
    }
}

impl fmt::Debug for CertificateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRequest").field("subject", &self.subject).finish_non_exhaustive()
    }
}
