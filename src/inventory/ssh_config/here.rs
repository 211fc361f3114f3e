//! What an ssh_config may ask about the machine and the account that gonogo runs as.

use std::path::{Path, PathBuf};

/// This side.
#[derive(Clone, Debug)]
pub(super) struct Here {
    pub home: PathBuf,
    pub user: String,
    pub uid: u32,
    pub hostname: String,
    /// True where a config is only read again from a run's inputs: nothing on this machine counts then.
    pub recorded: bool,
    /// Whether a file is there.
    pub has: fn(&Path) -> bool,
}

impl Here {
    /// As things are.
    pub fn found() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let name = rustix::system::uname();
        Self {
            home: std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")),
            user: user(uid),
            uid,
            hostname: name.nodename().to_string_lossy().into_owned(),
            recorded: false,
            has: Path::is_file,
        }
    }

    /// Nowhere, for what a run has recorded.
    pub fn nowhere() -> Self {
        Self {
            home: PathBuf::from("/"),
            user: String::new(),
            uid: 0,
            hostname: String::new(),
            recorded: true,
            // Taken on trust.
            has: |_| true,
        }
    }

    /// The path that `Include` means: relative ones start from `~/.ssh`, as in a user's own file.
    pub fn included(&self, written: &str) -> Option<PathBuf> {
        match written.strip_prefix('~') {
            Some(_) => self.tilde(written),
            None => Some(self.home.join(".ssh").join(written)),
        }
    }

    /// `~/x`; `None` for the home of another account.
    pub fn tilde(&self, written: &str) -> Option<PathBuf> {
        match written.strip_prefix('~') {
            None => Some(PathBuf::from(written)),
            Some("") => Some(self.home.clone()),
            Some(below) => Some(self.home.join(below.strip_prefix('/')?)),
        }
    }
}

/// The account's name: from passwd(5), else as the environment tells it, since directories that only
/// NSS knows are not asked.
fn user(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named
        .or_else(|| std::env::var("LOGNAME").ok())
        .or_else(|| std::env::var("USER").ok())
        .unwrap_or_default()
}
