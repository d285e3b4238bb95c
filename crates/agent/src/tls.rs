//! TLS between agents, witness and command line: both sides prove themselves with the control wallet.

use std::path::Path;
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use twinlock_wallet::{Credential, Wallet};

use crate::error::AgentError;

/// Both ends of the control channel.
#[derive(Clone)]
pub(crate) struct Control {
    /// For those who listen.
    pub(crate) server: Arc<ServerConfig>,
    /// For those who call.
    pub(crate) client: Arc<ClientConfig>,
    /// The name that every party's certificate carries.
    pub(crate) name: ServerName<'static>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Control {
    /// Opens the control wallet in `path`.
    pub(crate) fn open(path: &Path) -> Result<Control, AgentError> {
        let unusable = |cause| AgentError::Wallet { path: path.to_owned(), cause };
        let credential =
            Wallet::open_auto_login(path).and_then(|wallet| wallet.credential()).map_err(unusable)?;
        Control::from_credential(&credential, path)
    }

    fn from_credential(credential: &Credential, path: &Path) -> Result<Control, AgentError> {
        let broken = |cause| AgentError::Tls { path: path.to_owned(), cause };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        for trusted in &credential.trusted {
            roots.add(CertificateDer::from(trusted.der().to_vec())).map_err(broken)?;
        }
        let roots = Arc::new(roots);
        let chain: Vec<_> = credential
            .chain
            .iter()
            .map(|certificate| CertificateDer::from(certificate.der().to_vec()))
            .collect();
        let key = || PrivateKeyDer::from(PrivatePkcs8KeyDer::from(credential.key.pkcs8_der().to_vec()));
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .map_err(|error| broken(rustls::Error::General(error.to_string())))?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key())
            .map_err(broken)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key())
            .map_err(broken)?;
        let name = credential.name().unwrap_or_default().to_owned();
        let name = ServerName::try_from(name).map_err(|_| {
            AgentError::Unusable(format!("the certificate in {} has no usable name", path.display()))
        })?;
        Ok(Control { server: Arc::new(server), client: Arc::new(client), name })
    }
}
