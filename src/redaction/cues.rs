//! What a name says about what stands behind it. The names of secrets, and of people and machines, in the
//! spellings that people use: compounds, capitals, plurals, other languages.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::cue_words::{ABOUT, CODES, HANDS_ON, HELD, NUMBER, PERSON, REST, STRONG, WEAK};
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
        if let Some(cue) = by_the_last_two(name, &all) {
            return cue;
        }
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

/// `access-code`, `securityAnswer`, `account_number`: neither word alone says it.
fn by_the_last_two(name: &str, all: &str) -> Option<Cue> {
    if all.ends_with("authenticationstring") {
        return Some(Cue::Strong);
    }
    let words: Vec<String> = parts(name).map(str::to_ascii_lowercase).collect();
    let [.., before, last] = words.as_slice() else {
        return None;
    };
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    if is(CODES, before) && is(&["code", "codes", "answer", "answers", "word"], last) {
        return Some(Cue::Strong);
    }
    let numbers = is(HELD, before) && is(&["number", "numbers", "no", "nr", "num"], last);
    numbers.then_some(Cue::Number)
}

/// So that a part outlives its copy.
fn known(lower: &str) -> &'static str {
    static KNOWN: LazyLock<HashSet<&'static str, RandomState>> =
        LazyLock::new(|| ABOUT.iter().chain(HANDS_ON).copied().collect());
    KNOWN.get(lower).copied().unwrap_or_default()
}

/// What each word says; of a word in two lists, what weighs more.
static WORDS: LazyLock<HashMap<&'static str, Cue, RandomState>> = LazyLock::new(|| {
    let lists = [
        (STRONG, Cue::Strong),
        (REST, Cue::Rest),
        (WEAK, Cue::Weak),
        (NUMBER, Cue::Number),
    ];
    let people = PERSON.iter().map(|(one, class)| (*one, Cue::Person(class)));
    let told = lists
        .into_iter()
        .flat_map(|(list, cue)| list.iter().map(move |one| (*one, cue)));
    let mut words = HashMap::default();
    for (one, cue) in told.chain(people) {
        words.entry(one).or_insert(cue);
    }
    words
});

fn single(lower: &str) -> Cue {
    if let Some(cue) = WORDS.get(lower) {
        return *cue;
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

/// Whether a whole value says that a number beside it is somebody's: `account`, `customer_number`.
pub(super) fn names_a_number(value: &str) -> bool {
    of(value) == Cue::Number
        || HELD
            .iter()
            .any(|one| value.trim().eq_ignore_ascii_case(one))
}

/// Whether it is one of the words that tell: known to everybody.
pub(super) fn is_word(word: &str) -> bool {
    vocabulary::Lower::of(word).is_some_and(|lower| WORDS.contains_key(lower.as_str()))
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
    let mut all = [0; 16];
    let (mut length, mut last) = (0, "");
    for part in parts(key) {
        for byte in part.bytes() {
            if let Some(place) = all.get_mut(length) {
                *place = byte.to_ascii_lowercase();
            }
            length += 1;
        }
        last = part;
    }
    let all = all.get(..length).unwrap_or_default();
    NAMING.iter().any(|one| one.as_bytes() == all)
        || last.eq_ignore_ascii_case("name")
        || last.eq_ignore_ascii_case("key")
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
