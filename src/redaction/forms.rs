//! Secrets and names that are told by how the words around them stand, on the line as it is written. One row a
//! form; its group is what goes. Rows of the user (`rules`) are of the same make.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};

use super::literals::{is_odd, is_place};
use super::map::Class;
use super::value::is_nothing;
use super::vocabulary::is_few;
use super::{fix, literals, numbers, shape};
use crate::evidence::redact::compile;

/// What the group must be to go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// Anything but a word of grammar.
    Any,
    /// No word of everybody's, and no number.
    Odd,
    /// So many digits at least.
    Digits(usize),
    /// Digits with the check sum of cards.
    Card,
    /// Single letters with blanks between.
    Letters,
    /// Bytes in hexadecimal that are text.
    Bytes,
}

struct Form {
    class: Option<Class>,
    want: Want,
    form: &'static str,
}

const fn secret(want: Want, form: &'static str) -> Form {
    Form {
        class: None,
        want,
        form,
    }
}

const fn name(class: Class, want: Want, form: &'static str) -> Form {
    Form {
        class: Some(class),
        want,
        form,
    }
}

/// In groups, `[^\s]` and not `\S`, so that the quotes around it stay.
const FORMS: &[Form] = &[
    // Running text.
    secret(
        Want::Any,
        r#"(?i)\bp/w\b[\s:=]*(?:is|was)?\s*["']?([^\s"',;]{3,})"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:creds?|credentials?|logins?|logon|user(?:name)?|account)\b[ :=]*[^\s/,;]{1,64}/([^\s/"',;()\]}]{4,})(?:$|[\s"',;)\]}])"#,
    ),
    secret(
        Want::Odd,
        r#"(?i)\b(?:creds?|credentials?|logins?|logon|user(?:name)?|account)\b[ :=]*[^\s/,;]{1,64} / ["']?([^\s/"',;()]{4,})"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\bconn(?:ect)?\s+["']?[^\s/@"']{1,64}["']?/["']?([^\s@"']{3,})["'@]"#,
    ),
    secret(
        Want::Odd,
        r#"(?i)\b(?:api|licen[cs]e|access|secret|private|master|encryption|decryption|signing|product|activation|recovery|unlock|shared|host|deploy|service|root|admin|account)[ -]+(?:keys?|codes?|phrase)\s*(?:is|was|were|:|=|->|set to|changed to|to|of)?\s*["'\x{201c}\x{2018}]?([^\s"',;)\x{201d}\x{2019}]+)"#,
    ),
    secret(
        Want::Odd,
        r#"(?i)\b(?:licen[cs]e|key|pin|nonce|salt|seed|hash|signature|code|phrase|combination|answer)\s+(?:is|was|set to|changed to|now|=|:|->)*\s*["'\x{201c}\x{2018}]([^\s"'\x{201d}\x{2019}]+)["'\x{201d}\x{2019}]"#,
    ),
    secret(
        Want::Odd,
        r#"(?i)\b(?:bind|log[io]n|logon|auth\w*|unlock\w*|connect\w*|decrypt\w*|encrypt\w*|sign\w*|sealed|verif\w*)\b[^"']{0,120}?\b(?:using|with|by|as|via)\s+["']([^\s"']+)["']"#,
    ),
    secret(
        Want::Odd,
        r#"(?i)\b(?:got|expected|actual|received|was|but|found|!=|==|~=|<>)\s*["']([^\s"']+)["']"#,
    ),
    secret(
        Want::Odd,
        r#"\b(?:return|yield)\s+[bur]?["']([^\s"']+)["']"#,
    ),
    secret(Want::Any, r#"(?i)\bsafe combination\s+([^\s,;]+)"#),
    name("name", Want::Any, r#"\$\d{1,3} = '((?:[^']|'')+)'"#),
    name(
        "id",
        Want::Any,
        r#"\bparameters?: .*?\$\d{1,3} = '([^']+)'"#,
    ),
    secret(
        Want::Digits(4),
        r"(?i)\b(?:pin|otp|tan|puk|mfa|2fa|totp|(?:access|activation|alarm|authentication|confirmation|door|login|one-?time|pairing|recovery|security|sms|unlock|verification|your|my) code)(?:\s+(?:code|number))?\s*(?:is|was|:|=)?\s*(\d{4,12})(?:$|[^\w.:\-])",
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:access|activation|alarm|door|recovery|security|unlock)\s+codes?\s*[:=]\s*["']?([^\s"',;]+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:recovery|seed|mnemonic|backup)\s+(?:phrase|words)(?:\s*[:=]|\s+(?:is|was|are))\s*(.+)$"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:log_?[io]n|logon|auth\w*|sign_?in)\(\s*\\?["'][^"']*["']\s*,\s*\\?["']([^"'\\]+)"#,
    ),
    // What says itself how it was made: `{noop}V` of Spring, `ENC(V)` of Jasypt.
    secret(
        Want::Any,
        r#"(?i)\{(?:s?sha(?:\d{1,3})?|s?md5|crypt|cipher|noop|b?scrypt|bcrypt|argon2\w*|pbkdf2[\w\-]*|xor)\}([^\s"',;<)]+)"#,
    ),
    secret(Want::Any, r#"\b(?:ENC|DEC)\(([^()\s"']+)\)"#),
    // `<entry key="password">V</entry>` in a line.
    secret(
        Want::Any,
        r#"(?i)<[\w:.\-]+\s[^<>]{0,200}=\s*\\?["'][\w.\-]*(?:passw|passphrase|pwd|secret|token|credential|api[._\-]?key)[\w.\-]*\\?["'][^<>/]{0,100}>\s*([^<>]+)"#,
    ),
    // Commands.
    secret(
        Want::Any,
        r#"\b(?:sqlplus|sqlldr|expdp|impdp)\b(?:\s+-\S+)*\s+(?:userid=)?["']?[^\s/@"'=]+/([^\s@"']+)"#,
    ),
    secret(Want::Any, r#"(?i)\bsetuser\b.*?[\s"'][>#]([^\s"'\\]+)"#),
    secret(
        Want::Any,
        r#"(?i)^\s*rename-command\s+\S+\s+["']?([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:snmp-server\s+community|r[ow]community6?|trapcommunity|com2sec6?\s+[^\s]+\s+[^\s]+|trap2?sink\s+[^\s]+|informsink\s+[^\s]+|(?:tacacs|radius)(?:-server)?\s+key|pre-shared-key)\s+(?:\d\s+)?["']?([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:key-string|isakmp\s+key|(?:message-digest|authentication)-key\s+\d+\s+\w+|server\s+host\s+[^\s]+\s+key|standby\s+\d+\s+authentication(?:\s+(?:text|md5|key-string))*)\s+(?:\d\s+)?["']?([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\bsnmp-server\s+host\s+[^\s]+\s+(?:(?:traps|informs|version|1|2c|3|auth|noauth|priv)\s+)*([^\s]+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:createuser|snmp-server\s+user)\s.*?\s(?:sha(?:-?\d+)?|md5)\s+["']?([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:createuser|snmp-server\s+user)\s.*\s(?:aes|3?des)\s+(?:\d+\s+)?["']?([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\bsp_(?:addlogin|password)\s+["']?[^\s"',]+["']?\s*,\s*["']?([^\s"',]+)"#,
    ),
    // What is said to servers of mail and chat.
    secret(
        Want::Any,
        r#"\b(?:LOGIN|OPER)\s+["']?[^\s"']+["']?\s+["']?([^\s"']+)["']?\s*$"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\b(?:auth|sasl|authenticate)\s+(?:plain|login|cram-md5|xoauth2)\s+([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"\bsecure_link_md5\s+["'][^"']*[\s}]([^\s"'${}]+)["']"#,
    ),
    secret(
        Want::Any,
        r#"\b(?:echo|printf)\s+(?:-\w+\s+)*["']?([^"'|]+?)["']?\s*\|.*(?:passw|stdin|\bsu\b|\bsudo\b|cryptsetup|\bgpg\b|login|secret|openssl|kinit)"#,
    ),
    secret(
        Want::Any,
        r#"--from-literal(?:=|\s+)["']?[\w.\-]+=([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"\bvault\s+(?:kv\s+(?:put|patch)|write)\s+(?:-\S+\s+)*\S+\s+(.+?)\s*$"#,
    ),
    secret(Want::Any, r#"<<<\s*["']?([^\s"']+)"#),
    secret(
        Want::Any,
        r#"\brabbitmqctl\s+(?:-\S+\s+)*(?:add_user|change_password|authenticate_user)\s+\S+\s+["']?([^\s"']+)"#,
    ),
    secret(Want::Any, r#"(?i)\bnet\s+user\s+\S+\s+([^\s/]+)\s"#),
    secret(Want::Any, r#"(?i)\bnet\s+use\s+.*\s([^\s/:\\]+)\s+/user:"#),
    secret(
        Want::Any,
        r#"\bhtpasswd\s+-\w*b\w*\s+(?:-\w+\s+)*\S+\s+\S+\s+["']?([^\s"']+)"#,
    ),
    secret(Want::Any, r#"\brclone\s+obscure\s+([^\s]+)"#),
    secret(Want::Any, r#"\bsend\s+(?:--\s+)?["\\]*"([^"\\]+)"#),
    secret(Want::Any, r#"\s-U\s?["']?[\w.\\\-]+%([^\s"']+)"#),
    secret(Want::Any, r#"\s/p(?:ass(?:word)?)?:([^\s"']+)"#),
    secret(
        Want::Any,
        r#"\bopenssl\b.*\s-(?:k|K|pass\w*)\s+(?:pass:)?([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"(?i)\bConvertTo-SecureString\s+(?:-String\s+)?["']?([^\s"']+)"#,
    ),
    secret(
        Want::Any,
        r#"\b(?:mysql|mysqldump|mysqladmin|mariadb|7z|7za|rar|unrar|ldap\w+|isql|bsqldb|sqsh|sqlcmd|bcp|tsql|zip|unzip|sshpass|mongo\w*|cqlsh|docker login|ipmitool|snmp\w+|curl)\b.*?\s-(?:p|P|w|A|X|c|b)["']?([^\s"'\-][^\s"']{3,})"#,
    ),
    secret(
        Want::Any,
        r#"\bsetx?\s+[A-Z_]*(?:PASS|PW|PWD|TOKEN|SECRET|KEY)[A-Z_]*\s+["']?([^\s"'=]+)"#,
    ),
    secret(Want::Any, r#"\bsnmp\w+\b.*\s-c\s*["']?([^\s"']+)"#),
    secret(Want::Any, r#"\bsnmp\w+\b.*\s-X\s*["']?([^\s"']+)"#),
    secret(Want::Any, r#"\bsnmp\w+\b.*\s-A\s*["']?([^\s"']+)"#),
    // Codes of settings and programs: `agent-send "V"`.
    secret(Want::Any, r#"\bagent-send\s+["']?([^\s"']+)"#),
    // JAAS: every option called after a user is the password of that user.
    secret(
        Want::Any,
        r#"\buser_(?:(?:agent|ids?|names?|counts?|groups?|types?|data|roles?|e?mail|host|limit|info)\s*=|[\w.\-]+\s*=\s*\\?["']([^"'\\]+))"#,
    ),
    // Digits by which somebody is reached or paid.
    name(
        "phone",
        Want::Digits(9),
        r"(?:^|[^\w.+\-])(\+\d{1,3}[ .\-/]?(?:\(0?\d{0,4}\)[ .\-/]?)?\d{1,4}(?:[ .\-/]?\d{2,4}){2,5})(?:$|[^\w:.\-])",
    ),
    name(
        "phone",
        Want::Digits(8),
        r"(?:^|[\s:])(\(0\d{0,4}\)[ \-]?\d{1,4}(?:[ .\-/]\d{2,4}){2,4})(?:$|[^\w:])",
    ),
    name(
        "phone",
        Want::Digits(10),
        r"(?:^|[\s:])(00\d{2}(?:[ .\-/]\d{2,4}){2,5})(?:$|[^\w:.\-/])",
    ),
    name(
        "phone",
        Want::Digits(12),
        r"(?:^|[\s:=])(00[1-9]\d{9,12})(?:$|[^\w.])",
    ),
    name(
        "phone",
        Want::Digits(7),
        r"(?i)\b(?:phone|tel|telephone|dial|dialled|mobile|sms|fax|pager)\b[^\d\n]{0,16}?((?:\(?\d{2,5}\)?[ .\-/]){1,5}\d{2,5})(?:$|[^\w:])",
    ),
    name(
        "id",
        Want::Digits(8),
        r"(?:^|[\s:=])(\d{4,}(?:'\d+)+)(?:$|[^\w'])",
    ),
    name(
        "id",
        Want::Card,
        r"(?:^|[^\w.\-])(\d{4}[ \-]\d{4}[ \-]\d{4}[ \-]\d{1,7})(?:$|[^\w.\-])",
    ),
    name(
        "id",
        Want::Digits(12),
        r"(?:^|[^\w])([A-Z]{2}\d{2}(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,4})?)(?:$|[^\w])",
    ),
    name(
        "id",
        Want::Digits(7),
        r"(?i)\b(?:account|acct|konto|customer|kunde|iban|depot|portfolio|contract|policy)(?:\s+(?:no|nr|number|num|id)\.?)?[\s:=#]+([\d][\d .'\-/]{5,30}\d)(?:$|[^\w:])",
    ),
    name(
        "ipv4",
        Want::Digits(4),
        r"(?i)\b(?:sub)?net(?:work)?\s+((?:10|172\.(?:1[6-9]|2\d|3[01])|192\.168)(?:\.\d{1,3}){1,2})(?:$|[^\w.])",
    ),
    // Written so that no rule would read it.
    secret(Want::Letters, r"(?:^|\s)((?:[^\s] ){7,}[^\s])(?:$|\s)"),
    secret(
        Want::Bytes,
        r"(?:^|\s)[0-9a-fA-F]{4,16}:?\s+((?:[0-9a-fA-F]{2}(?:[0-9a-fA-F]{2})?\s{1,2}){3,}.*)$",
    ),
];

/// Which of them a line may hold; none, where they do not fit together, and then each is asked.
static SET: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| set(FORMS.iter().map(|form| form.form.to_owned())));

/// The same for lines that are not of ASCII alone: where a word begins there is what slows many forms a hundredfold.
/// Here they may begin anywhere, so that some more are asked.
static WIDE: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| set(FORMS.iter().map(|form| form.form.replace(r"\b", ""))));

fn set(forms: impl Iterator<Item = String>) -> Option<RegexSet> {
    // With less, so many forms at once are told apart by a machine that is a hundred times slower.
    let mut builder = RegexSetBuilder::new(forms);
    builder.dfa_size_limit(32 << 20).build().ok()
}

static EACH: LazyLock<Vec<Regex>> =
    LazyLock::new(|| FORMS.iter().map(|form| compile(form.form)).collect());

/// What goes, and as what; `None` for a secret.
pub(super) type Span = (Range<usize>, Option<Class>);

/// Everything on the line that a form tells.
pub(super) fn spans(line: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let set = if line.is_ascii() { &SET } else { &WIDE };
    let some: Vec<usize> = match &**set {
        Some(set) => set.matches(line).into_iter().collect(),
        None => (0..FORMS.len()).collect(),
    };
    for at in some {
        let (Some(form), Some(regex)) = (FORMS.get(at), EACH.get(at)) else {
            continue;
        };
        let mut from = 0;
        while let Some(group) = regex.captures_at(line, from).and_then(|all| all.get(1)) {
            let range = trimmed(line, group.range());
            if goes(form.want, &line[range.clone()]) {
                found.push((range, form.class));
            }
            from = group.end().max(from + 1);
            while from < line.len() && !line.is_char_boundary(from) {
                from += 1;
            }
            if from >= line.len() {
                break;
            }
        }
    }
    if line.contains('(') && line.contains(['"', '\'']) {
        found.extend(literals::spans(line).into_iter().map(|range| (range, None)));
    }
    if line.contains("8=FIX") {
        found.extend(fix::spans(line));
    }
    found.extend(long_numbers(line));
    found
}

/// Without what ends a sentence.
fn trimmed(line: &str, range: Range<usize>) -> Range<usize> {
    let text = &line[range.clone()];
    let text = text
        .trim_end()
        .trim_end_matches(['.', ',', ';', ':', '\\', '!']);
    range.start..range.start + text.len()
}

fn goes(want: Want, text: &str) -> bool {
    let digits = || text.bytes().filter(u8::is_ascii_digit).count();
    match want {
        _ if text.is_empty() || is_nothing(text) => false,
        Want::Any => !is_few(text) && text.chars().any(char::is_alphanumeric),
        Want::Odd => is_odd(text) && !is_place(text),
        // A day has separators too.
        Want::Digits(least) => {
            digits() >= least && !(text.contains(['-', '/']) && shape::is_harmless(text))
        }
        Want::Card => {
            let bare: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
            shape::luhn(&bare)
        }
        Want::Letters => text.bytes().filter(u8::is_ascii_alphabetic).count() >= 5,
        Want::Bytes => is_text_in_hexadecimal(text),
    }
}

/// Most of the bytes before the column of letters are letters themselves.
fn is_text_in_hexadecimal(text: &str) -> bool {
    let bytes: Vec<u8> = text
        .split_whitespace()
        .take_while(|word| {
            matches!(word.len(), 2 | 4) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
        .flat_map(|word| {
            (0..word.len())
                .step_by(2)
                .filter_map(|at| u8::from_str_radix(word.get(at..at + 2)?, 16).ok())
        })
        .collect();
    let letters = bytes
        .iter()
        .filter(|byte| byte.is_ascii_graphic() || **byte == b' ')
        .count();
    let has_hex = text
        .split_whitespace()
        .take(bytes.len())
        .any(|word| word.bytes().any(|b| b.is_ascii_alphabetic()));
    bytes.len() >= 6 && letters * 4 >= bytes.len() * 3 && has_hex
}

/// Numbers that nothing explains.
fn long_numbers(line: &str) -> Vec<Span> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len()
            && (bytes[at].is_ascii_digit()
                || bytes[at] == b'.'
                || matches!(bytes[at], b'e' | b'E')
                    && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
        {
            at += 1;
        }
        let number = line[start..at].trim_end_matches('.');
        if number.len() < 9 {
            continue;
        }
        // A part of an id, of a name, of a time.
        let touches = |byte: Option<&u8>| {
            byte.is_some_and(|byte| {
                byte.is_ascii_alphanumeric() || b"_-+:.#".contains(byte) || *byte >= 0x80
            })
        };
        if start > 0
            && touches(bytes.get(start - 1))
            && !line[..start].ends_with(": ")
            && !line[..start].ends_with(':')
            || touches(
                bytes
                    .get(start + number.len())
                    .filter(|byte| **byte != b'.' && **byte != b':'),
            )
        {
            continue;
        }
        if numbers::is_unexplained(number, &line[..start], &line[start + number.len()..]) {
            found.push((start..start + number.len(), Some("id")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_well_formed() {
        let set = SET.as_ref().map(RegexSet::len);
        assert_eq!(set, Some(FORMS.len()));
        assert_eq!(WIDE.as_ref().map(RegexSet::len), Some(FORMS.len()));
        for (form, regex) in FORMS.iter().zip(EACH.iter()) {
            assert_eq!(regex.captures_len(), 2, "{}", form.form);
        }
    }
}
