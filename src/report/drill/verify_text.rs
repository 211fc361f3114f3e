//! `VERIFY.txt` of a drill: the stock commands with which an auditor checks it without gonogo. Its author is not to
//! be believed: it says which files must come from elsewhere.

use super::NAMESPACE;
use super::schema::{Record, Step};
use crate::sign::sshsig;

/// What the text is about.
pub(super) struct VerifyDrill<'a> {
    /// The drill.
    pub(super) record: &'a Record,
    /// Identity of the signer, safe on a command line.
    pub(super) identity: &'a str,
    /// `SHA256:…` of the signer's key.
    pub(super) fingerprint: &'a str,
}

impl VerifyDrill<'_> {
    /// The text, with its last line end.
    pub(super) fn render(&self) -> String {
        let Self {
            record,
            identity,
            fingerprint,
        } = self;
        let chain = match &record.previous {
            Some(_) => {
                "The drill before must lie where PREVIOUS.sha256 says:\n\n    sha256sum -c PREVIOUS.sha256"
            }
            None => "This drill names none before it (PREVIOUS.sha256 says so: `# first run`).",
        };
        format!(
            "How to verify drill {id} without gonogo
=======================================================

Sealed by    {identity}
with key     {fingerprint}
namespace    {NAMESPACE}

Do not take these three lines on trust: they are part of what you verify. You need, from someone
other than who gave you this directory, a file `allowed_signers` that says which key may sign as
whom. A line of it looks like this:

    {identity} namespaces=\"{NAMESPACE}\" ssh-... AAAA...

With gonogo all of the following, and what the drill came to judged anew, is one command:

    gonogo drill verify . --allowed-signers /path/to/allowed_signers --people /path/to/people \\
        --drills ..

Without it, run these commands in this directory. Each must succeed.

1. The signature

    ssh-keygen -Y verify -f /path/to/allowed_signers -I {identity} \\
        -n {NAMESPACE} -s SHA256SUMS.sig < SHA256SUMS

The fingerprint it prints must be the one you were told, such as
{fingerprint}

2. Every listed file is unchanged

    sha256sum --strict --quiet -c SHA256SUMS

3. No file was added: neither command prints anything

    find . ! -type f ! -type d
    find . -type f | sed 's|^\\./||' | grep -Ev '^SHA256SUMS[^/]*$' |
        LC_ALL=C sort | xargs sha256sum | cmp - SHA256SUMS

4. The drill before

{chain}

5. Who signed it off: each SHA256SUMS.<name>.sig, with the name and the key that you were told

    ssh-keygen -Y verify -f /path/to/people -I NAME -n {NAMESPACE} \\
        -s SHA256SUMS.NAME.sig < SHA256SUMS

At least two people must have, and none of them is {identity}.
{run}
What is not covered
-------------------
SHA256SUMS does not list itself and its signatures (SHA256SUMS.*). The times in the record are those
that people told: the signatures say who stands for them. Never edit a file here, and copy the
directory as a .tar.gz or .zip: git and mail may change line ends.
",
            id = record.id,
            run = self.run()
        )
    }

    /// How the run of the retrieval is checked, where there is one.
    fn run(&self) -> String {
        let steps = self.record.entries.iter().rev();
        let files = steps.filter_map(|entry| match &entry.step {
            Step::Retrieval(step) => Some(&step.files),
            _ => None,
        });
        let Some([sums, armour, report, ..]) = files.map(|files| &files[..]).next() else {
            return String::new();
        };
        format!(
            "
6. The run by which every team fetched from every server

    ssh-keygen -Y verify -f /path/to/allowed_signers -I RUNNER -n {} \\
        -s {} \\
        < {}
    grep '  report\\.json$' {}
    sha256sum {}

The digests that the last two commands print must be the same; that report says GO.
",
            sshsig::NAMESPACE,
            armour.name,
            sums.name,
            sums.name,
            report.name
        )
    }
}
