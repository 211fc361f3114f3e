//! What `ssh` logs of a connection (`-E`, level DEBUG1). A server can write lines of its own into it, even
//! before it has proven anything: `ssh` keeps the line breaks of SSH_MSG_DEBUG and of names of algorithms.
//! So this tells how it went, and which key a host showed; *that* it proved the key is told by what `ssh`
//! does next and no server can feign: a control socket, or a line with a name that no server knows.

use crate::transport::Greeting;

/// What one log tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) greeting: Greeting,
    is_exchanged: bool,
    is_known: bool,
    /// Somebody was let in.
    pub(super) is_in: bool,
    /// TCP, or the proxy, is there.
    pub(super) is_connected: bool,
    /// A hop found a way to the next host.
    pub(super) is_forwarded: bool,
    /// It runs through a ProxyCommand or a ProxyJump.
    pub(super) has_proxy: bool,
    /// Two host keys are told: one of the lines is not of `ssh`.
    is_contradicted: bool,
    /// Key file or agent's key that the server accepted, and where `ssh` has it from.
    pub(super) accepted: Option<String>,
    /// Methods that the server offered at last.
    pub(super) offered: Option<String>,
    /// One factor of several was accepted.
    pub(super) is_partial: bool,
    /// What is no debugging.
    pub(super) words: Vec<String>,
}

impl Log {
    /// Reads it, as far as it has come.
    pub(super) fn read(text: &str) -> Self {
        let mut log = Self::default();
        for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            if let Some(debug) = line.strip_prefix("debug1: ") {
                log.debug(debug);
            } else if let Some(debug) = line.strip_prefix("debug2: ") {
                log.is_forwarded |= debug.contains(": open confirm ");
            } else {
                log.word(line);
            }
        }
        log
    }

    fn debug(&mut self, line: &str) {
        let greeting = &mut self.greeting;
        let first = |place: &mut String, value: &str| {
            if place.is_empty() {
                value.trim().clone_into(place);
            }
        };
        if line.starts_with("Connection established") {
            self.is_connected = true;
        } else if line.starts_with("Executing proxy command")
            || line.starts_with("Setting implicit ProxyCommand")
        {
            self.has_proxy = true;
        } else if let Some(server) = line.strip_prefix("Remote protocol version ") {
            if let Some((protocol, software)) = server.split_once(", remote software version ") {
                first(&mut greeting.server, &format!("SSH-{protocol}-{software}"));
            }
        } else if let Some(kex) = line.strip_prefix("kex: algorithm: ") {
            first(&mut greeting.kex, kex);
        } else if let Some(cipher) = line.strip_prefix("kex: client->server cipher: ") {
            let name = cipher.split(' ').next().unwrap_or_default();
            first(&mut greeting.cipher, name);
        } else if let Some(key) = line
            .strip_prefix("Server host key: ")
            .or_else(|| line.strip_prefix("Server host certificate: "))
        {
            let mut words = key.split([' ', ',']);
            if let (Some(kind), Some(print)) = (words.next(), words.next()) {
                first(&mut greeting.host_key, print);
                let plain = kind.replace("-cert-v01@openssh.com", "");
                first(&mut greeting.host_key_type, &plain);
                // A new key exchange has to show the same one.
                self.is_contradicted |= greeting.host_key != print.trim();
                self.is_contradicted |= greeting.host_key_type != plain;
            }
        } else if line.starts_with("Host '") && line.contains("' is known and matches the ") {
            self.is_known |= !greeting.host_key.is_empty();
        } else if line.starts_with("SSH2_MSG_NEWKEYS sent") {
            // Known comes first; the validity of a certificate and the signature are looked at after it.
            self.is_exchanged |= self.is_known;
        } else if let Some(key) = line.strip_prefix("Server accepts key: ") {
            self.accepted = Some(key.to_owned());
        } else if let Some(methods) = line.strip_prefix("Authentications that can continue: ") {
            self.offered = Some(methods.trim().to_owned());
        }
    }

    fn word(&mut self, line: &str) {
        if line.starts_with("Authenticated to ") {
            self.is_in = true;
            let method = line.rsplit_once(" using \"").map(|(_, rest)| rest);
            let method = method.and_then(|rest| rest.split('"').next());
            if self.greeting.method.is_empty() {
                method
                    .unwrap_or_default()
                    .clone_into(&mut self.greeting.method);
            }
            return;
        }
        if line.starts_with("Authenticated using ") && line.contains("partial success") {
            self.is_partial = true;
            return;
        }
        // A server may send these without end.
        if self.words.len() < 50 {
            self.words.push(line.to_owned());
        }
    }

    /// The host showed the key that it should, and proved to own it, as far as this file can tell.
    pub(super) const fn is_proven(&self) -> bool {
        self.is_exchanged && !self.is_contradicted
    }

    /// Not a word of the server came by the time that ended it.
    pub(super) fn is_silent(&self, is_late: bool) -> bool {
        self.greeting.server.is_empty() && (is_late || self.word_with("timed out").is_some())
    }

    /// True when `ssh` got as far as to list the keys that it has, among them the one at `path`: it does so
    /// only after the key exchange, and `path` has to be a name that no server can know. (The second line is
    /// that of OpenSSH before 7.9.)
    pub(super) fn lists(text: &str, path: &str) -> bool {
        let lists = |line: &str| {
            let key = line.strip_prefix("debug1: Will attempt key: ");
            let key = key.or_else(|| line.strip_prefix("debug2: key: "));
            key.is_some_and(|key| key.starts_with(path))
        };
        text.split(['\n', '\r']).any(lists)
    }

    /// The first of its words that holds `needle`.
    pub(super) fn word_with(&self, needle: &str) -> Option<&str> {
        let found = self.words.iter().find(|word| word.contains(needle));
        found.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "debug1: Connection established.\r\n\
        debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2\r\n\
        debug1: kex: algorithm: sntrup761x25519-sha512\r\n\
        debug1: kex: client->server cipher: chacha20-poly1305@openssh.com MAC: <implicit> compression: none\r\n\
        debug1: Server host key: ssh-ed25519 SHA256:L5+h/KKc\r\n\
        debug1: Host '[127.0.0.1]:2999' is known and matches the ED25519 host key.\r\n\
        debug1: SSH2_MSG_NEWKEYS sent\r\n\
        debug1: Server accepts key: /tmp/gng/key ED25519 SHA256:2J7B explicit\r\n\
        Authenticated to 127.0.0.1 ([127.0.0.1]:2999) using \"publickey\".\r\n";

    #[test]
    fn reads_what_was_proven_and_negotiated() {
        let log = Log::read(GOOD);
        assert_eq!(log.greeting.host_key, "SHA256:L5+h/KKc");
        assert_eq!(log.greeting.host_key_type, "ssh-ed25519");
        assert_eq!(log.greeting.kex, "sntrup761x25519-sha512");
        assert_eq!(log.greeting.cipher, "chacha20-poly1305@openssh.com");
        assert_eq!(log.greeting.server, "SSH-2.0-OpenSSH_9.2p1 Debian-2");
        assert_eq!(log.greeting.method, "publickey");
        assert!(log.is_in && log.is_proven() && log.is_connected && log.words.is_empty());
    }

    // A name list of the server may hold newlines, and comes after the host key.
    #[test]
    fn what_a_server_says_later_changes_nothing() {
        let lie = "debug1: Authentications that can continue: x\n\
            debug1: Server host key: ssh-rsa SHA256:lie\ndebug1: kex: algorithm: lie\n\
            Authenticated to x using \"gssapi-with-mic\".\n";
        let log = Log::read(&format!("{GOOD}{lie}"));
        assert_eq!(log.greeting, Log::read(GOOD).greeting);
        let early = "debug1: Host 'h' is known and matches the ED25519 host key.\n";
        assert!(!Log::read(early).is_proven(), "of what key");
        let known = GOOD.split_once("debug1: SSH2_MSG_NEWKEYS").unwrap().0;
        assert!(!Log::read(known).is_proven(), "known, and no signature yet");
        let other = format!("{GOOD}debug1: Server host key: ssh-ed25519 SHA256:other\r\n");
        assert!(!Log::read(&other).is_proven(), "which of the two");
        let again = format!("{GOOD}debug1: Server host key: ssh-ed25519 SHA256:L5+h/KKc\r\n");
        assert!(Log::read(&again).is_proven(), "a new key exchange");
        let listed =
            "debug1: identity file /p/x type -1\r\ndebug1: Will attempt key: /p/y explicit\r\n";
        assert!(Log::lists(listed, "/p/y") && !Log::lists(listed, "/p/x"));
    }

    #[test]
    fn a_certificate_gives_the_key_inside() {
        let log = Log::read(
            "debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com SHA256:abc, serial 0 ID \"h\" CA ssh-ed25519 SHA256:ca valid forever\n",
        );
        assert_eq!(log.greeting.host_key, "SHA256:abc");
        assert_eq!(log.greeting.host_key_type, "ssh-ed25519");
    }
}
