//! Target accounts: never root, because root reads what is forbidden and no sabotage would bite
//! (facts: traps.md T16). As root they are private to the lab's namespaces, known outside by number
//! alone; otherwise every one of them is the current user.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

/// A remote account, and the team that logs in with it.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    name: &'static str,
    /// The team's key in the inventory, and its key file's name.
    pub team: &'static str,
    /// Both uid and gid.
    pub uid: u32,
}

/// May read what the service's group may read.
pub const OPERATIONS: Account = Account {
    name: "gonogo-ops",
    team: "operations",
    uid: 61_001,
};

/// As [`OPERATIONS`], for checks that concern a second team.
pub const MARKET_DATA: Account = Account {
    name: "gonogo-md",
    team: "market-data",
    uid: 61_002,
};

/// Owns the instances' files; nobody logs in with it.
pub const SERVICE: Account = Account {
    name: "gonogo-amps",
    team: "",
    uid: 61_003,
};

impl Account {
    /// Everyone that a host knows.
    pub const ALL: [Self; 3] = [OPERATIONS, MARKET_DATA, SERVICE];

    /// The login name.
    pub fn login(self) -> String {
        if is_root() {
            return self.name.to_owned();
        }
        let id = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8(id.stdout).unwrap().trim().to_owned()
    }

    /// Runs a shell line as this account on this side of the namespaces, for at most two seconds
    /// (exit 124 beyond): how a sabotage is tried before gonogo is judged by it.
    pub fn sh(self, line: &str, path: &Path) -> Output {
        let mut command = Command::new(if is_root() { "setpriv" } else { "env" });
        if is_root() {
            let groups = format!("{},{}", self.uid, SERVICE.uid);
            let (uid, gid) = (self.uid.to_string(), self.uid.to_string());
            command.args(["--reuid", &uid, "--regid", &gid, "--groups", &groups]);
        }
        command
            .args(["timeout", "2", "sh", "-c", line, "sh"])
            .arg(path)
            .current_dir("/")
            .output()
            .unwrap()
    }

    /// True when this account gets the whole file.
    pub fn can_read(self, path: &Path) -> bool {
        self.sh("exec cat -- \"$1\"", path).status.success()
    }
}

/// True when the lab can give every host its own machine, accounts and sudo.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// True when the test must be left out for want of root. `GONOGO_LAB=full` (CI) makes that an error.
pub fn needs_root(test: &str) -> bool {
    if is_root() {
        return false;
    }
    assert!(
        std::env::var_os("GONOGO_LAB").is_none_or(|lab| lab != "full"),
        "GONOGO_LAB=full, but {test} needs root"
    );
    // Past libtest's capture, so that scripts/test can list it.
    let note = format!("not run: {test} needs root\n");
    std::io::stderr().write_all(note.as_bytes()).unwrap();
    true
}
