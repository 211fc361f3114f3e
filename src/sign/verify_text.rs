//! `VERIFY.txt`: the exact commands with which an auditor checks a run without gonogo. Plain text of
//! at most 100 columns. Its author is not to be believed: it says which files must come from elsewhere.

use super::certificate::Certified;
use super::dsse::NAMESPACE as ATTESTED;
use crate::text::{clip, escape};

/// What the text is about.
#[derive(Clone, Copy, Debug)]
pub struct VerifyText<'a> {
    /// Id of the run.
    pub run: &'a str,
    /// Identity of the signer: [`super::key::SigningKey::identity`], safe on a command line.
    pub identity: &'a str,
    /// `SHA256:…` of the signer's key.
    pub fingerprint: &'a str,
    /// Namespace of the signature.
    pub namespace: &'a str,
    /// The authority that certified the key, and `valid …`.
    pub certified: Option<(&'a Certified, &'a str)>,
    /// True when `PREVIOUS.sha256` names a run before this one.
    pub chained: bool,
}

impl VerifyText<'_> {
    /// The text, with its last line end.
    #[must_use]
    pub fn render(&self) -> String {
        let Self {
            run,
            identity,
            fingerprint,
            namespace,
            certified,
            chained,
        } = self;
        let (option, what, authority) = match certified {
            None => (
                "",
                "which key may sign as\nwhom. A line of it looks like this:",
                String::new(),
            ),
            Some((
                Certified {
                    authority,
                    id,
                    serial,
                },
                window,
            )) => (
                "cert-authority,",
                "whose certificates may\nsign as whom. A line of it, with the key of the authority, looks like this:",
                format!(
                    "certified by {authority}
             as `{}`, serial {serial}
             {window}
",
                    escape(&clip(id, 60))
                ),
            ),
        };
        let lines = match certified {
            None => "these three lines",
            Some(_) => "these lines",
        };
        let window = match certified {
            None => "",
            Some(_) => {
                "
The key was certified for a time, told above: after it the same -Overify-time is needed. ssh-keygen
checks that the authority made the certificate, for this name, and that it was valid then.
"
            }
        };
        let chain = if *chained {
            "The run before must lie where PREVIOUS.sha256 says:

    sha256sum -c PREVIOUS.sha256

A chain shows what was changed or taken out in the middle, never that the last run is missing:
compare the newest SHA256SUMS with the digest you were told when it was made."
        } else {
            "This run names none before it (PREVIOUS.sha256 says so)."
        };
        format!(
            "How to verify run {run} without gonogo
=======================================================

Signed by    {identity}
with key     {fingerprint}
namespace    {namespace}
{authority}
Do not take {lines} on trust: they are part of what you verify. You need, from someone
other than who gave you this directory, a file `allowed_signers` that says {what}

    {identity} {option}namespaces=\"{namespace}\" ssh-... AAAA...

With gonogo all of the following, and the verdict computed anew, is one command:

    gonogo verify . --allowed-signers /path/to/allowed_signers

Without it, run these commands in this directory. Each must succeed.

1. The signature

    ssh-keygen -Y verify -f /path/to/allowed_signers -I {identity} \\
        -n {namespace} -s SHA256SUMS.sig < SHA256SUMS

It says: Good \"{namespace}\" signature for ... with ... key ...
The fingerprint it prints must be the one you were told, such as
{fingerprint}

If allowed_signers limits the key to a time (valid-after, valid-before), name the time of the run,
known from elsewhere and not from this directory, by adding: -Overify-time=YYYYMMDDHHMMSSZ
{window}
If you were given a list of revoked keys, add: -r /path/to/revoked (with gonogo: --revoked). What is
on it never counts, whenever it signed: a key that was only replaced does not belong there.

2. Every listed file is unchanged

    sha256sum --strict --quiet -c SHA256SUMS

3. No file was added: neither command prints anything

    find . ! -type f ! -type d
    find . -type f | sed 's|^\\./||' |
        grep -Ev '^(SHA256SUMS[^/]*|report\\.intoto\\.jsonl)$' |
        LC_ALL=C sort | xargs sha256sum | cmp - SHA256SUMS

4. The run before

{chain}

5. The time stamp, when SHA256SUMS.sig.tsr is there

An authority says in it when the signature existed: -Overify-time in step 1. You need its root
certificate from elsewhere, and the time that the first command prints, in seconds since 1970, as T.

    openssl ts -reply -in SHA256SUMS.sig.tsr -text
    openssl ts -verify -data SHA256SUMS.sig -in SHA256SUMS.sig.tsr \\
        -CAfile /path/to/tsa-ca.pem -attime T

Tools
-----
ssh-keygen   8.1 or newer; 8.7 for valid-after, valid-before and -Overify-time; 9.1 for times that
             end in Z, as they should. Older ones refuse what they do not know.
             `ssh -V` prints the version.
macOS        has no sha256sum: use `shasum -a 256 -c SHA256SUMS` in step 2, and in step 3
             `xargs shasum -a 256`.
Windows      ssh-keygen comes with the OpenSSH client. PowerShell has no `<` and changes bytes in
             pipes: run step 1 in cmd.exe, as one line. Steps 2 and 3 run in Git Bash or WSL.

What is not covered
-------------------
SHA256SUMS does not list itself, its signatures (SHA256SUMS.*) and report.intoto.jsonl. The last is
the same result for machines (DSSE, in-toto test-result v0.1), signed with the same key; where its
holder cannot sign as DSSE has it, by an SSHSIG in namespace {ATTESTED}.
A signature tells who signed, not when. Never edit a file here, and copy the directory as a .tar.gz
or .zip: git and mail may change line ends.
"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;
    use crate::sign::lab::Lab;
    use crate::sign::manifest::Manifest;
    use crate::sign::sshsig::{NAMESPACE, sign};

    fn text(chained: bool) -> String {
        VerifyText {
            run: "20261121T093000Z-1a2b3c4d",
            identity: "gonogo@ops.example",
            fingerprint: "SHA256:WQkz0x6SW0yJ0v4h0Pz2cF5rYvYkq0z4l1a5b7c9d1E",
            namespace: NAMESPACE,
            certified: None,
            chained,
        }
        .render()
    }

    #[test]
    fn is_plain_and_narrow() {
        for chained in [true, false] {
            let text = text(chained);
            assert!(text.is_ascii() && text.ends_with(".\n") && !text.contains('\t'));
            for line in text.lines() {
                assert!(line.len() <= 100 && !line.ends_with(' '), "{line:?}");
            }
            assert_eq!(text.contains("sha256sum -c PREVIOUS.sha256"), chained);
        }
    }

    /// The indented lines between two headings, as a script.
    fn commands(text: &str, from: &str, to: &str) -> String {
        let (_, rest) = text.split_once(from).unwrap();
        let (part, _) = rest.split_once(to).unwrap();
        let lines = part.lines().filter_map(|line| line.strip_prefix("    "));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn its_commands_accept_a_run_and_refuse_a_changed_one() {
        let lab = Lab::new();
        let key = lab.key("key", "gonogo@ops.example");
        std::fs::create_dir_all(lab.path("run/evidence")).unwrap();
        let text = text(false);
        let files = [("VERIFY.txt", text.as_str()), ("evidence/1.txt", "uptime")];
        for (name, content) in files {
            lab.write(&format!("run/{name}"), content);
        }
        let digests =
            files.map(|(name, content)| (name.to_owned(), Sha256::of(content.as_bytes())));
        let sums = Manifest::of(&digests.into()).unwrap().to_string();
        lab.write("run/SHA256SUMS", &sums);
        lab.write(
            "run/SHA256SUMS.sig",
            sign(&key, NAMESPACE, sums.as_bytes()).unwrap(),
        );
        lab.write("run/SHA256SUMS.other.sig", "an approval");
        lab.write("run/report.intoto.jsonl", "{}\n");
        lab.write("allowed", key.allowed_signers_line(NAMESPACE));

        let allowed = lab.path("allowed");
        let signature = commands(&text, "1. The", "2. Every")
            .replace("/path/to/allowed_signers", allowed.to_str().unwrap());
        let unchanged = commands(&text, "2. Every", "3. No");
        let complete = commands(&text, "3. No", "4. The");
        let passes = |script: &str| {
            let script = format!("cd run && {script}");
            let output = lab.run("sh", &["-c", &script], b"");
            // The last word of step 3 is that nothing is printed.
            let quiet = script.contains("ssh-keygen") || output.stdout.is_empty();
            output.status.success() && quiet
        };
        let all = || [&signature, &unchanged, &complete].map(|script| passes(script));
        assert_eq!(all(), [true, true, true]);

        lab.write("run/evidence/1.txt", "uptimf");
        assert_eq!(all(), [true, false, false]);
        lab.write("run/evidence/1.txt", "uptime");

        lab.write("run/evidence/SHA256SUMS", "hidden");
        assert_eq!(all(), [true, true, false]);
        std::fs::remove_file(lab.path("run/evidence/SHA256SUMS")).unwrap();

        std::os::unix::fs::symlink("VERIFY.txt", lab.path("run/SHA256SUMS.link")).unwrap();
        assert_eq!(all(), [true, true, false]);
        std::fs::remove_file(lab.path("run/SHA256SUMS.link")).unwrap();

        lab.write("run/SHA256SUMS", sums.replace("1.txt", "2.txt"));
        assert_eq!(all(), [false, false, false]);
        lab.write("run/SHA256SUMS", &sums);
        assert_eq!(all(), [true, true, true]);
    }
}
