//! Kinds of secrets and names that once came through: told by where they stand, by digits alone, by two words that
//! nobody writes together. `§` stands for the secret; a twin beside each kind stays to the byte.

use super::*;
use crate::inventory::Format;

/// Two words of every log.
const WORDS: &str = "carry-shuffled";

fn gone(shape: Shape, forms: &[&str], secret: &str) {
    let through: Vec<String> = forms
        .iter()
        .filter_map(|form| {
            let clean = std::panic::catch_unwind(|| text(shape, &form.replace('§', secret)));
            match clean {
                Ok(clean) if holds(&clean, secret) => Some(format!("{form} left {clean}")),
                Ok(_) => None,
                Err(_) => Some(format!("{form} was not proven")),
            }
        })
        .collect();
    assert_eq!(through, Vec::<String>::new());
}

fn stays(shape: Shape, all: &[&str]) {
    for benign in all {
        assert_eq!(text(shape, &format!("{benign}\n")), format!("{benign}\n"));
    }
}

#[test]
fn secrets_by_position() {
    gone(
        Shape::Lines,
        &[
            "client.login('x', '§')\n",
            "hmac.new(b'§', msg)\n",
            "session.auth = HTTPBasicAuth(\"x\", \"§\")\n",
            "perl: DBI->connect(\"dbi:x\", \"u\", \"§\")\n",
            "go: Key:[]byte(\"§\")\n",
            "SELECT pgp_sym_decrypt(data, '§') FROM t\n",
            "{\"msg\":\"db.auth(\\\"x\\\", \\\"§\\\") done\"}\n",
            "DETAIL:  parameters: $1 = 'a', $2 = '§'\n",
            "module m: bind as service using '§' failed (49)\n",
            "loading licence key § for somebody\n",
            "api key §\n",
            "p/w §\n",
            "creds ops/§\n",
            "login kurtx / §\n",
            "oracle: CONNECT sys/§@orcl AS SYSDBA\n",
            "key §\n",
            "password.........§\n",
            "POST /verify/token/§ HTTP/1.1\n",
            "8=FIX.4.2|35=A|554=§|10=1|\n",
            "8=FIX.4.4\u{1}35=A\u{1}925=§\u{1}\n",
            "login,note,password\n\"a,b\",\"x\",§\n",
            "login,note,password\n\"a,b\",\"two\nlines\",§\nc,d,§\n",
            "NAME            PASSWORD            HOST\na               §         h\n",
            "| user | authentication_string |\n| x    | § |\n",
            "user: x\nauthentication_string: §\n",
            "COPY users (id, login, password_hash) FROM stdin;\n1\tbob\t§\n",
            "2026-11-22T05:10:38+00:00 [1] info: 00-0015 user|password\nx|§\n",
            "got '§' where another was\n",
            "return \"§\"\n",
            "echo § | docker login --password-stdin\n",
            "echo \"§\" | passwd --stdin root\n",
            "echo 'ops:§' | chpasswd\n",
            "kubectl create secret generic x --from-literal=k=§\n",
            "vault kv put secret/x v=§\n",
            "sudo -S <<< §\n",
            "su - x <<EOF\n§\nEOF\n",
            "rabbitmqctl add_user a §\n",
            "net user bob § /add\n",
            "htpasswd -bc f u §\n",
            "snmpwalk -v2c -c § h\n",
            "smbclient //x/y -U a%§\n",
            "ConvertTo-SecureString \"§\" -AsPlainText\n",
        ],
        WORDS,
    );
    stays(
        Shape::Lines,
        &[
            "Error(\"connection refused by peer\") at line 42",
            "Message(topic='orders', command='publish') done",
            "key exchange finished, session keep alive",
            "POST /verify/token HTTP/1.1 200 512",
            "8=FIX.4.2|9=112|35=0|34=7|52=20261122-05:10:08.123|10=089|",
            "NAME            SIZE            STATE\na               100             ready",
            "login / logout of the page",
            "echo done | grep done",
            "user_agent=\"curl\" user_name=\"root\"",
            "read-only keep-alive fail-over json-tcp amps-action-do-rotate-logs max-connections: 5",
            "a server and a client: connected / closed",
        ],
    );
}

#[test]
fn secrets_by_names_that_were_in_no_table() {
    gone(
        Shape::Settings(Format::Properties),
        &[
            "app.access-code=§\n",
            "app.unlock-code=§\n",
            "app.securityAnswer=§\n",
            "app.pem=§\n",
            "app.cert=§\n",
            "app.mnemonic=§\n",
            "jaas.config=x.PlainLoginModule required \\\n  user_admin=\"§\";\n",
        ],
        WORDS,
    );
    stays(
        Shape::Settings(Format::Properties),
        &[
            "app.exit-code=7",
            "app.error.code=5",
            "ssl.cert=/etc/ssl/server.pem",
            "app.answer=yes",
        ],
    );
    gone(
        Shape::Json,
        &[
            "{\"columns\": [\"login\", \"password\"], \"rows\": [[\"a\", \"§\"], [\"b\", \"§\"]]}",
            "{\"schema\": {\"fields\": [{\"name\": \"user\"}, {\"name\": \"pwd\"}]}, \"row\": [\"u\", \"§\"]}",
            "{\"conn\": {\"value\": \"§\", \"sensitive\": true}}",
            "{\"question\": \"What is it?\", \"answer\": \"§\"}",
        ],
        WORDS,
    );
    stays(
        Shape::Json,
        &[
            "{\"columns\": [\"size\", \"state\"], \"rows\": [[5, \"ready\"]]}",
            "{\"conn\": {\"value\": \"ready\", \"sensitive\": false}}",
            "{\"total_in_bytes\": 518297741123, \"count\": 3354868575}",
        ],
    );
    gone(
        Shape::Xml,
        &["<A><Attribute Name=\"pin\"><AttributeValue>§</AttributeValue></Attribute></A>"],
        "71967692",
    );
    stays(
        Shape::Xml,
        &["<AMPSConfig><SOW><Topic><Key>/order_id</Key></Topic></SOW></AMPSConfig>"],
    );
}

#[test]
fn digits_by_which_somebody_is_reached_or_paid() {
    for (form, digits) in [
        ("passcode 1 sent to §", "+41 79 555 01 23"),
        ("call desk at §", "(0)44-555 07 81"),
        ("reach 0 at §", "0041795550188"),
        ("account 4 §", "1234'5678'90"),
        ("paid with §", "4539 1488 0343 6467"),
        ("paid with §", "4539148803436467"),
        ("paid to §", "CH93 0076 2011 6238 5295 7"),
        ("strings: §", "85796500409452"),
        ("GET /users/a/accounts/§ HTTP/1.1", "46549455"),
        ("account=§", "42974546"),
        ("customer.number=§", "70002780"),
        ("record {\"acct\":§,\"n\":1}", "151847156"),
        ("8=FIX.4.2|35=A|1=§|10=1|", "3179419893"),
        ("cvv §", "13470398"),
        ("v §", "1.23456789012e11"),
        ("subnet §", "10.142.7"),
        ("x p a s s w o r d = §", "t i g e r s"),
    ] {
        let clean = text(Shape::Lines, &format!("{}\n", form.replace('§', digits)));
        assert!(!clean.contains(digits), "{form} left {clean}");
    }
    stays(
        Shape::Lines,
        &[
            "sow key 1844674407370955161 topic orders",
            "at 1763785469123 and 1763785469123456",
            "518297741 bytes behind, size=518297742",
            "bookmark 13948331409519521|1623409850000000030|",
            "uid=1000 gid=1000 port 9007 pid 123456",
            "limit was 4294967296",
            "2026-11-22T05:10:08.1234560+00:00 [2008] info: 00-0015 AMPS 5.3.4.12",
            "  12 3456 518297741 9 0 0",
            "a b c d",
        ],
    );
}

#[test]
fn literals_of_a_schema_go_with_what_holds_them() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE cfg(name text, value text); INSERT INTO cfg VALUES('account', '499718592'), ('depth', '5');
             CREATE VIEW v AS SELECT '{WORDS}' AS word; CREATE VIEW w AS SELECT value FROM cfg;
             CREATE TRIGGER t AFTER INSERT ON cfg BEGIN UPDATE cfg SET value = '{WORDS}'; END"
        ))
        .unwrap();
    drop(connection);
    let clean = through(Shape::Database, &fs::read(&path).unwrap()).unwrap();
    let raw: String = clean.iter().map(|byte| char::from(*byte)).collect();
    assert!(!raw.contains(WORDS) && !raw.contains("499718592"));
    assert!(raw.contains("CREATE VIEW w AS SELECT value FROM cfg"));
}

#[test]
fn a_short_name_goes_beside_its_hint_and_stays_as_a_word() {
    let mut known = known();
    known.users = ["x", "in", "db"].map(str::to_owned).into();
    let engine = Engine::new(known, Map::with_key([7; 32]));
    let clean = engine.redact_text("x in db is 5 x 3, user=x user 'db'\n", &mut Counts::new());
    assert!(clean.starts_with("x in db is 5 x 3, user="), "{clean}");
    assert!(
        !clean.contains("user=x") && !clean.contains("'db'"),
        "{clean}"
    );
}

#[test]
fn secrets_by_the_words_and_marks_around_them() {
    for secret in ["island", "48213907", MIXED] {
        gone(
            Shape::Lines,
            &[
                "dbPassWd=§\n",
                "AMPS_PWD_OLD: §\n",
                "sqlplus -s app/§\n",
                "info: <entry key=\"password\">§</entry>\n",
                "panic: login(\"bob\", \"§\")\n",
                "AuthError: password \"§\" is too short\n",
                "KeyError: '§' while reading DB_PASSWORD\n",
                "ENC(§)\n",
                "{noop}§\n",
                "snmp-server community § RO\n",
                "radius-server key 7 §\n",
                "unlock code: §\n",
                "recovery phrase: island § island\n",
                "1700000000.1 [0 127.0.0.1:1] \"ACL\" \"SETUSER\" \"bob\" \">§\"\n",
            ],
            secret,
        );
        let settings = |format| Shape::Settings(format);
        gone(
            settings(Format::Conf),
            &["ACL SETUSER bob >§\n", "rename-command CONFIG §\n"],
            secret,
        );
        gone(
            settings(Format::Nginx),
            &[
                "proxy_set_header Authorization \"Bearer §\";\n",
                "secure_link_md5 \"$secure_link_expires$uri §\";\n",
            ],
            secret,
        );
        gone(
            settings(Format::Haproxy),
            &[
                "listen x\n    stats auth admin:§\n",
                "frontend x\n    http-request set-header Authorization \"Basic §\"\n",
            ],
            secret,
        );
        gone(
            Shape::Xml,
            &[
                "<A><Arg>--password</Arg><Arg>§</Arg></A>",
                "<A><Arg>-p</Arg><Arg>§</Arg></A>",
            ],
            secret,
        );
    }
    gone(Shape::Lines, &["GET /reset/token/§ HTTP/1.1\n"], "48213907");
    gone(Shape::Lines, &["unlock code §\n"], "48213907");
    stays(
        Shape::Lines,
        &[
            "AuthError: connection refused by peer",
            "error code 48213907 bytes",
            "info: <entry port=\"9007\">open</entry>",
            "GET /orders/48213907/status HTTP/1.1",
            "encode(size) of 5 bytes {name} {size} 5",
            "community support is available",
        ],
    );
    stays(
        Shape::Settings(Format::Conf),
        &["rename-command CONFIG \"\"", "port 6379"],
    );
    stays(
        Shape::Xml,
        &["<A><Arg>--port</Arg><Arg>9007</Arg><Arg>--size</Arg><Arg>island</Arg></A>"],
    );
}
