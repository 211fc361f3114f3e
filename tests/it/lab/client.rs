//! The real `ssh` and `sftp`, logging in as a team does: the lab is proved with them before gonogo
//! is judged in it.

use std::fs;
use std::process::{Child, Command, Output, Stdio};

use super::{Account, Host, Lab};

impl Lab {
    /// `ssh ACCOUNT@host COMMAND`, strict about the host key, no prompt, bounded.
    pub fn ssh(&self, host: &Host, account: Account, command: &str) -> Output {
        let mut ssh = self.client("ssh", host, account);
        let login = format!("{}@{}", account.login(), host.address.ip());
        ssh.args(["-p", &host.address.port().to_string(), &login, command]);
        ssh.output().unwrap()
    }

    /// `ssh OPTIONS ACCOUNT@host COMMAND`.
    pub fn ssh_with(
        &self,
        options: &[&str],
        host: &Host,
        account: Account,
        command: &str,
    ) -> Output {
        let mut ssh = self.client_with(options, host, account);
        if !command.is_empty() {
            ssh.arg(command);
        }
        ssh.stdin(Stdio::null()).output().unwrap()
    }

    /// The same without a command, for as long as the caller wants it; SIGTERM ends it.
    pub fn ssh_open(
        &self,
        options: &[&str],
        host: &Host,
        account: Account,
        stderr: fs::File,
    ) -> Child {
        let mut ssh = self.client_with(options, host, account);
        ssh.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);
        ssh.spawn().unwrap()
    }

    fn client_with(&self, options: &[&str], host: &Host, account: Account) -> Command {
        let mut ssh = self.client("ssh", host, account);
        let login = format!("{}@{}", account.login(), host.address.ip());
        ssh.args(["-p", &host.address.port().to_string()])
            .args(options)
            .arg(login);
        ssh
    }

    /// `sftp -b` with the given batch.
    pub fn sftp(&self, host: &Host, account: Account, batch: &str) -> Output {
        let file = self.path("operator/tmp/batch");
        fs::write(&file, batch).unwrap();
        let mut sftp = self.client("sftp", host, account);
        let login = format!("{}@{}", account.login(), host.address.ip());
        sftp.args(["-P", &host.address.port().to_string(), "-b"]);
        sftp.arg(file).arg(login).output().unwrap()
    }

    fn client(&self, program: &str, host: &Host, account: Account) -> Command {
        let known = self.path("operator/tmp/known_hosts");
        fs::write(&known, host.known_hosts_line()).unwrap();
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "20", program, "-F", "none"]);
        for option in [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "StrictHostKeyChecking=yes",
        ] {
            command.args(["-o", option]);
        }
        let key = self.path("operator/keys").join(account.team);
        command
            .arg("-o")
            .arg(format!("IdentityFile={}", key.display()));
        command
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()));
        command.current_dir(self.operator());
        command
    }
}
