//! Secrets in running text that are words of everybody's, told by the words around them; keys whose every line has
//! something before it. `§` stands for the secret; a twin beside each kind stays to the byte.

use super::*;

/// What came through, of forms with that secret.
fn through(forms: &[&str], secret: &str) -> Vec<String> {
    let left = |form: &&str| {
        let clean = text(Shape::Lines, &format!("{}\n", form.replace('§', secret)));
        holds(&clean, secret).then(|| format!("{form} left {clean}"))
    };
    forms.iter().filter_map(left).collect()
}

#[track_caller]
fn gone(forms: &[&str]) {
    for secret in [WORD, "carry-shuffled", MIXED] {
        assert_eq!(through(forms, secret), Vec::<String>::new());
    }
}

#[track_caller]
fn stays(all: &[&str]) {
    let changed: Vec<String> = all
        .iter()
        .map(|benign| (benign, text(Shape::Lines, &format!("{benign}\n"))))
        .filter(|(benign, clean)| clean.trim_end_matches('\n') != **benign)
        .map(|(benign, clean)| format!("{benign} became {clean}"))
        .collect();
    assert_eq!(changed, Vec::<String>::new());
}

#[test]
fn pairs_of_account_and_secret() {
    gone(&[
        "conn bob/§",
        "conn user/§",
        "conn harvest/§",
        "conn \"bob\"/\"§\"@db",
        "connect bob/\"§\"@orcl",
        "connecting as scott/§",
        "connecting with scott/§ to db",
        "connected with bob/§",
        "auth bob/§",
        "using bob/§",
        "exp scott/§ file=x",
        "imp userid=scott/§",
        "rman target scott/§",
        "logged in as bob/§",
        "user harvest/§ connected",
    ]);
    stays(&[
        "connection read/write error",
        "connect timeout/refused",
        "connect to amps/orders failed",
        "connected to tcp/fix",
        "connected to replication/downstream",
        "replication target group/order is ready",
        "connect tcp/9007",
        "conn 12/34",
        "connect/disconnect of clients",
        "user/password authentication failed",
        "user/group not found",
        "user 5/10",
        "logged in/out",
        "GET /amps/clients/5/username HTTP/1.1",
    ]);
}

#[test]
fn parts_of_a_path_behind_the_name_of_a_secret() {
    gone(&[
        "token/§",
        "GET /reset/token/§ HTTP/1.1",
        "POST /password/§ HTTP/1.1",
    ]);
    stays(&[
        "token/session of the page",
        "GET /api/token/refresh HTTP/1.1",
        "POST /auth/token HTTP/1.1",
        "GET /password/reset HTTP/1.1",
        "/var/lib/amps/token/file.txt",
        "session/key",
    ]);
}

#[test]
fn names_that_words_link_to_their_value() {
    gone(&[
        "community §",
        "snmp community §",
        "snmp community string §",
        "community string is §",
        "received trap with community §",
        "community name \"§\"",
        "key is §",
        "the key is \"§\"",
        "api key §",
        "api key is §",
        "the api key was set to \"§\"",
        "api-key is §",
        "license key §",
        "licence key was changed to §",
        "encryption key §",
        "shared key §",
        "pre-shared key §",
        "preshared key is §",
        "session id §",
        "session id is §",
        "activation code is §",
        "security answer is §",
        "seed phrase is §",
        "nonce is §",
        "Basic §",
        "basic auth §",
        "auth: Basic §",
    ]);
    stays(&[
        "community support is available",
        "community edition 5.3.4.12",
        "the key is not found",
        "key is a number",
        "key is present, key file is loaded",
        "primary key is id",
        "message key is not set",
        "api key required",
        "license key expired",
        "license key is valid until 2026-12-31",
        "encryption key rotated",
        "private key file missing",
        "private key does not match",
        "shared key exchange",
        "host key verification failed",
        "session 12 is closed by server",
        "session id is 12",
        "session is established",
        "auth is enabled",
        "signature is valid",
        "certificate is expired",
        "exit code is 1",
        "basic authentication failed",
        "Basic configuration loaded",
        "auth basic configured",
        "ticket 123456 is open",
    ]);
}

#[test]
fn secrets_that_are_named_afterwards() {
    gone(&[
        "using § as password",
        "using \"§\" as the password",
        "sent § as the api token",
        "§ is the password",
        "§ is my password",
        "§ was the old password",
        "'§' is the new secret",
    ]);
    stays(&[
        "this is the password",
        "there is no password",
        "expected string as token",
        "user is the token",
        "authentication is by password",
        "message is a token",
    ]);
}

#[test]
fn what_devices_and_servers_are_told() {
    gone(&[
        "rocommunity §",
        "rwcommunity § 10.0.0.0/8",
        "com2sec readonly default §",
        "trap2sink 127.0.0.1 §",
        "snmp-server host 127.0.0.1 version 2c §",
        "snmp-server host 127.0.0.1 traps §",
        "snmp-server user bob g v3 auth sha § priv aes 128 §",
        "createUser bob SHA \"§\" AES §",
        "key-string §",
        "crypto isakmp key § address 0.0.0.0",
        "radius-server host x key §",
        "ip ospf message-digest-key 1 md5 §",
        "standby 1 authentication §",
        "EXEC sp_addlogin bob, §",
        "sp_addlogin 'bob', '§'",
        "A001 LOGIN \"bob\" \"§\"",
        "OPER bob §",
        "auth plain §",
        "SASL PLAIN §",
    ]);
    for code in ["one-time code §", "verification code §", "your code is §"] {
        assert_eq!(through(&[code], "48213907"), Vec::<String>::new());
    }
    stays(&[
        "LOGIN attempt failed",
        "authenticate login failed",
        "error code 123456",
        "snmp-server started",
        "key field is order",
    ]);
}

const ENTRY: &str = "2026-11-22T05:10:38+00:00 [1] info:";
const NEXT: &str = "2026-11-22T05:10:39+00:00 [2] info: 00-0015 AMPS 5.3.4.12 initialization completed on port 9007";

#[test]
fn keys_whose_lines_have_something_before_them() {
    for head in [
        ENTRY,
        "[2026-11-22 05:10:38,123] INFO",
        "2026-11-22T05:10:38+00:00 [1] info: 00-0015",
        "Nov 22 05:10:38 db app[12]:",
        "05:10:38.123",
        "1763785469",
        ">",
        "> >",
        "   ",
        "//",
        " *",
        "|",
        "",
    ] {
        for secret in [WORD, MIXED] {
            let key = [
                "-----BEGIN RSA PRIVATE KEY-----",
                "Proc-Type: 4,ENCRYPTED",
                &format!("DEK-Info: AES-256-CBC,{secret}"),
                "",
                secret,
                &format!("{secret}{secret}="),
                "-----END RSA PRIVATE KEY-----",
            ]
            .map(|line| format!("{head} {line}\n"))
            .concat();
            let clean = text(Shape::Lines, &format!("{NEXT}\n{key}{NEXT}\n"));
            assert!(!holds(&clean, secret), "{head:?} left {clean}");
            assert!(
                clean.starts_with(NEXT) && clean.ends_with(&format!("{NEXT}\n")),
                "{clean}"
            );
            if head == ENTRY {
                assert_eq!(clean.matches(head).count(), 7, "{clean}");
            }
        }
    }
    // Another thread's lines between those of the key, and one that never ends.
    let key = format!("{ENTRY} -----BEGIN PRIVATE KEY-----\n{ENTRY} §\n{NEXT}\n{ENTRY} §\n");
    for end in [
        format!("{ENTRY} -----END PRIVATE KEY-----\n"),
        String::new(),
    ] {
        let many = format!("{NEXT}\n").repeat(20);
        let clean = text(
            Shape::Lines,
            &format!("{}{end}{many}", key.replace('§', WORD)),
        );
        assert!(!clean.contains(WORD), "{clean}");
        assert_eq!(clean.matches(NEXT).count(), 21, "{clean}");
    }
    // In one line, as a string.
    for (line, kept) in [
        (
            "{\"key\":\"-----BEGIN RSA PRIVATE KEY-----\\n§\\n-----END RSA PRIVATE KEY-----\\n\",\"port\":9007}",
            "\"port\":9007}",
        ),
        (
            "info: \"-----BEGIN PRIVATE KEY-----\\n§\\n-----END PRIVATE KEY-----\\n\" loaded on port 9007",
            "loaded on port 9007",
        ),
        (
            "\"-----BEGIN PRIVATE KEY-----\\n\" +\n\"§\\n\" +\n\"-----END PRIVATE KEY-----\"\nport 9007",
            "\nport 9007",
        ),
        (
            "pem: -----BEGIN PRIVATE KEY-----\n§\n-----END PRIVATE KEY-----\nport 9007",
            "\nport 9007",
        ),
        (
            "----BEGIN PRIVATE KEY----\n§\n----END PRIVATE KEY----\nport 9007",
            "\nport 9007",
        ),
    ] {
        let clean = text(Shape::Lines, &format!("{}\n", line.replace('§', WORD)));
        assert!(!clean.contains(WORD) && clean.contains(kept), "{clean}");
    }
    stays(&[
        "-----BEGIN of the report-----\ninfo",
        "-- BEGIN TRANSACTION\ninfo",
        "BEGIN WORK\ninfo level",
        "-----BEGIN dump of thread 5-----\ninfo",
    ]);
}

#[test]
fn a_key_over_the_end_of_a_piece_is_one_key() {
    let mut log = String::new();
    while log.len() < (1 << 20) - 400 {
        log.push_str(NEXT);
        log.push('\n');
    }
    log.push_str(&format!("{ENTRY} -----BEGIN PRIVATE KEY-----\n"));
    log.push_str(&format!("{ENTRY} {WORD}\n").repeat(60));
    log.push_str(&format!("{ENTRY} -----END PRIVATE KEY-----\n"));
    log.push_str(&format!("{NEXT}\n").repeat(20));
    let clean = text(Shape::Lines, &log);
    assert!(!clean.contains(WORD));
    assert!(clean.ends_with(&format!("{NEXT}\n")));
}
