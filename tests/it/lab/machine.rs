//! What makes a loopback host a machine of its own: namespaces with a private /etc (accounts,
//! machine-id, hostname, sudoers) and /run. Needs root; the machine outside is not touched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::account::{Account, SERVICE};

/// Prepared below the host's directory, laid over a copy of /etc inside the namespace.
pub struct Machine<'a> {
    pub hostname: &'a str,
    pub machine_id: &'a str,
    /// Lines of a sudoers file.
    pub sudoers: &'a str,
    /// File below /etc → lines for it.
    pub etc: &'a BTreeMap<String, String>,
    /// Login shell of an account.
    pub shell: &'a dyn Fn(Account) -> String,
    /// Home directory of an account.
    pub home: &'a dyn Fn(Account) -> String,
}

/// Runs as PID 1 of the namespace and becomes sshd, so that killing `unshare` ends every process.
/// `$1` the prepared directory, `$2` the directory to mount at /run/chroot, the rest the server.
const BOOT: &str = r#"
set -e
prepared=$1 chroot=$2
shift 2
mount -t tmpfs -o mode=755 run /run
mkdir -m 755 /run/etc /run/sshd /run/chroot
cp -a /etc/. /run/etc/
rm -f /run/etc/machine-id /run/etc/hostname
cp -a "$prepared/." /run/etc/
mount --bind /run/etc /etc
mount --bind "$chroot" /run/chroot
hostname "$(cat /etc/hostname)"
exec "$@"
"#;

impl Machine<'_> {
    /// Writes the files that differ from the machine outside into `dir`.
    pub fn prepare(&self, dir: &Path) {
        // The machine outside may have accounts of these names: the first line would win.
        let system = |file: &str| -> String {
            let text = fs::read_to_string(Path::new("/etc").join(file)).unwrap();
            let ours = |line: &&str| {
                let name = line.split(':').next().unwrap_or_default();
                Account::ALL.iter().any(|account| account.login() == name)
            };
            let others = text.lines().filter(|line| !ours(line));
            others.map(|line| format!("{line}\n")).collect()
        };
        let (mut passwd, mut group, mut shadow) =
            (system("passwd"), system("group"), system("shadow"));
        let mut members = Vec::new();
        for account in Account::ALL {
            let (name, id) = (account.login(), account.uid);
            let (home, shell) = ((self.home)(account), (self.shell)(account));
            writeln!(passwd, "{name}:x:{id}:{id}::{home}:{shell}").unwrap();
            // `*` locks the password and leaves keys; `!` would lock the account.
            writeln!(shadow, "{name}:*:19000:0:99999:7:::").unwrap();
            if id != SERVICE.uid {
                writeln!(group, "{name}:x:{id}:").unwrap();
                members.push(name);
            }
        }
        writeln!(
            group,
            "{}:x:{}:{}",
            SERVICE.login(),
            SERVICE.uid,
            members.join(",")
        )
        .unwrap();
        fs::create_dir_all(dir.join("sudoers.d")).unwrap();
        for (file, text) in [
            ("passwd", passwd.as_str()),
            ("group", &group),
            ("shadow", &shadow),
            // sudo looks its host up each time, and would wait for a resolver.
            ("hosts", &format!("127.0.0.1 localhost {}\n", self.hostname)),
            ("hostname", &format!("{}\n", self.hostname)),
            ("machine-id", &format!("{}\n", self.machine_id)),
            ("sudoers.d/gonogo-lab", self.sudoers),
        ] {
            fs::write(dir.join(file), text).unwrap();
        }
        for (file, lines) in self.etc {
            let path = dir.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let before = fs::read_to_string(&path).unwrap_or_default();
            fs::write(path, before + lines).unwrap();
        }
        for private in ["shadow", "sudoers.d/gonogo-lab"] {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(dir.join(private), fs::Permissions::from_mode(0o440)).unwrap();
        }
    }
}

/// The command line that boots the machine; the server's own command line follows.
pub fn boot(prepared: &Path, chroot: &Path) -> Vec<std::ffi::OsString> {
    let mut line: Vec<std::ffi::OsString> = [
        "unshare",
        "--mount",
        "--uts",
        "--pid",
        "--propagation",
        "private",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        BOOT,
        "sh",
    ]
    .map(Into::into)
    .into();
    line.extend([prepared.into(), chroot.into()]);
    line
}
