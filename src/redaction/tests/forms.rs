//! Secrets in running text: `§` stands for the secret. Each form twice: with a secret that looks like one, and
//! with a word that may stand in any log.

use super::*;

/// What stands before and behind, and must stay.
const HEAD: &str = "2021-11-23T14:49:38.3442510-08:00 [1] info: 07-0015 AMPS 5.3.4.12 initialization completed on port 9007";
const TAIL: &str = "2021-11-23T14:49:39.0000000-08:00 [2] warning: 00-0016 heartbeat timeout after 5000 ms, 3.5MB queued";

const FORMS: &[&str] = &[
    "password=§",
    "user=bob password=§ host=x",
    "password = correct § staple",
    "Passwd: §",
    "db.password: correct horse: §; x=§",
    "{\"db_password\" : \"§ \\\" §\"}",
    "\"{\\\"password\\\":\\\"§\\\"}\"",
    "{\"password\":\n  \"§\"}",
    "ssl.key.password='§ §'",
    "SECRET_KEY: §",
    "aws_secret_access_key=§",
    "GET /x?a=1&api_key=§&b=2",
    "api-key: §",
    "ApiKey=§;Server=x",
    "password=§;§",
    "password=a,§ x",
    "passphrase := §",
    "client_token => '§'",
    "X-Auth-Token: §",
    "password%3D§",
    "password=\\\n    §",
    "password: |\n  §\n  §\nnext: 1",
    "password:\n  §",
    "requirepass §",
    "1) \"requirepass\"\n2) \"§\"",
    "requirepass\n§",
    "machine h login bob password §",
    "stats auth admin:§",
    "ALTER USER bob IDENTIFIED BY '§'",
    "CREATE ROLE r LOGIN PASSWORD '§'",
    "curl --password § -v",
    "tool --api-key \"§ §\" --x",
    "MYSQL_PWD=§",
    "Server=x;Uid=bob;Pwd=§;",
    "url?user=bob&pass=§",
    "{\"pass\": \"§\"}",
    "sshpass -p § ssh x",
    "curl -s -u bob:§ http://h",
    "<Password>§</Password>",
    "<Password>\n  §\n</Password>",
    "<a:ClientSecret x='1'>§</a:ClientSecret>",
    "&lt;Password&gt;§&lt;/Password&gt;",
    "<Option Password=\"§\" Port='1'/>",
    "<Option name=\"password\" value=\"§\"/>",
    "{\"name\": \"DB_PASSWORD\", \"value\": \"§\"}",
    "tcp://bob:§@host:9007/amps/json",
    "redis://:§@host",
    "amqp://bob:§@§@host/v",
    "tcp://bob:§/x@host",
    "tcp:\\/\\/bob:§@db7\\/x",
    "Authorization: Bearer §",
    "proxy-authorization: Basic §==",
    "-H 'Authorization: §'",
    "Authorization: Digest username=\"bob\", response=\"§\"",
    "Authorization: Hawk id=\"d\", mac=\"§\"",
    "{\"headers\":{\"Authorization\":[\"Custom §\"]}}",
    "x {\"headers\":{\"Cookie\":[\"sid=§\"]}}",
    "Set-Cookie: session=§; Path=/",
    "Cookie: a=1; b=\"x\"; c=§",
    "cookie=\"sid=§\"",
    "X-Session-Id: §",
    "GET /x;JSESSIONID=§",
    "sig=§",
    "signature: '§'",
    "-----BEGIN RSA PRIVATE KEY-----\n§\n§\n-----END RSA PRIVATE KEY-----",
    "---- BEGIN SSH2 PRIVATE KEY ----\n§\n---- END SSH2 PRIVATE KEY ----",
    "pem: -----BEGIN EC PRIVATE KEY-----\\n§\\n-----END EC PRIVATE KEY-----",
    "PuTTY-User-Key-File-2: ssh\n§\n§",
    "pass\u{1b}[31mword=\u{1b}[1m§\u{1b}[0m",
    "pass\u{200b}word=§",
    "p\0a\0s\0s\0w\0o\0r\0d\0=§",
    "pass\u{2060}word=§",
    "pass\u{180e}word=§",
    "pass\u{fe0f}word=§",
    "pass\u{34f}word=§",
    "password\u{a0}=\u{a0}§",
    "password\u{ff1a}§",
    "ｐａｓｓｗｏｒｄ=§",
    "SMTP_PASS=§",
    "export REDIS_PASS='§'",
    "smtp.pass: §",
    "sslpass=§",
    "pw=§",
    "pw: §",
    "userPwd=§",
    "db.pass=§",
    "PASS_DB=§",
    "passwords=§",
    "secrets: §",
    "tokens=[§]",
    "credentials {§}",
    "bearer: §",
    "> PASS §",
    "\"AUTH\" \"§\"",
    "redis> AUTH §",
    "set password \"§\" for it",
    "the password is §",
    "dsn bob:§@tcp(db7:3306)/orders",
    "sqlplus scott/§@ORCL",
    "redis-cli -h x -a § ping",
    "ldapsearch -D cn=x -w § -b y",
    "SET PASSWORD FOR 'bob'@'h' = PASSWORD('§')",
    "db7:5432:orders:bob:§",
    "pass%77ord=§",
    "pass%2577ord=§",
    "{\"a\":\"\\u0070assword\\u003d§\"}",
    "pass\\167ord\\075§",
    "pass\\u{77}ord\\u{3d}§",
    "password&nbsp;=&nbsp;§",
    "private_key=§",
    "signing_key: §",
    "X-Auth-Key: §",
    "accessKey=§",
    "{\"secrets\":{\"db\":\"§\"}}",
    "passwords: [§]",
    "- name: DB_PASSWORD\n  value: §",
    "{\"value\":\"§\",\"name\":\"DB_PASSWORD\"}",
    "<property><name>db.password</name><value>§</value></property>",
    "snmp community=§",
    "psk=§",
    "otp=§",
    "pin: §",
    "{\"password\":[\"§\",\"b\"]}",
    "{\"password\":{\"value\":\"§\"}}",
    "INSERT INTO users(name,password) VALUES('bob','§')",
    "WHERE password LIKE '§'",
    "password -> §",
    "password == §",
    "password\t§",
    "user,password\nbob,§",
    "id;secret;port\n1;§;9007",
    "| user | password |\n| bob | § |",
    "| password | § |",
    "Config[password<§>]",
    "password_hash=§",
    "contraseña=§",
    "Passwort: §",
    "mot_de_passe=§",
    "[\"Authorization\",\"Token §\"]",
    "authorization => Bearer §",
    "[password] §",
    "key=password, value=§",
    "value=§, name=password",
    "Sec-WebSocket-Protocol: bearer, §",
    "refresh_token=§",
    "id_token : §",
    "sessionToken=§",
    "x-csrf-token: §",
    "Proxy-Authorization: NTLM §",
    "WWW-Authenticate: Negotiate §",
    "https://a/c?sv=2020&sig=§%3D",
    "https://§@git.example/x",
    "amqp://bob:a%20§@h",
    "jdbc:oracle:thin:scott/§@db:1521/ORCL",
    "jdbc:postgresql://db/x?user=bob&password=§",
    "mongodb+srv://bob:§@c.net/",
    "wget --http-passwd=§ x",
    "mysqldump -p'§' db",
    "PGPASSWORD=§ psql",
    "password='a''§'",
    "password=\"a\"§",
    "password=a § x",
    "login with password=x,§,z",
    "password = \"§\nof it\"",
    "{\"pwd\":{\"v\":\"§\"}}",
    "failed: Password (§) refused",
    "secret -> '§'",
    "token §",
    "using password §",
    "DB_PASSWORD:=§",
    "$password = '§'",
    "env[DB_PASSWORD]=§",
    "password[0]=§",
    "args: [\"--password\", \"§\"]",
    "--token=§",
    "--secret § --port 9007",
    "keystore.pwd §",
    "http://h/x?token=§#a",
    "x-api-key=§&y=1",
    "login(bob, password=§)",
    "Password: '§', Port: 1",
    "passcode §",
    "pwd:§",
    "secret|§|x",
    "password: \"§\", port: 9007",
];

fn gone(form: &str, secret: &str) {
    let planted = form.replace('§', secret);
    let framed = format!("{HEAD}\n{planted}\n{TAIL}\n{TAIL}\n");
    let clean = text(Shape::Lines, &framed);
    assert!(!holds(&clean, secret), "{form:?} left {clean:?}");
    assert!(clean.starts_with(HEAD), "{form:?} took too much: {clean:?}");
    assert!(
        clean.ends_with(&format!("{TAIL}\n")),
        "{form:?} took too much: {clean:?}"
    );
}

#[test]
fn secrets_that_look_like_secrets_are_gone() {
    for form in FORMS {
        gone(form, MIXED);
    }
}

#[test]
fn secrets_that_look_like_words_are_gone() {
    let through: Vec<&&str> = FORMS
        .iter()
        .filter(|form| std::panic::catch_unwind(|| gone(form, WORD)).is_err())
        .collect();
    assert_eq!(through, Vec::<&&str>::new());
}

/// What no name gives away is gone by its form alone.
#[test]
fn what_is_packed_or_unknown_is_gone() {
    let utf16: Vec<u8> = format!("password={MIXED}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for form in [
        b64(format!("password={MIXED}")),
        b64(&utf16),
        b64(b64(MIXED)),
        format!("auth {}", b64(format!("bob:{MIXED}"))),
        format!("\\0bob\\0{MIXED}"),
        format!("got hvs.{MIXED}{MIXED}"),
        format!("using sk_live_{MIXED}"),
        format!("AKIA{}", MIXED.to_uppercase()),
        format!("https://hooks.slack.com/services/T0001/B0001/{MIXED}"),
        format!("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.{MIXED}"),
        format!("xoxb-{MIXED}-{MIXED}"),
        format!("bob:$6${MIXED}${MIXED}:19000:0"),
        format!("it was {MIXED}, really"),
        format!("({MIXED})"),
        format!("a={MIXED}"),
        format!("/srv/{MIXED}/x"),
        format!("x.{MIXED}.y"),
        format!("{MIXED}@{MIXED}"),
        format!("\u{201c}{MIXED}\u{201d}"),
        format!("user-{MIXED}"),
    ] {
        let clean = text(Shape::Lines, &format!("{HEAD}\n{form}\n{TAIL}\n"));
        assert!(
            !holds(&clean, MIXED) && !holds(&clean, &MIXED.to_uppercase()),
            "{form:?} left {clean:?}"
        );
    }
}

/// A secret of a setting is gone wherever it stands in words of its own.
#[test]
fn a_secret_that_was_seen_once_is_gone_everywhere() {
    let clean = text(
        Shape::Lines,
        "password='red#5-blue!'\nlater red#5-blue! again\n",
    );
    assert!(!clean.contains("red#5"), "{clean}");
}

/// What support asks for: not a byte may change.
#[test]
fn what_is_harmless_stays_to_the_byte() {
    let mut changed = Vec::new();
    for benign in [
        HEAD,
        TAIL,
        "AMPS 5.3.4.12.973814.e1a57f7 - Copyright (c)",
        "2021-11-23T14:49:38.3442510-08:00 [1] info: 00-0015 AMPS initialization completed (0 seconds).",
        "127.0.0.1:9007 connected, [::1]:22, 0.0.0.0:8085",
        "password_file=/etc/amps/pw",
        "passwordExpiry: 30",
        "token_count=5 max_tokens_count: 512",
        "PasswordAuthentication no",
        "password=",
        "password=true",
        "password: null",
        "http://localhost:8080/path",
        "tcp://[::1]:9007/amps/json",
        "password authentication failed",
        "connection closed by remote host",
        "<Password>${DB_PASSWORD}</Password>",
        "Failed password for root",
        "proxy_pass http://localhost:8080;",
        "64 bytes from 127.0.0.1: time=0.045 ms",
        "CPU 95% memory 3.5 GB of 16GiB, 1,234,567 messages in 1h30m",
        "[2026-11-21 09:18:00,123] INFO starting (org.apache.kafka.common.utils)",
        "2026/11/21 09:18:00 [error] 12#34: *5 upstream timed out",
        "2026-11-21 09:18:00.123 UTC [77] LOG:  database system is ready to accept connections",
        "12:M 21 Nov 2026 09:18:00.123 * Ready to accept connections",
        "File /var/log/amps/orders.log rotated to orders-2026-11-21.log.gz",
        "clientName maxConnections=500 retry_interval: 30s state=active",
        "errno 111 (Connection refused) at line 42, exit code 137, signal 9",
        "thread-12 pool-1-thread-2 finished in 12ms",
        "level=warn msg=\"slow query\" took=3.2s",
        "key not found",
        "session closed",
        "<Level>info</Level>",
        "SHOW GLOBAL STATUS",
        "100% of 5 shards",
        "x86_64 Linux 6.1.0-44-amd64 utf8",
    ] {
        let clean = text(Shape::Lines, &format!("{benign}\n"));
        if clean.trim_end_matches('\n') != benign {
            changed.push((benign, clean));
        }
    }
    assert_eq!(changed, Vec::new());
}
