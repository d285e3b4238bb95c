//! Whatever bytes a certificate, key, request, revocation list or PEM file has: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twinlock_wallet::issue::RevocationList;
use twinlock_wallet::{Certificate, CertificateRequest, PrivateKey, read_pem};

fuzz_target!(|data: &[u8]| {
    let key = PrivateKey::from_pkcs8_der(data).ok();
    if let Ok(certificate) = Certificate::from_der(data) {
        let _ = (certificate.subject(), certificate.issuer(), certificate.serial_hex());
        let _ = (certificate.verifies_name("db1.example.com"), certificate.verifies_name("127.0.0.1"));
        let _ = key.as_ref().map(|key| key.matches(&certificate));
        let again = Certificate::from_pem(&certificate.to_pem()).expect("what was written can be read");
        assert_eq!(again, certificate);
    }
    if let Ok(request) = CertificateRequest::from_der(data) {
        let _ = key.as_ref().map(|key| request.is_for(key));
    }
    if let Ok(list) = RevocationList::from_der(data) {
        let _ = (list.number(), list.revoked().len());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = read_pem(text);
    }
});
