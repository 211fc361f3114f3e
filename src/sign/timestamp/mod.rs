//! Trusted time (RFC 3161): a third party's signed statement that bytes existed at an instant. What is
//! stamped is the signature of a run, so that the run verifies after its key was rotated or expired
//! (facts: signing.md 5, 9). Trust in an authority comes from a file of CA certificates, never from the run.

mod der;
mod request;
mod token;

use jiff::Timestamp;

pub use request::Request;
pub use token::{Authorities, Token};

/// Appended to the name of the stamped file.
pub const REQUEST_SUFFIX: &str = ".tsq";
/// Appended to the name of the stamped file.
pub const RESPONSE_SUFFIX: &str = ".tsr";
/// A token with its certificates takes 2 to 10 KiB.
pub const MOST_BYTES: u64 = 1 << 20;

/// What a token proves, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The bytes existed at this instant.
    pub at: Timestamp,
    /// Whoever says so: the subject of the authority's certificate.
    pub authority: String,
    /// The authority's number of the token, in hexadecimal.
    pub serial: String,
    /// The policy under which it was issued, as an object identifier.
    pub policy: String,
}

/// Why a token proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum StampFault {
    /// No DER of that shape.
    #[error("not a time stamp: {0}")]
    Shape(&'static str),
    /// The authority refused.
    #[error("the authority gave no time stamp: status {status}{}", match said.as_str() { "" => String::new(), said => format!(", `{}`", crate::text::escape(said)) })]
    Refused {
        /// `PKIStatus` (RFC 3161 2.4.2).
        status: u64,
        /// What it said.
        said: String,
    },
    /// Signature, chain or purpose of the authority's certificate.
    #[error("the time stamp is not from an authority that is trusted: {0}")]
    Untrusted(String),
    /// Another file was stamped.
    #[error("the time stamp is of other bytes")]
    OtherBytes,
    /// Hashed in a way that proves nothing any more.
    #[error("the time stamp is over a digest of algorithm {0}; SHA-256, SHA-384 and SHA-512 count")]
    WeakDigest(String),
    /// It answers another request.
    #[error("the time stamp does not answer this request: its nonce differs")]
    OtherRequest,
    /// The file of CA certificates.
    #[error("cannot use the CA certificates: {0}")]
    Authorities(String),
}

impl StampFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Shape(_) => {
                "the file must be the authority's whole answer (application/timestamp-reply), as it came"
            }
            Self::Refused { .. } => "ask the authority what it accepts, or another one",
            Self::Untrusted(_) => {
                "--tsa-ca names the root of the authority, and what stands between, received by another way than the run"
            }
            Self::OtherBytes => {
                "each run needs a time stamp of its own: request it with `gonogo timestamp request`"
            }
            Self::WeakDigest(_) => {
                "request it with `gonogo timestamp request`, which asks for SHA-512"
            }
            Self::OtherRequest => "attach the answer to the newest request, or request again",
            Self::Authorities(_) => "it holds certificates in PEM form",
        }
    }
}

#[cfg(test)]
mod tests;
