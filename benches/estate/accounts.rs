//! The accounts that servers give to the people who fetch, as the inventory declares them.

/// How the operator's account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// Files by SFTP, and commands for version and clock.
    Shell,
    /// The same, and one command for many small files.
    Framed,
    /// Files by SFTP alone.
    Files,
    /// Commands alone.
    Exec,
    /// Commands alone, and one for many small files.
    ExecFramed,
}

impl Account {
    /// The estate's inventory with this account in the place of a plain one.
    pub fn of(self, inventory: &str) -> String {
        let key = |more: &str| inventory.replace("key: login}", &format!("key: login{more}}}"));
        match self {
            Self::Shell => inventory.to_owned(),
            Self::Framed => key(", gather: framed"),
            Self::Exec => key(", transport: exec"),
            Self::ExecFramed => key(", transport: exec, gather: framed"),
            // It takes its version from a file.
            Self::Files => key(", transport: sftp").replace(
                "amps: {vendor: 60east}",
                r#"amps: {vendor: 60east, artifacts: {version: {kind: version, path: "{home}/VERSION", match: '\d+\.\d+\.\d+\.\d+'}}}"#,
            ),
        }
    }
}
