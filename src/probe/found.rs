//! What was read of an answer: status pages, feeds, mail domains, drop boxes. Words of the other side stand
//! as they came; what they mean is judged elsewhere.

use serde::{Deserialize, Serialize};

use super::Lack;

/// What stood in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many there were.
    pub bytes: u64,
    /// A status page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page: Option<Page>,
    /// A feed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub feed: Option<Feed>,
    /// The time that stood at the JSON pointer, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<String>,
    /// Why it is not what it was taken for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lack: Option<Lack>,
}

/// What a status page says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Its word for the whole; null where this part of it has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub indicator: Option<String>,
    /// When it was last updated, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub updated: Option<String>,
    /// How many components it tells of.
    pub components: u64,
    /// Those whose word is not the one for "all is well".
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unwell: Vec<Component>,
    /// Incidents, closed ones among them where the page lists them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub incidents: Vec<Incident>,
    /// Maintenance.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub maintenance: Vec<Maintenance>,
}

/// A component that is not well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// The page's word.
    pub word: String,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// What it is called.
    pub title: String,
    /// The page's word for how far it is.
    pub word: String,
    /// The page's word for how bad it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub impact: Option<String>,
    /// When it began, as the page says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub began: Option<String>,
    /// Where people read of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
}

/// A maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// What it is called.
    pub title: String,
    /// The page's word for how far it is.
    pub word: String,
    /// When it begins, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// When it ends, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// Where people read of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
}

/// What a feed says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// How many entries it has.
    pub entries: u64,
    /// The newest of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub newest: Option<Entry>,
}

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is called.
    pub title: String,
    /// When it came, RFC 3339 UTC.
    pub at: String,
}

/// What DNS says of a mail domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `exchangers`, `null` (RFC 7505: it takes no mail), `implicit` (RFC 5321 5.1: no exchanger, but an
    /// address), `nothing` (neither), `no-domain` (NXDOMAIN), or `unknown`.
    pub says: String,
    /// The exchangers, the preferred one first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exchangers: Vec<Exchanger>,
    /// Which server was asked; null: those of the runner's own configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resolver: Option<String>,
    /// Why nothing is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lack: Option<Lack>,
}

/// A mail exchanger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exchanger {
    /// Its name.
    pub name: String,
    /// How many addresses it has; 0, too, where that could not be asked.
    pub addresses: u64,
}

/// What an SFTP server showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Inbox {
    /// `SHA256:…` of its host key, when it was the one that is pinned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host_key: Option<String>,
    /// True when the account was let in.
    pub login: bool,
    /// The directory that was looked at, and is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub directory: Option<String>,
    /// Why it ended before that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lack: Option<Lack>,
}

/// What a mail server showed; no sender, recipient or message was named to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reception {
    /// What it calls itself.
    pub name: String,
    /// True when it was asked over TLS, with a certificate that holds.
    pub encrypted: bool,
    /// The most bytes of a message that it takes, where it says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub most_bytes: Option<u64>,
    /// Why it ended before that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lack: Option<Lack>,
}

/// What the preferred mail server of a domain said to RCPT TO; no message was handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The server, by its name and address.
    pub server: String,
    /// The number of its answer: 250 and 251 accept, 252 tells nothing, 400 to 499 is for now, 500 to 599 refuses.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<u16>,
    /// The whole answer.
    pub words: String,
    /// Why nothing was said of the address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lack: Option<Lack>,
}
