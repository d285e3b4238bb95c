//! Looking at the certificate that a server really shows, by a TLS handshake of our own.
//!
//! A standby's views say nothing about TLS, and a file says nothing about what a running server has loaded.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, ProtocolVersion, RootCertStore, SignatureScheme};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use twinlock_wallet::Certificate;

use crate::error::PostgresError;
use crate::settings::{Protocol, TlsFiles};

/// PostgreSQL's request for TLS: a length and a number that no protocol version has.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A server's end of a TLS connection, as seen by a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTls {
    /// Version that was agreed on.
    pub protocol: Protocol,
    /// Suite that was agreed on, in the words of the standard: `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    pub cipher: String,
    /// Subject of the server's certificate.
    pub subject: String,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// When it ends.
    pub not_after: OffsetDateTime,
    /// Whether `verify-full` accepts it: the chain ends in a trusted certificate and the name is the expected one.
    pub verified: bool,
    /// Why it is not verified.
    pub problem: Option<String>,
}

/// Connects, asks for TLS, completes the handshake with our certificate, and hangs up without logging in.
///
/// A certificate that cannot be verified is reported, not refused: nothing is sent to the server afterwards.
///
/// # Errors
/// [`PostgresError::Handshake`] when the server is not there, speaks no TLS, or no version and suite fits;
/// [`PostgresError::TimedOut`] after `bound`.
pub async fn handshake(
    address: SocketAddr,
    name: &str,
    tls: &TlsFiles,
    bound: Duration,
) -> Result<PeerTls, PostgresError> {
    match tokio::time::timeout(bound, look(address, name, tls)).await {
        Ok(result) => result,
        Err(_) => Err(PostgresError::TimedOut { what: format!("a TLS handshake with {address}"), bound }),
    }
}

async fn look(address: SocketAddr, name: &str, tls: &TlsFiles) -> Result<PeerTls, PostgresError> {
    let failed = |reason: String| PostgresError::Handshake { address: address.to_string(), reason };
    let verifier = Arc::new(Witness::new(name, tls).map_err(failed)?);
    let config = client_config(tls, Arc::clone(&verifier)).map_err(failed)?;
    let stream = ask_for_tls(address).await.map_err(failed)?;
    // A name that is no DNS name, as a wallet's may be, cannot be sent along; it is checked all the same.
    let server_name =
        ServerName::try_from(name.to_owned()).unwrap_or(ServerName::IpAddress(address.ip().into()));
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream =
        connector.connect(server_name, stream).await.map_err(|error| failed(error.to_string()))?;
    let (protocol, cipher) =
        agreed(stream.get_ref().1).ok_or_else(|| failed("no suite was agreed on".to_owned()))?;
    // Polite only; the server logs less about it.
    drop(stream.shutdown().await);
    let seen = verifier.seen.lock().expect("no holder panics").take();
    let (der, problem) = seen.ok_or_else(|| failed("the server showed no certificate".to_owned()))?;
    let certificate = Certificate::from_der(&der).map_err(|error| failed(error.to_string()))?;
    Ok(PeerTls {
        protocol,
        cipher,
        subject: certificate.subject(),
        serial: certificate.serial_hex(),
        not_after: certificate.not_after(),
        verified: problem.is_none(),
        problem,
    })
}

async fn ask_for_tls(address: SocketAddr) -> Result<TcpStream, String> {
    let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    stream.write_all(&SSL_REQUEST).await.map_err(|error| error.to_string())?;
    match stream.read_u8().await {
        Ok(b'S') => Ok(stream),
        Ok(b'N') => Err("the server speaks no TLS".to_owned()),
        Ok(_) => Err("what is there is no PostgreSQL".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn agreed(connection: &rustls::ClientConnection) -> Option<(Protocol, String)> {
    let protocol = match connection.protocol_version()? {
        ProtocolVersion::TLSv1_2 => Protocol::Tls12,
        ProtocolVersion::TLSv1_3 => Protocol::Tls13,
        _ => return None,
    };
    // The library writes TLS13_AES_128_GCM_SHA256 for what the standard calls TLS_AES_128_GCM_SHA256.
    let suite = format!("{:?}", connection.negotiated_cipher_suite()?.suite());
    Some((protocol, suite.replacen("TLS13_", "TLS_", 1)))
}

fn client_config(tls: &TlsFiles, verifier: Arc<Witness>) -> Result<ClientConfig, String> {
    let chain = certificates(&tls.certificate_pem)?;
    let key = PrivateKeyDer::from_pem_slice(tls.key_pem.as_bytes())
        .map_err(|error| format!("our private key cannot be used: {error}"))?;
    ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(chain, key)
        .map_err(|error| format!("our certificate cannot be used: {error}"))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| format!("our certificates cannot be used: {error}"))
}

/// Keeps the certificate that the server shows and what is wrong with it.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    roots: RootCertStore,
    name: String,
    seen: Mutex<Option<(Vec<u8>, Option<String>)>>,
}

impl Witness {
    fn new(name: &str, tls: &TlsFiles) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(&tls.trusted_pem)?);
        let provider = Arc::new(aws_lc_rs::default_provider());
        Ok(Self { provider, roots, name: name.to_owned(), seen: Mutex::new(None) })
    }

    /// What is wrong with the certificate, by the rules of `verify-full`: unlike the library's own verifier it
    /// takes the common name where there is no alternative one, as in wallets of Oracle's tools.
    fn problem(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<String> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let chained = ParsedCertificate::try_from(leaf).and_then(|leaf| {
            verify_server_cert_signed_by_trust_anchor(&leaf, &self.roots, chain, now, algorithms)
        });
        if let Err(error) = chained {
            return Some(error.to_string());
        }
        match Certificate::from_der(leaf) {
            Ok(certificate) if certificate.verifies_name(&self.name) => None,
            Ok(_) => Some(format!("it is not for the name {:?}", self.name)),
            Err(error) => Some(error.to_string()),
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let problem = self.problem(end_entity, intermediates, now);
        *self.seen.lock().expect("no holder panics") = Some((end_entity.to_vec(), problem));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
