//! What a name says about what stands behind it. The names of secrets, and of people and machines, in the
//! spellings that people use: compounds, capitals, plurals, other languages.

use super::vocabulary::{self, parts};

/// What stands behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cue {
    /// Nothing in particular.
    None,
    /// The name of a person or a machine.
    Person(&'static str),
    /// Something by which people are reached or paid: digits are no numbers here.
    Number,
    /// Perhaps a secret: a value of that name is one, a word that merely follows is not.
    Weak,
    /// A secret.
    Strong,
    /// A secret up to the end of the line, whatever it is made of.
    Rest,
}

impl Cue {
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Weak | Self::Strong | Self::Rest)
    }
}

const STRONG: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passwds",
    "pwd",
    "pwds",
    "pw",
    "pws",
    "pass",
    "passphrase",
    "passphrases",
    "passcode",
    "passcodes",
    "passw",
    "pswd",
    "pword",
    "secret",
    "secrets",
    "token",
    "tokens",
    "credential",
    "credentials",
    "cred",
    "creds",
    "apikey",
    "apikeys",
    "psk",
    "jwt",
    "bearer",
    "otp",
    "totp",
    "requirepass",
    "masterauth",
    "primaryauth",
    "passwort",
    "kennwort",
    "kennworte",
    "contrasena",
    "senha",
    "wachtwoord",
    "parola",
    "haslo",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "identified",
    "passe",
    "jaas",
    "keytab",
    "pgpass",
    "sshpass",
    "htpasswd",
    "userlist",
    "passkey",
    "passkeys",
    "authtoken",
    "connectionstring",
    "connstr",
    "mdp",
];

const WEAK: &[&str] = &[
    "key",
    "keys",
    "auth",
    "sig",
    "signature",
    "signatures",
    "session",
    "sessions",
    "sess",
    "sid",
    "sessid",
    "sessionid",
    "jsessionid",
    "phpsessid",
    "hash",
    "hashes",
    "salt",
    "nonce",
    "private",
    "license",
    "licence",
    "hmac",
    "csrf",
    "xsrf",
    "assertion",
    "community",
    "challenge",
    "seed",
    "dsn",
    "ticket",
    "saml",
    "oauth",
    "mfa",
    "signing",
    "pin",
    "pins",
    "webhook",
    "negotiate",
    "ntlm",
    "authz",
    "authn",
    "basic",
    "scram",
    "crypt",
    "cnonce",
    "sasl",
];

const REST: &[&str] = &["authorization", "cookie", "cookies", "authenticate"];

/// A name that ends so tells about a secret, and is none: `password_file`, `tokenTimeout`.
const ABOUT: &[&str] = &[
    "file",
    "files",
    "filename",
    "path",
    "paths",
    "dir",
    "directory",
    "count",
    "counts",
    "length",
    "len",
    "size",
    "sizes",
    "timeout",
    "timeouts",
    "expiry",
    "expires",
    "expiration",
    "expired",
    "ttl",
    "policy",
    "type",
    "types",
    "algorithm",
    "alg",
    "method",
    "methods",
    "mode",
    "enabled",
    "disabled",
    "required",
    "max",
    "min",
    "interval",
    "level",
    "version",
    "age",
    "url",
    "uri",
    "endpoint",
    "port",
    "store",
    "location",
    "format",
    "provider",
    "lifetime",
    "attempts",
    "retries",
    "limit",
    "limits",
    "rotation",
    "bucket",
    "cache",
    "field",
    "column",
    "authentication",
    "prompt",
    "changed",
    "state",
    "status",
    "number",
    "num",
    "usage",
    "exchange",
    "header",
    "headers",
    "opened",
    "closed",
    "name",
    "names",
    "verification",
    "checks",
    "bits",
    "per",
    "rate",
    "total",
    "failures",
    "errors",
    "zone",
    "protocol",
    "protocols",
    "cipher",
    "ciphers",
    "duration",
    "period",
];

/// `pass` that hands on.
const HANDS_ON: &[&str] = &[
    "proxy",
    "fastcgi",
    "grpc",
    "uwsgi",
    "scgi",
    "memcached",
    "by",
    "all",
    "through",
    "low",
    "high",
    "band",
];

const PERSON: &[(&str, &str)] = &[
    ("user", "user"),
    ("users", "user"),
    ("username", "user"),
    ("userid", "user"),
    ("uname", "user"),
    ("usr", "user"),
    ("login", "user"),
    ("logname", "user"),
    ("account", "user"),
    ("acct", "user"),
    ("principal", "user"),
    ("owner", "user"),
    ("operator", "user"),
    ("ruser", "user"),
    ("uid", "user"),
    ("authid", "user"),
    ("logon", "user"),
    ("sudo", "user"),
    ("client", "client"),
    ("clientname", "client"),
    ("clientid", "client"),
    ("connectionname", "client"),
    ("host", "host"),
    ("hosts", "host"),
    ("hostname", "host"),
    ("server", "host"),
    ("servername", "host"),
    ("node", "host"),
    ("nodename", "host"),
    ("peer", "host"),
    ("rhost", "host"),
    ("realm", "host"),
    ("domain", "host"),
    ("domainname", "host"),
    ("machine", "host"),
    ("address", "host"),
    ("addr", "host"),
    ("cn", "name"),
    ("ou", "name"),
    ("dc", "name"),
    ("sn", "name"),
    ("givenname", "name"),
    ("surname", "name"),
    ("firstname", "name"),
    ("lastname", "name"),
    ("fullname", "name"),
    ("displayname", "name"),
    ("contact", "name"),
    ("company", "name"),
    ("customer", "name"),
    ("organization", "name"),
    ("mail", "mail"),
    ("email", "mail"),
    ("from", "from"),
];

const NUMBER: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "fax",
    "cell",
    "pager",
    "msisdn",
    "iban",
    "ssn",
    "card",
    "passport",
    "birthday",
    "dob",
];

/// What `name` says.
pub(super) fn of(name: &str) -> Cue {
    let mut found = Cue::None;
    let mut before = "";
    let mut last = "";
    let mut pieces = 0;
    for part in parts(name) {
        let Some(lower) = vocabulary::Lower::of(part) else {
            found = found.max(long(part));
            continue;
        };
        let lower = lower.as_str();
        if lower.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        pieces += 1;
        let hands_on = lower == "pass" && HANDS_ON.contains(&before);
        let one = if hands_on { Cue::None } else { single(lower) };
        found = match (found, one) {
            // `hostname`, `user_password`: a secret's name outweighs; of two others the later one tells.
            (Cue::Person(_), Cue::Person(_)) => one,
            _ => found.max(one),
        };
        before = known(lower);
        last = before;
    }
    let tells_about = pieces > 1 && ABOUT.contains(&last) && (found.is_secret());
    let is_whole = found == Cue::Rest && pieces > 1 && last == "file";
    match tells_about || is_whole {
        true => Cue::None,
        false => named(name, pieces, found),
    }
}

/// A whole name that means another thing than its parts.
fn named(name: &str, pieces: usize, found: Cue) -> Cue {
    if pieces > 1 && !found.is_secret() {
        let all: String = parts(name).map(str::to_ascii_lowercase).collect();
        let of = |list: &'static [(&str, &str)]| list.iter().find(|(one, _)| *one == all);
        if let Some((_, class)) = of(PERSON) {
            return Cue::Person(class);
        }
        // `client_count`: about clients.
        let last = parts(name).last().unwrap_or_default().to_ascii_lowercase();
        let is_about =
            ABOUT.contains(&last.as_str()) && !["name", "names"].contains(&last.as_str());
        let ends = PERSON.iter().any(|(one, _)| *one == last)
            || ["name", "names", "id"].contains(&last.as_str());
        return match found {
            Cue::Person(_) if is_about || !ends => Cue::None,
            other => other,
        };
    }
    match (found, name) {
        // `from` and `uid` stand before anything.
        (Cue::Person("from"), _) => Cue::None,
        (found, _) => found,
    }
}

/// So that a part outlives its copy.
fn known(lower: &str) -> &'static str {
    let lists = [ABOUT, HANDS_ON];
    let mut all = lists.into_iter().flatten();
    all.find(|one| **one == lower).copied().unwrap_or_default()
}

fn single(lower: &str) -> Cue {
    if STRONG.contains(&lower) {
        return Cue::Strong;
    }
    if REST.contains(&lower) {
        return Cue::Rest;
    }
    if WEAK.contains(&lower) {
        return Cue::Weak;
    }
    if NUMBER.contains(&lower) {
        return Cue::Number;
    }
    if let Some((_, class)) = PERSON.iter().find(|(one, _)| *one == lower) {
        return Cue::Person(class);
    }
    // `dbpass`, `mypasswd`, `xsecret2`: no word of its own.
    match vocabulary::is_word(lower) {
        true => Cue::None,
        false => long(lower),
    }
}

fn long(part: &str) -> Cue {
    let lower = part.to_lowercase();
    let inner = [
        "passw",
        "passwd",
        "secret",
        "credential",
        "apikey",
        "kennwort",
        "contrase",
        "пароль",
        "密码",
        "passphrase",
    ];
    let ends = ["pass", "pwd", "token", "pw", "passe", "passcode"];
    if inner.iter().any(|one| lower.contains(one)) || ends.iter().any(|end| lower.ends_with(end)) {
        return Cue::Strong;
    }
    let weak = ["key", "auth", "session", "sid", "sig"];
    match lower.len() > 3 && weak.iter().any(|end| lower.ends_with(end)) {
        true => Cue::Weak,
        false => Cue::None,
    }
}

/// Whether it is one of the words that tell: known to everybody.
pub(super) fn is_word(word: &str) -> bool {
    vocabulary::Lower::of(word).is_some_and(|lower| {
        let lower = lower.as_str();
        [STRONG, WEAK, REST, NUMBER]
            .into_iter()
            .flatten()
            .any(|one| *one == lower)
            || PERSON.iter().any(|(one, _)| *one == lower)
    })
}

/// Whether it is the name of a name: what stands in `value` beside it goes by what stands here.
pub(super) fn names_another(key: &str) -> bool {
    const NAMING: &[&str] = &[
        "name",
        "key",
        "property",
        "variable",
        "var",
        "env",
        "param",
        "parameter",
        "option",
        "setting",
        "field",
        "header",
        "label",
        "attribute",
        "attr",
        "entry",
        "id",
        "kind",
        "type",
        "k",
        "directive",
    ];
    let all: String = parts(key).map(str::to_ascii_lowercase).collect();
    NAMING.contains(&all.as_str())
        || parts(key)
            .last()
            .is_some_and(|last| ["name", "key"].contains(&last.to_ascii_lowercase().as_str()))
}

/// Whether a whole value is the name of a secret, such as `DB_PASSWORD` or `--password`.
pub(super) fn is_name_of_secret(value: &str) -> bool {
    let value = value.trim().trim_end_matches([':', '=']);
    let is_name = !value.is_empty()
        && value.len() <= 80
        && value
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.:/$@[]".contains(c));
    is_name && of(value).is_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_what_is_said_about_them() {
        for name in [
            "password",
            "PASSWORDS",
            "db.password",
            "dbPass",
            "SMTP_PASS",
            "pw",
            "pw2",
            "userPwd",
            "sslpass",
            "X-Auth-Token",
            "clientSecret",
            "requirepass",
            "secretKey",
            "--password",
            "-Dpassword",
            "ConnectionPassword",
            "contraseña",
            "user_password_map",
            "password_file_content",
            "_authToken",
        ] {
            assert_eq!(of(name), Cue::Strong, "{name}");
        }
        for name in [
            "api_key",
            "X-Api-Key",
            "auth",
            "_auth",
            "sig",
            "JSESSIONID",
            "private_key",
            "signing_key",
            "X-Amz-Signature",
        ] {
            assert_eq!(of(name), Cue::Weak, "{name}");
        }
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "Set-Cookie",
            "http_cookie",
            "WWW-Authenticate",
        ] {
            assert_eq!(of(name), Cue::Rest, "{name}");
        }
        for name in [
            "proxy_pass",
            "fastcgi_pass",
            "proxy_pass_header",
            "bypass",
            "compass",
            "password_file",
            "PasswordFileName",
            "token_count",
            "passwordExpiry",
            "PasswordAuthentication",
            "keyboard",
            "author",
            "InetAddress_size",
            "passive",
            "sessionTimeout",
            "keepalive",
            "client_count",
            "user_agent",
        ] {
            assert_eq!(of(name), Cue::None, "{name}");
        }
        for (name, class) in [
            ("user", "user"),
            ("client_name", "client"),
            ("hostName", "host"),
            ("CN", "name"),
            ("server_name", "host"),
        ] {
            assert_eq!(of(name), Cue::Person(class), "{name}");
        }
    }
}
