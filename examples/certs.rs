//! A certificate authority to try TLS with, and what it signs: `make certs` writes them to `target/certs`.
//!
//! Never for production: the authority's key lies beside the rest, unencrypted.

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use std::error::Error;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// What is wanted of one certificate.
struct Wanted {
    /// The files' name, and the common name.
    name: &'static str,
    purpose: ExtendedKeyUsagePurpose,
    /// DNS names, addresses, URIs.
    alternative_names: &'static [&'static str],
    expired: bool,
}

const SERVER: ExtendedKeyUsagePurpose = ExtendedKeyUsagePurpose::ServerAuth;
const CLIENT: ExtendedKeyUsagePurpose = ExtendedKeyUsagePurpose::ClientAuth;
const LOCAL: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// Signed by the authority that clients and server are told to trust.
const SIGNED: [Wanted; 6] = [
    Wanted { name: "server", purpose: SERVER, alternative_names: LOCAL, expired: false },
    Wanted { name: "renewed", purpose: SERVER, alternative_names: LOCAL, expired: false },
    Wanted { name: "elsewhere", purpose: SERVER, alternative_names: &["elsewhere.test"], expired: false },
    Wanted { name: "expired", purpose: SERVER, alternative_names: LOCAL, expired: true },
    Wanted {
        name: "alice",
        purpose: CLIENT,
        alternative_names: &["alice.clients.test", "spiffe://calculate.test/alice"],
        expired: false,
    },
    Wanted { name: "bob", purpose: CLIENT, alternative_names: &["bob.clients.test"], expired: false },
];

/// Signed by another authority, which nobody trusts.
const STRANGERS: [Wanted; 2] = [
    Wanted { name: "strange-server", purpose: SERVER, alternative_names: LOCAL, expired: false },
    Wanted { name: "stranger", purpose: CLIENT, alternative_names: &["alice.clients.test"], expired: false },
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/certs".into()));
    std::fs::create_dir_all(&folder)?;
    for (authority, signed) in [("ca", &SIGNED[..]), ("strange-ca", &STRANGERS)] {
        let issuer = write_authority(&folder, authority)?;
        for wanted in signed {
            write_certificate(&folder, wanted, &issuer)?;
        }
    }
    println!("certificates to try TLS with are in {}", folder.display());
    Ok(())
}

fn write_authority(folder: &Path, name: &str) -> Result<Issuer<'static, KeyPair>, Box<dyn Error>> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("calculate {name}, for trying out only"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    write(folder, name, &params.self_signed(&key)?.pem(), &key)?;
    Ok(Issuer::new(params, key))
}

fn write_certificate(folder: &Path, wanted: &Wanted, issuer: &Issuer<'_, KeyPair>) -> Result<(), Box<dyn Error>> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, wanted.name);
    for name in wanted.alternative_names {
        params.subject_alt_names.push(match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if name.contains("://") => SanType::URI((*name).try_into()?),
            Err(_) => SanType::DnsName((*name).try_into()?),
        });
    }
    params.extended_key_usages = vec![wanted.purpose.clone()];
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = match wanted.expired {
        true => (now - Duration::days(2), now - Duration::days(1)),
        false => (now - Duration::days(1), now + Duration::days(365)),
    };
    let key = KeyPair::generate()?;
    write(folder, wanted.name, &params.signed_by(&key, issuer)?.pem(), &key)
}

fn write(folder: &Path, name: &str, certificate: &str, key: &KeyPair) -> Result<(), Box<dyn Error>> {
    std::fs::write(folder.join(format!("{name}.pem")), certificate)?;
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    Ok(())
}
