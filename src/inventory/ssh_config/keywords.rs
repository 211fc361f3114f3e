//! Every keyword of ssh_config(5), sorted by what it means to a run: followed, judged by its value, or
//! without effect on whether a login arrives and whom it meets.

/// What a keyword is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Decides which lines count.
    Scope,
    /// Followed; its value is checked when the file is read.
    Followed,
    /// Followed; every line counts, not only the first.
    Gathered,
    /// Cannot be followed by libssh2: `judge.rs` says for which values that matters.
    Judged,
    /// No effect on the way, the login or the proof of the host.
    Harmless,
}

use Sort::{Followed, Gathered, Harmless, Judged, Scope};

const SORTED: [(Sort, &[&str]); 5] = [
    (Scope, &["host", "match", "include", "ignoreunknown"]),
    (
        Followed,
        &[
            "addressfamily",
            "connecttimeout",
            "globalknownhostsfile",
            "hostkeyalias",
            "hostname",
            "identitiesonly",
            "identityagent",
            "port",
            "proxyjump",
            "user",
            "userknownhostsfile",
        ],
    ),
    (Gathered, &["identityfile", "certificatefile"]),
    (
        Judged,
        &[
            "bindaddress",
            "bindinterface",
            "canonicalizehostname",
            "casignaturealgorithms",
            "ciphers",
            "controlpath",
            "gssapiauthentication",
            "hostbasedauthentication",
            "hostkeyalgorithms",
            "kexalgorithms",
            "knownhostscommand",
            "macs",
            "nohostauthenticationforlocalhost",
            "pkcs11provider",
            "preferredauthentications",
            "proxycommand",
            "proxyusefdpass",
            "pubkeyacceptedalgorithms",
            "pubkeyauthentication",
            "refuseconnection",
            "remotecommand",
            "requiredrsasize",
            "revokedhostkeys",
            "securitykeyprovider",
            "stricthostkeychecking",
            "verifyhostkeydns",
        ],
    ),
    (
        Harmless,
        &[
            "addkeystoagent",
            "batchmode",
            "canonicaldomains",
            "canonicalizefallbacklocal",
            "canonicalizemaxdots",
            "canonicalizepermittedcnames",
            "channeltimeout",
            "checkhostip",
            "clearallforwardings",
            "compression",
            "compressionlevel",
            "connectionattempts",
            "controlmaster",
            "controlpersist",
            "dynamicforward",
            "enableescapecommandline",
            "enablesshkeysign",
            "escapechar",
            "exitonforwardfailure",
            "fallbacktorsh",
            "fingerprinthash",
            "forkafterauthentication",
            "forwardagent",
            "forwardx11",
            "forwardx11timeout",
            "forwardx11trusted",
            "gatewayports",
            "globalknownhostsfile2",
            "gssapiclientidentity",
            "gssapidelegatecredentials",
            "gssapikexalgorithms",
            "gssapikeyexchange",
            "gssapirenewalforcesrekey",
            "gssapiserveridentity",
            "gssapitrustdns",
            "hashknownhosts",
            "hostbasedacceptedalgorithms",
            "ipqos",
            "kbdinteractiveauthentication",
            "kbdinteractivedevices",
            "localcommand",
            "localforward",
            "loglevel",
            "logverbose",
            "numberofpasswordprompts",
            "obscurekeystroketiming",
            "passwordauthentication",
            "permitlocalcommand",
            "permitremoteopen",
            "protocol",
            "protocolkeepalives",
            "rekeylimit",
            "remoteforward",
            "requesttty",
            "rhostsauthentication",
            "rhostsrsaauthentication",
            "rsaauthentication",
            "sendenv",
            "serveralivecountmax",
            "serveraliveinterval",
            "sessiontype",
            "setenv",
            "setuptimeout",
            "skeyauthentication",
            "stdinnull",
            "streamlocalbindmask",
            "streamlocalbindunlink",
            "syslogfacility",
            "tag",
            "tcpkeepalive",
            "tisauthentication",
            "tunnel",
            "tunneldevice",
            "updatehostkeys",
            "useblacklistedkeys",
            "useprivilegedport",
            "userknownhostsfile2",
            "useroaming",
            "usersh",
            "versionaddendum",
            "visualhostkey",
            "warnweakcrypto",
            "xauthlocation",
            "afstokenpassing",
            "cipher",
            "kerberosauthentication",
            "kerberostgtpassing",
        ],
    ),
];

/// Older names of the same thing.
const ALIASES: [(&str, &str); 7] = [
    (
        "challengeresponseauthentication",
        "kbdinteractiveauthentication",
    ),
    ("dsaauthentication", "pubkeyauthentication"),
    ("hostbasedkeytypes", "hostbasedacceptedalgorithms"),
    ("identityfile2", "identityfile"),
    ("keepalive", "tcpkeepalive"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("smartcarddevice", "pkcs11provider"),
];

/// The keyword's one name and its sort; `None` when no OpenSSH knows it.
pub(super) fn find(written: &str) -> Option<(&'static str, Sort)> {
    let lower = written.to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
    let name = alias.map_or(lower.as_str(), |(_, name)| name);
    SORTED.iter().find_map(|(sort, names)| {
        let found = names.iter().find(|known| **known == name)?;
        Some((*found, *sort))
    })
}

/// Every name, for a hint.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SORTED.iter().flat_map(|(_, names)| names.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_keyword_has_one_sort() {
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(find("HostName"), Some(("hostname", Followed)));
        assert_eq!(find("PubkeyAcceptedKeyTypes").unwrap().1, Judged);
        assert_eq!(find("HostNme"), None);
    }
}
