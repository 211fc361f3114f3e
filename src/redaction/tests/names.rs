//! People and machines: `§` stands for the name. What is beside it stays.

use super::*;

fn gone(form: &str, name: &str) {
    let clean = text(Shape::Lines, &format!("{}\n", form.replace('§', name)));
    let is_left = clean
        .to_ascii_lowercase()
        .contains(&name.to_ascii_lowercase());
    assert!(!is_left, "{form:?} left {clean:?}");
}

#[test]
fn users_are_gone_wherever_they_stand() {
    for form in [
        "user § logged in",
        "user '§' denied",
        "for user \"§\"",
        "Failed password for § from 10.0.0.1 port 4242 ssh2",
        "Failed password for invalid user § from 10.0.0.1 port 4242 ssh2",
        "Accepted publickey for § from 10.1.1.1 port 4 ssh2",
        "/home/§/x",
        "./Users/§/Library",
        "sudo:   § : TTY=pts/0 ; USER=root",
        "session opened for user §(uid=1001) by (uid=0)",
        "uid=1001(§) gid=5",
        "BANK\\§",
        "BANK\\\\§ logged in",
        "C:\\Users\\§\\x",
        "user=§,",
        "{\"user\": \"§\"}",
        "login: §",
        "\"username\":\"§\"",
        "client[§] connected",
        "clientName=§",
        "client_name = §",
        "owner=§",
        "CN=§,OU=x",
        "principal: §",
        "~§/x",
        "ruser=§ rhost=x",
        "rabbit@§",
        "§@10.0.0.1",
        "ssh://§@git/x",
        "curl -u §:x http://h",
    ] {
        for name in ["kurtx", "island"] {
            gone(form, name);
        }
    }
}

/// AMPS tells of its clients by their sessions: support has to tell one from another.
#[test]
fn clients_of_amps_are_told_apart() {
    let clean = text(
        Shape::Lines,
        "2026-11-22T10:00:00.1Z [7] info: 07-0003 client session: 'zorb-3' disconnected\n\
         2026-11-22T10:00:01.1Z [7] info: 07-0003 client session: 'island' disconnected\n\
         2026-11-22T10:00:02.1Z [7] info: 07-0018 client name = 'zorb-3'\n",
    );
    let token = |line: usize| {
        clean
            .lines()
            .nth(line)
            .and_then(|line| line.split('\'').nth(1))
    };
    let (one, other, again) = (token(0).unwrap(), token(1).unwrap(), token(2).unwrap());
    assert!(one != other && one == again, "{clean}");
    assert!(
        one.starts_with("client-") && !clean.contains("zorb"),
        "{clean}"
    );
    assert!(!clean.contains("island"), "{clean}");
    // Another session is a secret, as before.
    gone("session: '§' closed", MIXED);
}

#[test]
fn machines_and_addresses_are_gone() {
    for (form, names) in [
        (
            "tcp://§:5432/x",
            &["db7.bank.internal", "island", "db7", "203.0.113.7", "ny4-1"][..],
        ),
        ("http://backend.§/x", &["kurtx.example"]),
        ("ldaps+x://§/", &["island", "dc1.corp.local"]),
        ("host=§ port=1", &["island", "db7", "web-01"]),
        (
            "from § port 22",
            &[
                "10.1.2.3",
                "2001:db8:77::9",
                "fe80::1ff:fe23:4567:890a",
                "db7.bank.internal",
            ],
        ),
        (
            "peer § up",
            &[
                "52:54:00:ab:cd:01",
                "52:54:00:12:34:56",
                "01-23-45-67-89-ab",
                "5254.00ab.cd01",
            ],
        ),
        ("IP §.5060 > 127.0.0.1.443", &["203.0.113.7"]),
        (
            "Nov 21 09:18:00 § sshd[12]: Connection closed",
            &["island", "web01"],
        ),
        (
            "2026-11-21T09:18:00+00:00 § haproxy[12]: started",
            &["island", "ny9"],
        ),
        ("x §_y", &["10.77.1.9"]),
        ("[§]", &["::ffff:a4d:109", "10.77.1.9"]),
        (
            "mail to §.",
            &["bob.smith@bank.example", "ops@ny4-1", "a+b@c.de"],
        ),
        ("phone §", &["+1 212 555 0100", "0891234567"]),
        ("IBAN § ok", &["DE89370400440532013000"]),
        (
            "host §.",
            &[
                "ip-10-77-1-9.ec2.internal",
                "ip-10-77-1-9",
                "ny4-1",
                "NY4-1",
                "primary.db.bank.example",
            ],
        ),
        ("\\\\§\\share", &["island", "fs01"]),
        (
            "of § yesterday",
            &[
                "Erika Musterfrau",
                "erika musterfrau",
                "+4989123456",
                "harvest",
                "ops",
            ],
        ),
        ("server_name §;", &["island.example", "www.bank.com"]),
        ("file log-§.txt", &["ny4-1", "kurtx", "10.77.1.9"]),
        (
            "id § done",
            &[
                "550e8400-e29b-41d4-a716-446655440000",
                "0x0A4D0109",
                "4111111111111111",
            ],
        ),
    ] {
        for name in names {
            gone(form, name);
        }
    }
}

#[test]
fn a_name_is_the_same_token_everywhere_and_what_stands_beside_it_stays() {
    let clean = text(
        Shape::Lines,
        "tcp://db7:5432/amps and db7 again\nhost=db7 port=5432\nuser ops at 10.20.0.11:9007\nops ok\n",
    );
    let token = clean
        .split("tcp://")
        .nth(1)
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    assert!(token.starts_with("host-"), "{clean}");
    assert_eq!(clean.matches(token).count(), 3, "{clean}");
    assert!(
        clean.contains(":5432/amps and ")
            && clean.contains(":9007\n")
            && clean.contains(" port=5432"),
        "{clean}"
    );
    let user = clean
        .split("user user-")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert_eq!(clean.matches(user).count(), 2, "{clean}");
}

#[test]
fn versions_stay_and_addresses_that_look_like_them_do_not() {
    let clean = text(
        Shape::Lines,
        "AMPS 5.3.4.12 from 5.3.4.13\nupgraded to version 6.1.2.3\n10.5.3.4 x\n",
    );
    assert!(
        clean.contains("AMPS 5.3.4.12 from ipv4-") && clean.contains("version 6.1.2.3"),
        "{clean}"
    );
    assert!(!clean.contains("10.5.3.4"), "{clean}");
}
