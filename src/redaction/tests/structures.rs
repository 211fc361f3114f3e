//! Documents: `§` stands for the secret. Whatever the name, the neighbours and the nesting, it is gone, what is
//! named beside it stays, and the document has the form that it had.

use super::*;
use crate::inventory::Format;

/// Each document with a word-like secret and with one that looks like one.
fn gone(shape: Shape, rows: &[(&str, &str)]) {
    let mut through = Vec::new();
    for (document, kept) in rows {
        for secret in [MIXED, WORD] {
            let one = std::panic::catch_unwind(|| {
                let clean = text(shape, &document.replace('§', secret));
                assert!(!holds(&clean, secret), "{document:?} left {clean:?}");
                assert!(
                    clean.contains(kept),
                    "{document:?} lost {kept:?}: {clean:?}"
                );
            });
            if one.is_err() {
                through.push((document, secret));
            }
        }
    }
    assert_eq!(through, Vec::new());
}

#[test]
fn xml() {
    gone(
        Shape::Xml,
        &[
            (
                "<A><Password>§</Password><Port>9007</Port></A>",
                "<Port>9007</Port>",
            ),
            (
                "<A><property><name>db.password</name><value>§</value></property><Level>info</Level></A>",
                "<Level>info</Level>",
            ),
            (
                "<A><property><name>javax.jdo.option.ConnectionPassword</name><value>§</value></property></A>",
                "</name>",
            ),
            (
                "<A><value>§</value><name>password</name></A>",
                "<name>password</name>",
            ),
            (
                "<A><entry key=\"db.password\">§</entry></A>",
                "key=\"db.password\"",
            ),
            (
                "<A><property name=\"db.password\">§</property></A>",
                "name=\"db.password\"",
            ),
            ("<A><password value=\"§\"/></A>", "<password value="),
            (
                "<A><Option value=\"§\" name=\"password\"/></A>",
                "name=\"password\"",
            ),
            ("<A><env name=\"DB_PASSWORD\" val=\"§\"/></A>", "<env name="),
            (
                "<A><Setting Name=\"Password\">§</Setting></A>",
                "<Setting Name=\"Password\">",
            ),
            (
                "<A><bean><property name=\"password\"><value>§</value></property></bean></A>",
                "</bean>",
            ),
            ("<A><Password><Value>§</Value></Password></A>", "<Value>"),
            ("<A><Passwords><P>§</P></Passwords></A>", "<P>"),
            (
                "<A><!-- <Password>§</Password> --><Port>1</Port></A>",
                "<Port>1</Port>",
            ),
            ("<A><!-- password=§ --><Port>1</Port></A>", "<!-- password="),
            ("<A><Auth user=\"b\">§</Auth></A>", "<Auth user="),
            ("<A><Uri>tcp://bob:§@h/</Uri></A>", "<Uri>tcp://"),
            (
                "<A><Uri>tcp://bob:§&#64;h:9007/amps/json</Uri></A>",
                ":9007/amps/json",
            ),
            ("<A><Split>pass<!-- x -->word=§</Split></A>", "password="),
            ("<A><B>password=</B><C>§</C></A>", "<B>password=</B>"),
            ("<A>password=<b>§</b></A>", "password=<b>"),
            ("<A><C><![CDATA[password=§]]></C></A>", "<C>password="),
            ("<A><?db password=\"§\"?></A>", "<?db password="),
            (
                "<dict><key>password</key><string>§</string><key>port</key><string>9007</string></dict>",
                "<string>9007</string>",
            ),
            ("<A><I name=\"y\" Pass=\"§\"/></A>", "<I name="),
            ("<A><Cmd>run --password=§</Cmd></A>", "run --password="),
            ("<A><Next a=\"password=§\" b=\"info\"/></A>", "b=\"info\""),
            (
                "<A><P name='x'>hun</P><ClientSecret>§</ClientSecret></A>",
                "<ClientSecret>",
            ),
            (
                "<A><Key>§</Key><PrivateKeyFile>/etc/amps/server.pem</PrivateKeyFile></A>",
                "/etc/amps/server.pem",
            ),
            ("<A><Token type=\"x\">§</Token></A>", "<Token type="),
        ],
    );
    let benign = "<?xml version=\"1.0\"?>\n<AMPSConfig><Name>orders</Name><Admin><InetAddr>127.0.0.1:8085</InetAddr><Interval>10s</Interval></Admin>\n\
        <Logging><Target><Protocol>file</Protocol><Level>info</Level><FileName>/var/log/amps/orders-%n.log</FileName></Target></Logging><Version>5.3.4.12</Version>\n\
        <Password>${DB_PASSWORD}</Password><Password/><PasswordFileName>/etc/amps/pw</PasswordFileName></AMPSConfig>\n";
    assert_eq!(text(Shape::Xml, benign), benign);
    assert!(through(Shape::Xml, b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>").is_err());
    let entity = "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://x/y'> %p;]><a/>";
    let Err(Unfit::Content(why)) = through(Shape::Xml, entity.as_bytes()) else {
        panic!("a DTD that builds came through");
    };
    assert!(why.contains("declares entities"), "{why}");
    let plain = "<!DOCTYPE settings [<!ELEMENT settings (#PCDATA)>]>\n<settings><Port>9007</Port></settings>";
    assert_eq!(text(Shape::Xml, plain), plain);
    let house = format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE settings SYSTEM \"http://xml.zurhouse.example/{MIXED}.dtd\" [<!-- password={MIXED} -->]>\n\
         <settings><Password>{MIXED}</Password><Port>9007</Port></settings>"
    );
    let clean = text(Shape::Xml, &house);
    assert!(
        !clean.contains(MIXED) && !clean.contains("zurhouse"),
        "{clean}"
    );
    assert!(
        clean.contains("<!DOCTYPE settings SYSTEM ") && clean.contains("<Port>9007</Port>"),
        "{clean}"
    );
    let broken = text(
        Shape::Xml,
        "<A><Password>island</Passw\n<B>island 9007</B>\n",
    );
    assert!(!broken.contains("island"), "{broken}");
}

#[test]
fn yaml() {
    gone(
        Shape::Yaml,
        &[
            ("password: §\nport: 9007\n", "port: 9007"),
            ("passwords:\n  - §\nport: 9007\n", "port: 9007"),
            ("secrets:\n  db: §\nport: 9007\n", "port: 9007"),
            ("tokens: [§]\nport: 9007\n", "port: 9007"),
            (
                "env:\n  - name: DB_PASSWORD\n    value: §\n  - name: LEVEL\n    value: info\n",
                "value: info",
            ),
            (
                "env:\n  - value: §\n    name: DB_PASSWORD\n",
                "name: DB_PASSWORD",
            ),
            ("env:\n  - {name: X_SECRET, value: §}\nport: 1\n", "port: 1"),
            ("auth: §\nport: 9007\n", "port: 9007"),
            ("_auth: §\nport: 9007\n", "port: 9007"),
            ("private_key: §\nport: 9007\n", "port: 9007"),
            ("dsn: bob:§@tcp(db7:3306)/x\nport: 9007\n", "port: 9007"),
            (
                "block: |\n  password: §\n  other: 1\nport: 9007\n",
                "port: 9007",
            ),
            ("folded: >-\n  tcp://bob:§@db7\nport: 9007\n", "port: 9007"),
            ("# password: §\nport: 9007\n", "# password: "),
            (
                "# - name: X_TOKEN\n#   value: §\nport: 9007\n",
                "port: 9007",
            ),
            ("port: 9007 # password=§\n", "port: 9007 # password="),
            ("multi: \"pass\\\n  word=§\"\nport: 9007\n", "port: 9007"),
            ("esc: \"\\x70assword\\x3d§\"\nport: 9007\n", "port: 9007"),
            ("\"\\U00000070assword\": \"§\"\nport: 9007\n", "port: 9007"),
            ("? password\n: §\nport: 9007\n", "port: 9007"),
            ("x: &a §\npassword: *a\nport: 9007\n", "port: 9007"),
            ("password_file_content: §\nport: 9007\n", "port: 9007"),
            (
                "env2: [ \"DB_PASS=§\", \"SMTP_PASS=§\" ]\nport: 9007\n",
                "port: 9007",
            ),
            (
                "cmd: [\"redis-cli\",\"-a\",\"§\"]\nport: 9007\n",
                "\"redis-cli\",\"-a\"",
            ),
            (
                "cmd:\n  - mysql\n  - --password\n  - §\nport: 9007\n",
                "--password",
            ),
            ("user_password_map: {bob: §}\nport: 9007\n", "port: 9007"),
            ("credentials: {bob: {x: §}}\nport: 9007\n", "port: 9007"),
            (
                "kind: Secret\ndata:\n  db: §\nstringData:\n  conn: §\n",
                "kind: Secret",
            ),
            ("oauth:\n  client_secret: §\nport: 9007\n", "port: 9007"),
            ("db: {pass: §, port: 9007}\n", "port: 9007"),
            ("args: [\"--password=§\", \"--port\", \"9007\"]\n", "9007"),
            ("secret:\n  - §\n  - {a: §}\nport: 9007\n", "port: 9007"),
            ("password: |\n  §\n  §\nport: 9007\n", "port: 9007"),
            (
                "json: '{\"a\":{\"password\":\"§\"},\"port\":9007}'\n",
                "9007",
            ),
        ],
    );
    let benign = "server:\n  port: 9007 # default\n  level: info\n  timeout: 30s\n  enabled: true\n  paths: [/var/log/amps, 'config.xml']\npassword: ${DB_PASSWORD}\nempty: \"\"\n";
    assert_eq!(text(Shape::Yaml, benign), benign);
    let named = text(
        Shape::Yaml,
        "users:\n  kurtx: 1\nhost: db7\nclient_name: island\n",
    );
    assert!(
        !named.contains("kurtx") && !named.contains("db7") && !named.contains("island"),
        "{named}"
    );
    let broken = text(Shape::Yaml, "a: [1\npassword: island\nb: island 9007\n");
    assert!(!broken.contains("island"), "{broken}");
}

#[test]
fn json() {
    gone(
        Shape::Json,
        &[
            ("{\"password\": \"§\", \"port\": 9007}", "\"port\": 9007"),
            (
                "{\"pass\\u0077ord\": \"§\", \"port\": 9007}",
                "\"port\": 9007",
            ),
            (
                "{\"env\": [{\"value\": \"§\", \"name\": \"DB_PASSWORD\"}], \"port\": 9007}",
                "\"port\": 9007",
            ),
            (
                "{\"env\": [{\"Key\": \"DB_PASSWORD\", \"Value\": \"§\"}]}",
                "\"DB_PASSWORD\"",
            ),
            (
                "{\"headers\": {\"Authorization\": [\"Bearer §\"]}, \"port\": 9007}",
                "\"port\": 9007",
            ),
            (
                "{\"headers\": [[\"Cookie\", \"sid=§\"]], \"port\": 9007}",
                "\"port\": 9007",
            ),
            ("{\"args\": [\"-a\", \"§\"], \"port\": 9007}", "\"-a\""),
            (
                "{\"url\": \"tcp:\\/\\/bob:§@db7\\/x\", \"port\": 9007}",
                "\"port\": 9007",
            ),
            (
                "{\"auths\": {\"r\": {\"auth\": \"§\"}}, \"port\": 9007}",
                "\"port\": 9007",
            ),
            (
                "{\"cmd\": \"run --password=§ --port 9007\", \"port\": 9007}",
                "run --password=",
            ),
            (
                "{\"a\": \"{\\\"password\\\":\\\"§\\\"}\", \"port\": 9007}",
                "\"port\": 9007",
            ),
            (
                "[{\"secret\": {\"deep\": [1, \"§\"]}}, {\"port\": 9007}]",
                "9007",
            ),
        ],
    );
    let benign = "{\"t\":{\"$date\":\"2026-11-21T09:18:00.123+00:00\"},\"s\":\"I\",\"c\":\"NETWORK\",\"id\":22943,\"ctx\":\"listener\",\"msg\":\"Connection accepted\",\"attr\":{\"remote\":\"127.0.0.1:9007\",\"connectionCount\":1}}\n";
    assert_eq!(text(Shape::Json, benign), benign);
    assert_eq!(text(Shape::Lines, benign), benign);
}

#[test]
fn ini_and_properties() {
    gone(
        Shape::Settings(Format::Ini),
        &[
            ("[db]\npassword = §\nport = 9007\n", "port = 9007"),
            ("[db]\nsmtp_pass = §\nport = 9007\n", "port = 9007"),
            ("[db]\n; password = §\nport = 9007\n", "port = 9007"),
            ("[db]\nauth = bob:§\nport = 9007\n", "port = 9007"),
            ("[db]\nprivate_key = §\nport = 9007\n", "port = 9007"),
            ("[db]\npasswords = §\nport = 9007\n", "port = 9007"),
            ("[secrets]\ndb = §\n[server]\nport = 9007\n", "port = 9007"),
            (
                "[password]\nbob = §\n[server]\nport = 9007\n",
                "port = 9007",
            ),
            ("[db]\nenv = DB_PASSWORD=§\nport = 9007\n", "port = 9007"),
            (
                "[db]\npassword = \"§\" ; it was §\nport = 9007\n",
                "port = 9007",
            ),
            ("[db]\nuri = tcp://bob:§@h/\nport = 9007\n", "port = 9007"),
        ],
    );
    gone(
        Shape::Settings(Format::Properties),
        &[
            ("db.password=§\nport=9007\n", "port=9007"),
            ("db.pass\\u0077ord=§\nport=9007\n", "port=9007"),
            ("smtp.pass : §\nport=9007\n", "port=9007"),
            ("db.password.bob=§\nport=9007\n", "port=9007"),
            (
                "sasl.jaas.config=org.x.Login required username=\"bob\" password=\"§\";\nport=9007\n",
                "port=9007",
            ),
            (
                "jaas=x required \\\n  password=\"§\";\nport=9007\n",
                "port=9007",
            ),
            ("#db.password=§\nport=9007\n", "port=9007"),
            ("db.password=a\\\n  §\nport=9007\n", "port=9007"),
            ("keystore.pwd §\nport=9007\n", "port=9007"),
            ("ssl.keystore.key=§\nport=9007\n", "port=9007"),
        ],
    );
    let benign = "[mysqld]\nport = 3306\nlog_error = /var/log/mysql/error.log\nmax_connections = 500\n# comment\nskip-name-resolve = on\n";
    assert_eq!(text(Shape::Settings(Format::Ini), benign), benign);
}

#[test]
fn nginx_haproxy_and_conf() {
    gone(
        Shape::Settings(Format::Nginx),
        &[
            (
                "env DB_PASSWORD=§;\nworker_processes 4;\n",
                "worker_processes 4;",
            ),
            (
                "http {\n proxy_set_header X-Api-Key \"§\";\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n proxy_set_header X-Auth-Token §;\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n proxy_set_header Authorization \"Bearer §\";\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n proxy_set_header Cookie \"sid=§\";\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n set $api_key \"§\";\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            ("http {\n set $token §;\n listen 8080;\n}\n", "listen 8080;"),
            (
                "http {\n fastcgi_param DB_PASSWORD §;\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n # fastcgi_param DB_PASSWORD §;\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n if ($http_x_token = \"§\") { return 403; }\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n map $http_x_api_key $ok { \"§\" 1; }\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n map $http_x_api_key $ok {\n \"§\" 1;\n }\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n proxy_pass http://bob:§@h/;\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n ssl_password §;\n listen 8080;\n}\n",
                "listen 8080;",
            ),
            (
                "http {\n add_header Set-Cookie \"sid=§\";\n listen 8080;\n}\n",
                "listen 8080;",
            ),
        ],
    );
    gone(
        Shape::Settings(Format::Haproxy),
        &[
            (
                "global\n  setenv DB_PASSWORD §\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "userlist u\n  user bob insecure-password §\nglobal\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  http-request set-header X-Api-Key §\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  http-request set-header Authorization Basic\\ §\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  http-request set-header Authorization \"Token §\"\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  http-request set-var(txn.token) str(§)\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  http-request deny unless { req.hdr(X-Token) -m str § }\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  stats auth admin:§\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  tcp-check send AUTH\\ §\\r\\n\n  maxconn 500\n",
                "maxconn 500",
            ),
            (
                "frontend f\n  # stats auth admin:§\n  maxconn 500\n",
                "maxconn 500",
            ),
        ],
    );
    gone(
        Shape::Settings(Format::Conf),
        &[
            ("requirepass §\nport 6379\n", "port 6379"),
            ("masterauth §\nport 6379\n", "port 6379"),
            ("user default on ~* +@all >§\nport 6379\n", "port 6379"),
            (
                "primary_conninfo = 'host=x user=y password=§'\nport = 5432\n",
                "port = 5432",
            ),
        ],
    );
    let benign = "http {\n server {\n  listen 8080;\n  location / { proxy_pass http://localhost:8080; }\n  location /p { fastcgi_pass unix:/run/php.sock; }\n  access_log /var/log/nginx/access.log;\n }\n}\n";
    assert_eq!(text(Shape::Settings(Format::Nginx), benign), benign);
    let hosts = text(
        Shape::Settings(Format::Nginx),
        "http {\n proxy_pass http://island:8080;\n server_name island.example;\n}\n",
    );
    assert!(
        !hosts.contains("island") && hosts.contains(":8080"),
        "{hosts}"
    );
}
