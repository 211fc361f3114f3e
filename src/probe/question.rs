//! One question as it is planned: the plan prints it, the run asks it and nothing else.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A question to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// By what means.
    pub how: How,
    /// The URL, the domain, the address, `user@host:port`, or `host:port`.
    pub target: String,
    /// The host that asks; the runner when it is `None`.
    pub from: Option<String>,
    /// What is read of the answer.
    pub read: Read,
    /// The status that is an answer.
    pub status: u16,
    /// How often it is asked, one after the other.
    pub samples: u32,
    /// How many redirects are followed.
    pub redirects: u32,
    /// Whose certificates are trusted, instead of those that the asking machine trusts.
    pub ca: Option<PathBuf>,
}

/// By what means a question is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// HTTP GET.
    Get,
    /// HTTP HEAD.
    Head,
    /// `curl` on a host.
    Curl,
    /// Mail exchangers of a domain, from that server instead of the runner's own.
    Mx(Option<SocketAddr>),
    /// SSH and SFTP.
    Sftp(Box<Drop>),
    /// The greeting of a mail server.
    Smtp(Box<Desk>),
    /// Whether the mail server of a domain accepts an address.
    Rcpt(Box<Sender>),
}

/// An account on an SFTP server, of which nothing is asked but to be let in and shown a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The account.
    pub user: String,
    /// The pin of its host key.
    pub host_key: Option<String>,
    /// How we log in, where a login is asked for.
    pub login: Option<DropLogin>,
    /// Where in it.
    pub directory: Option<String>,
}

/// Who asks about an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The DNS server that knows the mail server, instead of the runner's own.
    pub resolver: Option<SocketAddr>,
    /// The address; empty for nobody.
    pub from: String,
}

/// A mail server, of which nothing is asked but what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// When it is encrypted.
    pub tls: Tls,
}

/// When a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// After `STARTTLS`, and never without.
    Starttls,
    /// From the first byte.
    Implicit,
    /// Never: on this machine alone.
    None,
}

/// How a drop box lets us in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropLogin {
    /// By a private key.
    Key {
        /// The file.
        path: PathBuf,
        /// The environment variable with its passphrase.
        passphrase_env: Option<String>,
    },
    /// By the ssh-agent.
    Agent,
    /// By a password.
    Password {
        /// The environment variable that holds it.
        env: String,
    },
}

/// What is read of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Its status and its end.
    Nothing,
    /// Statuspage, API v2: `summary.json`.
    Statuspage,
    /// The public API of status.io.
    StatusIo,
    /// Components of Cachet 3.
    CachetComponents,
    /// Incidents of Cachet 3.
    CachetIncidents,
    /// Schedules of Cachet 3.
    CachetSchedules,
    /// RSS or Atom.
    Feed,
    /// The time at a JSON pointer.
    Time(String),
}

impl How {
    /// The published word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::Curl => "curl",
            Self::Mx(_) => "mx",
            Self::Sftp(_) => "sftp",
            Self::Smtp(_) => "smtp",
            Self::Rcpt(_) => "rcpt",
        }
    }
}

impl Read {
    /// What is looked for in the answer, where something is.
    fn said(&self) -> Option<String> {
        let said = match self {
            Self::Nothing => return None,
            Self::Statuspage => "reads Statuspage v2",
            Self::StatusIo => "reads status.io",
            Self::CachetComponents | Self::CachetIncidents | Self::CachetSchedules => {
                "reads Cachet 3"
            }
            Self::Feed => "reads a feed",
            Self::Time(pointer) => return Some(format!("reads the time at {pointer}")),
        };
        Some(said.to_owned())
    }
}

impl Question {
    /// The whole time of one sample.
    pub const PATIENCE: Duration = Duration::from_secs(10);
    /// The same of a mail server that is asked about an address: many wait before they greet, on purpose.
    pub const MAIL_PATIENCE: Duration = Duration::from_secs(40);
    /// The most bytes of one answer.
    pub const MOST: u64 = 8 << 20;

    /// One that is asked from the runner once, trusting what it trusts.
    #[must_use]
    pub fn new(how: How, target: impl Into<String>, read: Read) -> Self {
        Self {
            how,
            target: target.into(),
            from: None,
            read,
            status: 200,
            samples: 1,
            redirects: 0,
            ca: None,
        }
    }

    /// As the plan prints it: what is asked by whom, and how the answer is read.
    #[must_use]
    pub fn line(&self) -> String {
        let mut more: Vec<String> = Vec::new();
        more.extend(self.read.said());
        if self.status != 200 {
            more.push(format!("status {}", self.status));
        }
        if self.samples > 1 {
            more.push(format!("{} times", self.samples));
        }
        if self.redirects > 0 {
            let many = crate::text::count(self.redirects as usize, "redirect");
            more.push(format!("follows at most {many}"));
        }
        let name = |path: &PathBuf| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        more.extend(self.ca.as_ref().map(|ca| format!("trusts {}", name(ca))));
        match &self.how {
            How::Rcpt(sender) => {
                more.push("its preferred mail server on port 25: EHLO".to_owned());
                more.push(format!("MAIL FROM:<{}>", sender.from));
                more.push("RCPT TO, RSET, QUIT".to_owned());
                more.push("no message".to_owned());
                more.extend(sender.resolver.map(|server| format!("asks {server}")));
            }
            How::Mx(Some(server)) => more.push(format!("asks {server}")),
            How::Sftp(drop) => {
                let by = match &drop.login {
                    None => None,
                    Some(DropLogin::Key { path, .. }) => Some(format!("key {}", name(path))),
                    Some(DropLogin::Agent) => Some("the ssh-agent".to_owned()),
                    Some(DropLogin::Password { env }) => Some(format!("the password in {env}")),
                };
                more.push(by.map_or_else(
                    || "the host key only".to_owned(),
                    |by| {
                        let directory = drop.directory.as_deref().unwrap_or(".");
                        format!("{by}, then looks at {directory}")
                    },
                ));
            }
            How::Smtp(desk) => more.push(match desk.tls {
                Tls::Starttls => "EHLO, STARTTLS, EHLO".to_owned(),
                Tls::Implicit => "TLS, EHLO".to_owned(),
                Tls::None => "EHLO in plain text".to_owned(),
            }),
            _ => {}
        }
        let more = match more.is_empty() {
            true => String::new(),
            false => format!("  ({})", more.join(", ")),
        };
        format!("{:<8} {}{more}", self.how.as_str(), self.target)
    }

    /// The program that a host runs for it.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let patience = Self::PATIENCE.as_secs().to_string();
        let most = Self::MOST.to_string();
        let mut words = vec!["curl", "--disable", "--silent", "--show-error", "--globoff"];
        words.extend(["--proto", "=http,https", "--max-time", &patience]);
        words.extend(["--max-filesize", &most, "--user-agent", "gonogo"]);
        let ca = self.ca.as_ref().map(|ca| ca.to_string_lossy().into_owned());
        if let Some(ca) = &ca {
            words.extend(["--cacert", ca]);
        }
        if self.read == Read::Nothing {
            words.extend(["--output", "/dev/null"]);
        }
        words.extend(["--write-out", Self::TIMES, "--url", &self.target]);
        words.into_iter().map(str::to_owned).collect()
    }

    /// What `curl` says behind the answer; curl itself turns `\n` into a line's end.
    pub const TIMES: &'static str = "\\ngonogo %{http_code} %{time_namelookup} %{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer} %{time_total} %{size_download} %{remote_ip}";
}
