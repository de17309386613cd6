//! The certificates that a server sent: for whom, and until when.

use rustls::pki_types::CertificateDer;

use super::super::brief::brief;

/// Most certificates of one chain that are read.
const LONGEST: usize = 10;

/// A chain that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The server's own certificate.
    pub leaf: Certificate,
    /// Of the others that the server sent, the one that ends first.
    pub shortest_above: Option<Certificate>,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject.
    pub subject: String,
    /// Its end in seconds since 1970.
    pub not_after: i64,
}

impl Chain {
    /// Reads a chain, the server's own certificate first. `None` when that one can not be read.
    pub(super) fn read(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let (leaf, above) = chain.split_first()?;
        let above = above.iter().take(LONGEST).filter_map(read);
        Some(Self { leaf: read(leaf)?, shortest_above: above.min_by_key(|c| c.not_after) })
    }

    /// The certificate of the chain that ends first.
    pub fn first_to_end(&self) -> &Certificate {
        match &self.shortest_above {
            Some(above) if above.not_after < self.leaf.not_after => above,
            Some(_) | None => &self.leaf,
        }
    }
}

fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let subject = brief(&certificate.subject().to_string(), 80);
    Some(Certificate { subject, not_after: certificate.validity().not_after.timestamp() })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn ends(year: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn the_certificate_that_ends_first_decides() {
        let chain = Chain::read(&[ends(2040), ends(2050), ends(2030)]).unwrap();
        assert_eq!(chain.leaf.not_after, 2_208_988_800);
        assert_eq!(chain.first_to_end().not_after, 1_893_456_000);
        let alone = Chain::read(&[ends(2040)]).unwrap();
        assert_eq!(alone.first_to_end(), &alone.leaf);
    }

    #[test]
    fn what_is_no_certificate_is_no_chain() {
        assert_eq!(Chain::read(&[CertificateDer::from(vec![1, 2, 3])]), None);
        assert_eq!(Chain::read(&[]), None);
    }
}
