//! Cases of certificates, of other key types, of other namespaces, and of revocation lists.

use super::Expect::{Both, Neither, Stricter};
use super::{Case, case};

/// Signed by that key or certificate.
const fn by(signed_by: &'static str, file: &'static str, expect: super::Expect) -> Case {
    Case {
        signed_by,
        ..case(file, "a@x", expect)
    }
}

/// The same, verified at that time.
const fn at(
    at: &'static str,
    signed_by: &'static str,
    file: &'static str,
    expect: super::Expect,
) -> Case {
    Case {
        at,
        ..by(signed_by, file, expect)
    }
}

/// With a line that allows it, and this revoked.
const fn revoked(signed_by: &'static str, revoked: &'static str, expect: super::Expect) -> Case {
    Case {
        signed_by,
        revoked,
        ..case(ANY, "a@x", expect)
    }
}

/// Signed and verified in namespace `git`.
const fn in_git(file: &'static str, expect: super::Expect) -> Case {
    Case {
        namespace: "git",
        ..by("git", file, expect)
    }
}

const ANY: &str =
    "a@x K\na@x P\na@x R\na@x cert-authority A\na@x cert-authority B\na@x cert-authority R\n";
const CA: &str = "a@x cert-authority A\n";
const YEAR: &str = "a@x cert-authority,valid-after=\"20260301Z\",valid-before=\"20270301Z\" A\n";

pub(super) const CASES: &[Case] = &[
    // Key types.
    by("p", "a@x P\n", Both),
    by("p", "a@x K\n", Neither),
    by("r", "a@x R\n", Both),
    by("r", "a@x P\n", Neither),
    // 1,024 bits are too few.
    by("s", "a@x S\n", Stricter),
    // Namespaces: that of the signature is the one verified for, whatever the lines allow.
    Case {
        namespace: "git",
        ..case("a@x K\n", "a@x", Neither)
    },
    Case {
        namespace: "gonogo-report@gonogo2",
        ..case("a@x namespaces=\"*\" K\n", "a@x", Neither)
    },
    in_git("a@x K\n", Both),
    in_git("a@x namespaces=\"git\" K\n", Both),
    in_git("a@x namespaces=\"gonogo-*\" K\n", Neither),
    in_git("a@x namespaces=\"*,!git\" K\n", Neither),
    by("git", "a@x K\n", Neither),
    // A certificate counts where its authority stands, a key where itself stands.
    by("c", CA, Both),
    by("c", "a@x A\n", Neither),
    by("c", "a@x K\n", Neither),
    by("c", "a@x cert-authority K\n", Neither),
    by("c", "a@x cert-authority B\n", Neither),
    by("c", "a@x cert-authority B\na@x cert-authority A\n", Both),
    by("c", "a@x K\na@x cert-authority A\n", Both),
    by("k", CA, Neither),
    by("c-p", "a@x cert-authority P\n", Both),
    by("c-r", "a@x cert-authority R\n", Both),
    // The authority signed with SHA-1.
    by("c-sha1", "a@x cert-authority R\n", Stricter),
    by("c-b", CA, Neither),
    // A line with the very certificate: ssh-keygen takes it without asking for validity or principals.
    by("c", "a@x C\n", Stricter),
    // Principals: listed by the certificate, and matched by the line.
    Case {
        identity: "b@x",
        ..by("c", CA, Neither)
    },
    Case {
        identity: "b@x",
        ..by("c", "*@x cert-authority A\n", Both)
    },
    Case {
        identity: "c@x",
        ..by("c", "*@x cert-authority A\n", Neither)
    },
    Case {
        identity: "a@x",
        ..by("c", "*,!a@x cert-authority A\n", Neither)
    },
    Case {
        identity: "*@x",
        ..by("c", "* cert-authority A\n", Neither)
    },
    by("c-pattern", "*@x cert-authority A\n", Neither),
    Case {
        identity: "*@x",
        ..by("c-pattern", "* cert-authority A\n", Both)
    },
    by("c-nobody", "*@x cert-authority A\n", Neither),
    by("c-host", CA, Neither),
    // Options.
    by("c-forced", CA, Both),
    by("c-from", CA, Both),
    by("c-extended", CA, Both),
    // What must be understood and is not is refused; ssh-keygen looks at no option here.
    by("c-critical", CA, Stricter),
    // Namespaces of an authority's line.
    by("c", "a@x cert-authority,namespaces=\"gonogo-*\" A\n", Both),
    by("c", "a@x cert-authority,namespaces=\"git\" A\n", Neither),
    by("c", "a@x namespaces=\"gonogo-*\",cert-authority A\n", Both),
    // Validity: the certificate's end does not belong to it, the line's does.
    at("20251231235959Z", "c-year", CA, Neither),
    at("20260101000000Z", "c-year", CA, Both),
    at("20261231235959Z", "c-year", CA, Both),
    at("20270101000000Z", "c-year", CA, Neither),
    at("20260201000000Z", "c-year", YEAR, Neither),
    at("20260301000000Z", "c-year", YEAR, Both),
    at("20270301000000Z", "c", YEAR, Both),
    at("20270301000001Z", "c", YEAR, Neither),
    at("20700101000000Z", "c", CA, Both),
    // Revoked: keys, by any of their names.
    revoked("k", "key: L\n", Both),
    revoked("k", "key: K\n", Neither),
    revoked("k", "sha1: K\n", Neither),
    revoked("k", "sha256: K\n", Neither),
    revoked("k", "sha1: L\nsha256: L\n", Both),
    revoked("p", "key: P\n", Neither),
    revoked("p", "sha256: P\n", Neither),
    revoked("r", "sha256: R\n", Neither),
    // A certificate falls with its key, and with its authority.
    revoked("c", "key: K\n", Neither),
    revoked("c", "sha1: K\n", Neither),
    revoked("c", "key: A\n", Neither),
    revoked("c", "sha256: A\n", Neither),
    revoked("c", "key: B\n", Both),
    // Certificates, by serial number and id, of their authority alone.
    revoked("c", "serial: 7\n", Neither),
    revoked("c", "serial: 8\n", Both),
    revoked("c", "serial: 5-9\n", Neither),
    revoked("c", "serial: 8-99\n", Both),
    revoked(
        "c",
        "serial: 1\nserial: 3\nserial: 7\nserial: 12\nserial: 14\nserial: 17\n",
        Neither,
    ),
    revoked(
        "c",
        "serial: 1\nserial: 3\nserial: 8\nserial: 12\nserial: 14\nserial: 17\n",
        Both,
    ),
    revoked(
        "c",
        "serial: 6\nserial: 8\nserial: 9000000000000000000\n",
        Both,
    ),
    revoked("c", "serial: 1-18446744073709551615\n", Neither),
    revoked("c-zero", "serial: 1-18446744073709551615\n", Both),
    revoked("c", "id: id-c\n", Neither),
    revoked("c", "id: id-\n", Both),
    revoked("c-zero", "id: id-c-zero\n", Neither),
    revoked("c-b", "serial: 7\n", Both),
    revoked("c-b", "@b\nserial: 7\n", Neither),
    revoked("c-b", "@none\nserial: 7\n", Neither),
    revoked("c-r", "@r\nserial: 7\n", Neither),
    revoked("c", "@none\nid: id-c\n", Neither),
    revoked("k", "@none\nserial: 1-99\n", Both),
    revoked("c", " C\n", Neither),
    // Texts, one key a line.
    revoked("k", "= L\n", Both),
    revoked("k", "=# nothing yet\n", Both),
    revoked("k", "= L\n\n# that one\n K stolen\n", Neither),
    revoked("k", "= K", Neither),
    revoked("c", "= K\n", Neither),
    revoked("c", "= A\n", Neither),
    revoked("c", "= C\n", Neither),
    revoked("k", "= C\n", Neither),
    revoked("p", "= P\n", Neither),
    // What cannot be read revokes everything.
    revoked("k", "=garbage\n", Neither),
    revoked("k", "= L\nssh-ed25519 AAAA\n", Neither),
    revoked("k", "=SSHKRL\n\0", Neither),
    revoked("k", "=SSHKRL\n", Neither),
    // Nothing at all is more likely a lost list than an empty one.
    revoked("k", "=nothing", Stricter),
];
