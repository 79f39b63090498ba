//! Whom TLS believes: the server's certificate as `sslmode` asks for it, and the portal's own where the server wants one.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::asked::{Asked, Mode, Root};

/// The settings of TLS for a connection.
///
/// # Errors
/// A sentence that names the file that cannot be used.
pub(super) fn client_config(asked: &Asked) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        believed: believed(&asked.root)?,
        names: asked.mode == Mode::VerifyFull,
        provider: provider.clone(),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &asked.identity {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            builder.with_client_auth_cert(certificates(cert, "sslcert")?, private_key(key)?).map_err(|error| {
                format!("sslcert={} does not go with sslkey={}: {error}", cert.display(), key.display())
            })?
        }
    };
    // What `sslnegotiation=direct` asks for.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(config)
}

fn certificates(file: &Path, name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: &dyn std::fmt::Display| {
        format!("{name}={} cannot be read as certificates (PEM): {error}", file.display())
    };
    let all = CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| failed(&error))?;
    if all.is_empty() { Err(failed(&"there is none in it")) } else { Ok(all) }
}

/// As PostgreSQL's programs, a key that others can read is refused; where it is root's, its group may.
fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let failed =
        |error: &dyn std::fmt::Display| format!("sslkey={} cannot be read as a key (PEM): {error}", file.display());
    let about = std::fs::metadata(file).map_err(|error| failed(&error))?;
    let others = if about.uid() == 0 { 0o037 } else { 0o077 };
    if about.mode() & others != 0 {
        return Err(format!("sslkey={} can be read by others: chmod 600 it", file.display()));
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| failed(&error))
}

/// Whose certificates are believed; `None`: anybody's.
fn believed(root: &Root) -> Result<Option<Believed>, String> {
    let certificates = match root {
        Root::Any => return Ok(None),
        Root::File(file) => certificates(file, "sslrootcert")?,
        Root::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err("sslrootcert=system: the operating system has no certificates (Debian: apt-get install ca-certificates)".to_owned());
            }
            found.certs
        }
    };
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(certificates.iter().cloned());
    match taken {
        0 => Err("sslrootcert holds no certificate that can be read".to_owned()),
        _ => Ok(Some(Believed { roots, certificates })),
    }
}

#[derive(Debug)]
struct Believed {
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

/// `require`: any certificate. `verify-ca`: one that a believed one signed. `verify-full`: and made out to this host.
#[derive(Debug)]
struct Verifier {
    believed: Option<Believed>,
    names: bool,
    provider: Arc<CryptoProvider>,
}

impl Believed {
    /// Whether the chain of a certificate ends in a believed one. A server's certificate that signed itself as an
    /// authority is believed where it is itself in the file: PostgreSQL's manual makes such ones.
    fn signed(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
        by: &CryptoProvider,
    ) -> Result<(), Error> {
        let algorithms = by.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(end)?;
        match verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms) {
            // Told only after the days on which it holds were looked at.
            Err(error) if format!("{error:?}").contains("CaUsedAsEndEntity") && self.certificates.contains(end) => {
                Ok(())
            }
            other => other,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(believed) = &self.believed {
            believed.signed(end_entity, intermediates, now, &self.provider)?;
        }
        if self.names {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
