//! What was asked of the network for the support process, and what came: the facts that a run records and
//! that `support/` judges, in the run and again in `verify`. A part of the published shape of `report.json`:
//! the rules of `report/schema.rs` hold for it. Asks nothing and judges nothing.

mod found;
mod question;

use serde::{Deserialize, Serialize};

pub use found::{
    Acceptance, Component, Document, Entry, Exchanger, Feed, Inbox, Incident, Mail, Maintenance,
    Page, Reception,
};
pub use question::{Desk, Drop, DropLogin, How, Question, Read, Sender, Tls};

use crate::failure::Failure;

/// One question, and what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// `get` or `head` (HTTP, from the runner), `curl` (from a host), `mx` (DNS), `sftp`, `smtp` or `rcpt`.
    pub how: String,
    /// The URL, the domain, the address, `user@host:port`, or `host:port`.
    pub target: String,
    /// The host that asked; null: the runner itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The question as the plan prints it.
    pub asked: String,
    /// When it was first asked, RFC 3339 UTC.
    pub at: String,
    /// Each time that it was asked over HTTP, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub samples: Vec<Sample>,
    /// What stood in the last answer, where it was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document: Option<Document>,
    /// What DNS says of the domain.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mail: Option<Mail>,
    /// What an SFTP server showed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inbox: Option<Inbox>,
    /// What a mail server offered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reception: Option<Reception>,
    /// What a mail server said of an address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acceptance: Option<Acceptance>,
}

/// One exchange over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The URL itself, then each redirect that was followed.
    pub hops: Vec<Hop>,
    /// From the first look-up to the last byte, in microseconds.
    pub total_us: u64,
    /// Why it came to no whole answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lack: Option<Lack>,
}

/// One request, with the time of each phase in microseconds; 0 for a phase that was not reached or not
/// needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// What was asked for.
    pub url: String,
    /// The address that was connected to: the proxy's, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The proxy, without any password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<String>,
    /// Look-up of the name.
    pub dns_us: u64,
    /// TCP.
    pub connect_us: u64,
    /// `CONNECT` at the proxy.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub proxy_us: u64,
    /// TLS handshake.
    pub tls_us: u64,
    /// From the request to the head of the answer.
    pub first_byte_us: u64,
    /// The body.
    pub transfer_us: u64,
    /// Status of the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Where the answer redirects to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
    /// Bytes of the body that were read.
    pub bytes: u64,
    /// When the server's own certificate ends, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate_ends: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why something did not come, in the words of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lack {
    /// What kind of failure it is.
    pub kind: String,
    /// What would have passed.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// What to do about it.
    pub hint: String,
}

impl Lack {
    /// As a step fails with it.
    #[must_use]
    pub fn of(failure: Failure) -> Self {
        Self {
            kind: failure.kind.as_str().to_owned(),
            expected: failure.expected,
            actual: failure.actual,
            hint: failure.hint,
        }
    }

    /// Back again; a kind that is none is no statement at all.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let kind = self.kind.parse();
        let kind = kind.unwrap_or(crate::failure::FailureKind::Undefined);
        Failure::new(kind, self.expected.clone(), self.actual.clone()).with_hint(self.hint.clone())
    }
}

impl Sample {
    /// The status of the last answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.hops.last()?.status
    }
}

impl Probe {
    /// Whether it is what came of `question`.
    #[must_use]
    pub fn answers(&self, question: &Question) -> bool {
        self.how == question.how.as_str()
            && self.target == question.target
            && self.from == question.from
            && self.asked == question.line()
    }
}
