//! Encryption to the vendor: what `case split` locks is opened again by the machine's own `age` and `gpg`, and each
//! key that is no good has its good twin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::{deliver, ends, names, office, write};
use crate::lab::Lab;

/// A GnuPG of its own: the path of an agent's socket must be short.
pub(crate) struct Gpg(tempfile::TempDir);

impl Gpg {
    pub(crate) fn new() -> Self {
        Self(
            tempfile::Builder::new()
                .prefix("g")
                .tempdir_in("/tmp")
                .unwrap(),
        )
    }

    pub(crate) fn home(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Vec<u8> {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--yes", "--quiet", "--homedir"]);
        command
            .arg(self.home())
            .args(["--passphrase", ""])
            .args(args);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{args:?}: {done:?}");
        done.stdout
    }

    /// Makes a key for `user`, and gives its fingerprint.
    pub(crate) fn key(&self, user: &str, more: &[&str]) -> String {
        let (before, kind) = more.split_at(more.iter().position(|one| *one == ":").unwrap_or(0));
        let kind = kind.strip_prefix(&[":"][..]).unwrap_or(kind);
        let kind = if kind.is_empty() {
            &["default", "default", "never"][..]
        } else {
            kind
        };
        self.run(&[before, &["--quick-gen-key", user], kind].concat());
        let listed = self.run(&["--with-colons", "--list-keys", user]);
        let listed = String::from_utf8(listed).unwrap();
        let line = listed
            .lines()
            .find(|line| line.starts_with("fpr:"))
            .unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    pub(crate) fn export(&self, fingerprint: &str, to: &Path) {
        fs::write(to, self.run(&["--armor", "--export", fingerprint])).unwrap();
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.arg("--homedir").arg(self.home());
        let _ = command.args(["--kill", "all"]).output();
    }
}

/// Makes a pair of age keys; gives the file of the private one, and the recipient.
pub(crate) fn age_key(at: &Path) -> (PathBuf, String) {
    let path = at.to_owned();
    let made = Command::new("age-keygen")
        .arg("-o")
        .arg(&path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let text = fs::read_to_string(&path).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    (path, line.unwrap().to_owned())
}

fn ssh_key(at: &Path, kind: &[&str]) -> String {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-N", "", "-C", "vendor", "-f"])
        .arg(at)
        .args(kind);
    let made = command.output().unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::read_to_string(at.with_extension("pub"))
        .unwrap()
        .trim()
        .to_owned()
}

fn split(lab: &Lab, more: &[&str]) -> Output {
    let args = ["case", "split", "b.tar.zst", "-o", "parts", "--any-file"];
    lab.run(&[&args[..], more].concat())
}

/// Does what JOIN.txt says, with that private key.
fn joined(lab: &Lab, key: &Path, gpg: Option<&Gpg>) -> Output {
    let folder = lab.path("operator/parts");
    let page = fs::read_to_string(folder.join("b.tar.zst.JOIN.txt")).unwrap();
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("  ")).collect();
    let script = lines
        .join("\n")
        .replace("-i KEY", &format!("-i {}", key.display()));
    let mut command = Command::new("sh");
    command.args(["-e", "-c", &script]).current_dir(folder);
    if let Some(gpg) = gpg {
        command.env("GNUPGHOME", gpg.home());
    }
    command.output().unwrap()
}

#[track_caller]
fn opens(lab: &Lab, end: &str, key: &Path, gpg: Option<&Gpg>) {
    let folder = lab.path("operator/parts");
    let parts: Vec<String> = names(&folder)
        .into_iter()
        .filter(|name| name.ends_with(end))
        .collect();
    assert_eq!(parts.len(), 4, "{:?}", names(&folder));
    for part in parts {
        assert!(fs::metadata(folder.join(part)).unwrap().len() <= 200 << 10);
    }
    let done = joined(lab, key, gpg);
    assert!(done.status.success(), "{done:?}");
    let whole = fs::read(lab.path("operator/b.tar.zst")).unwrap();
    assert!(fs::read(folder.join("b.tar.zst")).unwrap() == whole);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn each_kind_of_age_recipient_opens_what_was_encrypted_to_it() {
    let lab = Lab::new();
    office(&lab, &json!([]), 700_001);
    let at = |name: &str| lab.path("operator").join(name);
    let (own, recipient) = age_key(&at("vendor.key"));
    let limit = ["--max-bytes", "200KiB", "--encrypt-to"];
    let to = |who: &str| split(&lab, &[&limit[..], &[who]].concat());
    ends(
        &to(&recipient),
        0,
        &["encrypted to age1", "b.part-004-of-004.tar.zst.age"],
    );
    let other = age_key(&at("other.key")).0;
    assert!(!joined(&lab, &other, None).status.success());
    opens(&lab, ".age", &own, None);
    for (name, kind) in [
        ("ed", &["-t", "ed25519"][..]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ] {
        let public = ssh_key(&at(name), kind);
        ends(&to(&public), 0, &["encrypted to ssh-"]);
        opens(&lab, ".age", &at(name), None);
        ends(&to(&format!("{name}.pub")), 0, &["encrypted to ssh-"]);
        opens(&lab, ".age", &at(name), None);
    }
    // Each of several can.
    let both = [&limit[..], &[&recipient, "--encrypt-to", "ed.pub"]].concat();
    ends(
        &split(&lab, &both),
        0,
        &["encrypted to age1", "ssh-ed25519"],
    );
    fs::remove_dir_all(at("parts")).unwrap();
    ends(&split(&lab, &both), 0, &[]);
    opens(&lab, ".age", &at("ed"), None);
}

#[test]
fn who_is_nobody_to_encrypt_to_is_refused_and_no_secret_repeated() {
    let lab = Lab::new();
    office(&lab, &json!([]), 700_001);
    let at = |name: &str| lab.path("operator").join(name);
    let (own, recipient) = age_key(&at("vendor.key"));
    let secret = fs::read_to_string(&own).unwrap();
    let secret = secret.lines().last().unwrap().to_owned();
    ssh_key(&at("ed"), &["-t", "ed25519"]);
    let ecdsa = ssh_key(&at("ecdsa"), &["-t", "ecdsa"]);
    let mut typo = recipient.clone().into_bytes();
    typo[20] = if typo[20] == b'q' { b'p' } else { b'q' };
    let typo = String::from_utf8(typo).unwrap();
    fs::write(at("nobody.txt"), "# nobody yet\n\n").unwrap();
    fs::write(at("two.txt"), format!("# them\n{recipient}\n{typo}\n")).unwrap();
    let fingerprint = "A".repeat(40);
    for (who, says) in [
        (typo.as_str(), "its checksum does not hold"),
        (
            "age1yubikey1qwmzz9wvz8gu3uwq2mhrtaa9tqmqmdxmfk6q2qj3nwtn0yv2p6gh5v7xc9a",
            "for a plugin of age",
        ),
        (&secret, "this is a private key"),
        ("vendor.key", "vendor.key:3: this is a private key"),
        ("ed", "ed:1: this is a private key"),
        (&ecdsa, "to an SSH key of type ecdsa-sha2-nistp256"),
        ("ssh-ed25519 AAAA", "is not whole"),
        ("gone.asc", "cannot read `gone.asc`"),
        ("keys", "no file of public keys"),
        ("nobody.txt", "names nobody"),
        ("two.txt", "two.txt:3: "),
        (&fingerprint, "and not the key"),
        ("b.tar.zst", "holds no OpenPGP public key"),
    ] {
        let told = split(&lab, &["--max-bytes", "200KiB", "--encrypt-to", who]);
        ends(&told, 2, &[says, "hint: "]);
        let told = format!("{told:?}");
        assert!(
            !told.contains("SECRET-KEY-1") && !told.contains("b3BlbnNzaC1r"),
            "{told}"
        );
    }
    assert!(!at("parts").exists());
    let few = ["--max-bytes", "2KiB", "--encrypt-to", &recipient];
    ends(&split(&lab, &few), 2, &["no room for what encrypting adds"]);
    fs::copy(at("b.tar.zst"), at("b.tar.zst.age")).unwrap();
    let again = [
        "case",
        "split",
        "b.tar.zst.age",
        "--any-file",
        "-o",
        "parts",
        "--max-bytes",
        "200KiB",
        "--encrypt-to",
        &recipient,
    ];
    ends(&lab.run(&again), 2, &["is encrypted already"]);
    // In an inventory, too.
    let mailbox = |to: &str| {
        json!({"acme": {"intake": [{
            "kind": "sftp", "host": "127.0.0.1", "user": "bank", "key": "k", "encrypt_to": [to],
        }]}})
    };
    write(&lab, &mailbox(&secret));
    let told = deliver(&lab, &[]);
    ends(&told, 2, &["vendors.yaml:1:", "this is a private key"]);
    assert!(!format!("{told:?}").contains("SECRET-KEY-1"), "{told:?}");
    write(&lab, &mailbox(&typo));
    ends(&deliver(&lab, &[]), 2, &["its checksum does not hold"]);
    write(&lab, &mailbox("support@acme.example"));
    ends(&deliver(&lab, &[]), 2, &["nobody to encrypt to"]);
}

#[test]
fn an_openpgp_key_opens_it_and_one_that_is_no_good_is_refused() {
    let lab = Lab::new();
    office(&lab, &json!([]), 700_001);
    let at = |name: &str| lab.path("operator").join(name);
    let gpg = Gpg::new();
    let to = |who: &str| split(&lab, &["--max-bytes", "200KiB", "--encrypt-to", who]);
    for (name, kind) in [
        ("curve", &[":", "default", "default", "never"][..]),
        ("rsa", &[":", "rsa2048", "default", "2y"]),
    ] {
        let fingerprint = gpg.key(&format!("{name} <{name}@acme.example>"), kind);
        if name == "rsa" {
            gpg.run(&["--quick-add-key", &fingerprint, "rsa2048", "encr", "1y"]);
        }
        let file = format!("{name}.asc");
        gpg.export(&fingerprint, &at(&file));
        ends(
            &to(&file),
            0,
            &[
                "encrypted to",
                &fingerprint,
                "@acme.example",
                ".tar.zst.gpg",
            ],
        );
        opens(&lab, ".gpg", Path::new("none"), Some(&gpg));
        // Not armoured.
        fs::write(at("bare.gpg"), gpg.run(&["--export", &fingerprint])).unwrap();
        ends(&to("bare.gpg"), 0, &[&fingerprint]);
        opens(&lab, ".gpg", Path::new("none"), Some(&gpg));
    }
    let then = ["--faked-system-time", "20200101T000000"];
    let old = gpg.key(
        "old",
        &[&then[..], &[":", "default", "default", "1y"]].concat(),
    );
    let halfway = gpg.key(
        "halfway",
        &[&then[..], &[":", "ed25519", "sign", "never"]].concat(),
    );
    gpg.run(
        &[
            &then[..],
            &["--quick-add-key", &halfway, "cv25519", "encr", "1y"],
        ]
        .concat(),
    );
    let signer = gpg.key("signer", &[":", "ed25519", "sign", "never"]);
    let gone = gpg.key("gone", &[]);
    gpg.export(&gone, &at("standing.asc"));
    let revocation =
        fs::read_to_string(gpg.home().join(format!("openpgp-revocs.d/{gone}.rev"))).unwrap();
    fs::write(
        at("gone.rev"),
        revocation.replace(":-----BEGIN", "-----BEGIN"),
    )
    .unwrap();
    gpg.run(&["--import", at("gone.rev").to_str().unwrap()]);
    for (name, fingerprint, says) in [
        ("old", &old, "expired on 2020-12-31"),
        ("halfway", &halfway, "expired on 2020-12-31"),
        ("signer", &signer, "for signing alone"),
        ("gone", &gone, "was revoked"),
    ] {
        let file = format!("{name}.asc");
        gpg.export(fingerprint, &at(&file));
        ends(&to(&file), 2, &[fingerprint, says, "hint: "]);
    }
    // The same key before it was revoked.
    ends(&to("standing.asc"), 0, &[&gone]);
    fs::remove_dir_all(at("parts")).unwrap();
    let secret = gpg.run(&["--armor", "--export-secret-keys", &signer]);
    fs::write(at("secret.asc"), secret).unwrap();
    ends(&to("secret.asc"), 2, &["holds a private key"]);
    fs::write(
        at("secret.gpg"),
        gpg.run(&["--export-secret-keys", &signer]),
    )
    .unwrap();
    ends(&to("secret.gpg"), 2, &["holds a private key"]);
    // A byte of it is another.
    let mut bytes = gpg.run(&["--export", &gone]);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(at("broken.gpg"), bytes).unwrap();
    assert_eq!(to("broken.gpg").status.code(), Some(2));
    assert!(!at("parts").exists());
}

fn drop_box(more: &Value) -> Value {
    let mut intake = json!({
        "kind": "sftp", "host": "127.0.0.1", "port": 9, "user": "bank", "max_bytes": "200KiB",
        "host_key": format!("SHA256:{}", "A".repeat(43)), "key": "keys/operations",
    });
    for (key, value) in more.as_object().unwrap() {
        intake[key] = value.clone();
    }
    json!({"acme": {"intake": [intake]}})
}

#[test]
fn an_intake_takes_what_is_encrypted_to_those_it_names() {
    let lab = Lab::new();
    office(&lab, &json!([]), 1000);
    let at = |name: &str| lab.path("operator").join(name);
    let gpg = Gpg::new();
    let fingerprint = gpg.key("vendor", &[]);
    let stranger = gpg.key("stranger", &[]);
    gpg.export(&fingerprint, &at("vendor.asc"));
    gpg.export(&stranger, &at("stranger.asc"));
    let recipient = age_key(&at("vendor.key")).1;
    let ssh = ssh_key(&at("ed"), &["-t", "ed25519"]);
    ssh_key(&at("ed2"), &["-t", "ed25519"]);
    let plain = at("b.tar.zst");
    fs::copy(&plain, at("plain")).unwrap();
    let by_age = |args: &[&str]| {
        let mut command = Command::new("age");
        command.args(args).arg("-o").arg(&plain).arg(at("plain"));
        let done = command.current_dir(lab.operator()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let by_gpg = |args: &[&str]| {
        let out = [
            "--trust-model",
            "always",
            "--output",
            plain.to_str().unwrap(),
        ];
        gpg.run(&[&out[..], args, &[at("plain").to_str().unwrap()]].concat());
    };
    let asks = |more: Value, code: i32, says: &str| {
        write(&lab, &drop_box(&more));
        ends(&deliver(&lab, &[]), code, &[says]);
    };
    let to_age = || json!({"encrypt_to": [recipient]});
    let to_ssh = || json!({"encrypt_to": [ssh]});
    let to_gpg = || json!({"encrypt_to": [fingerprint], "openpgp_key": "vendor.asc"});
    let untold = || json!({"encrypt_to": [fingerprint]});
    asks(to_age(), 2, "takes only what is encrypted to age1");
    by_age(&["-r", &recipient]);
    asks(to_age(), 0, "cannot be told from outside");
    asks(to_ssh(), 2, "it is not encrypted to ssh-ed25519");
    asks(
        json!({"encrypt_to": [recipient, ssh]}),
        2,
        "it is not encrypted to ssh-ed25519",
    );
    asks(
        to_gpg(),
        2,
        "encrypted by age, and this intake has OpenPGP keys",
    );
    asks(untold(), 2, "not where its public key is");
    by_age(&["-a", "-R", "ed.pub"]);
    asks(to_ssh(), 0, "would send");
    asks(to_age(), 2, "to 0 age recipients, and this intake has 1");
    by_age(&["-R", "ed2.pub"]);
    asks(to_ssh(), 2, "it is not encrypted to ssh-ed25519");
    by_gpg(&["--encrypt", "-r", &fingerprint]);
    asks(to_gpg(), 0, "would send");
    asks(untold(), 0, "cannot be told without `openpgp_key`");
    asks(
        to_age(),
        2,
        "encrypted by OpenPGP, and this intake has age recipients",
    );
    asks(
        json!({"encrypt_to": [fingerprint], "openpgp_key": "stranger.asc"}),
        2,
        "holds no OpenPGP public key",
    );
    asks(
        json!({"encrypt_to": [recipient], "openpgp_key": "vendor.asc"}),
        2,
        "of nobody in `encrypt_to`",
    );
    by_gpg(&["--armor", "--encrypt", "-r", &stranger, "-r", &fingerprint]);
    asks(to_gpg(), 0, "would send");
    by_gpg(&["--encrypt", "-r", &stranger]);
    asks(to_gpg(), 2, "it is not encrypted to");
    by_gpg(&["--encrypt", "-R", &fingerprint]);
    asks(to_gpg(), 0, "not told from outside");
    by_gpg(&[
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "pw-17",
        "--symmetric",
    ]);
    asks(to_gpg(), 2, "with a passphrase");
    // Begins like it, and is nothing of it.
    fs::write(&plain, b"age-encryption.org/v1\nand nothing\n").unwrap();
    asks(to_age(), 2, "takes only what is encrypted to age1");
    fs::write(&plain, [0x85, 1, 0, 9, 9]).unwrap();
    asks(to_gpg(), 2, "takes only what is encrypted to");

    // Split as the intake wants it: each part may go.
    fs::write(&plain, vec![7; 300_000]).unwrap();
    for (intake, end) in [(to_age(), "age"), (to_gpg(), "gpg")] {
        write(&lab, &drop_box(&intake));
        ends(
            &split(&lab, &["--vendor", "acme", "-i", "vendors.yaml"]),
            0,
            &["encrypted to"],
        );
        for number in 1..=2 {
            let part = format!("parts/b.part-00{number}-of-002.tar.zst.{end}");
            let args = [
                "case",
                "deliver",
                &part,
                "-i",
                "vendors.yaml",
                "--vendor",
                "acme",
            ];
            ends(&lab.run(&args), 0, &["would send"]);
        }
        fs::remove_dir_all(at("parts")).unwrap();
    }
    write(&lab, &drop_box(&untold()));
    ends(
        &split(&lab, &["--vendor", "acme", "-i", "vendors.yaml"]),
        2,
        &["write `openpgp_key: FILE`"],
    );
}
