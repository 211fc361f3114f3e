//! Configuration texts on which gonogo and the products must agree. What each product says of each was
//! measured; `agreement.rs` measures it again.

/// What the product says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It starts with it.
    Takes,
    /// It cannot be read.
    Syntax,
    /// It can be read, and means nothing to the product.
    Meaning,
    /// It cannot be read, and we do not see it: `format: conf` is that of more than one product.
    Unseen,
}

/// One text.
pub(super) struct Case {
    pub name: &'static str,
    pub text: &'static str,
    pub says: Says,
}

const fn takes(name: &'static str, text: &'static str) -> Case {
    Case {
        name,
        text,
        says: Says::Takes,
    }
}

const fn syntax(name: &'static str, text: &'static str) -> Case {
    Case {
        name,
        text,
        says: Says::Syntax,
    }
}

const fn meaning(name: &'static str, text: &'static str) -> Case {
    Case {
        name,
        text,
        says: Says::Meaning,
    }
}

const fn unseen(name: &'static str, text: &'static str) -> Case {
    Case {
        name,
        text,
        says: Says::Unseen,
    }
}

pub(super) const NGINX: &[Case] = &[
    takes("the smallest", "events {}\n"),
    takes("no line end at the end", "events {}"),
    takes("comments", "# one\nevents { # two; {\n} # three }"),
    takes(
        "on one line",
        "pid /run/x.pid; events { worker_connections 64; } http { server { listen 127.0.0.1:1; } }",
    ),
    takes(
        "braces on lines of their own",
        "events\n{\n}\nhttp\n{\n  server\n  {\n    listen 127.0.0.1:1;\n  }\n}\n",
    ),
    takes(
        "carriage returns",
        "events {\r\n  worker_connections 64;\r\n}\r\n",
    ),
    takes(
        "quoted specials",
        "events {}\nhttp { log_format x 'a;}{#' \"b;}{#\"; }\n",
    ),
    takes(
        "escaped quotes",
        "events {}\nhttp { log_format x 'it\\'s' \"a \\\"b\\\"\"; }\n",
    ),
    takes(
        "a format over lines",
        "events {}\nhttp { log_format x '$remote_addr '\n    '\"$request\" '\n    '$status';\n}\n",
    ),
    takes(
        "a regex with braces",
        "events {}\nhttp { server { listen 127.0.0.1:1; location ~ \"^/a{1,3}$\" { return 204; } } }\n",
    ),
    takes(
        "variables in braces",
        "events {}\nhttp { server { listen 127.0.0.1:1; location / { return 200 ${uri}x; } } }\n",
    ),
    takes(
        "a brace inside of a word",
        "events {}\nhttp { server { listen 127.0.0.1:1; location / { return 200 a}b; } } }\n",
    ),
    takes(
        "a hash inside of a word",
        "events {}\nhttp { server { listen 127.0.0.1:1; location / { return 200 a#b; } } }\n",
    ),
    takes(
        "a quote inside of a word",
        "events {}\nhttp { server { listen 127.0.0.1:1; location / { return 200 it's; } } }\n",
    ),
    takes(
        "a map",
        "events {}\nhttp { map $uri $x { default 0; ~^/a 1; \"~*b{2}\" 2; } }\n",
    ),
    takes(
        "an if",
        "events {}\nhttp { server { listen 127.0.0.1:1; if ($request_method = POST) { return 405; } if ($uri ~ \"x\") { return 404; } } }\n",
    ),
    takes(
        "an escaped blank",
        "events {}\nhttp { server { listen 127.0.0.1:1; root /srv/my\\ site; } }\n",
    ),
    takes(
        "a quote that touches a brace",
        "events {}\nhttp { server { listen 127.0.0.1:1; location \"/a\"{ return 204; } } }\n",
    ),
    takes(
        "a pattern that matches nothing",
        "events {}\nhttp { include /nonexistent/*.conf; }\n",
    ),
    takes(
        "characters beyond ASCII",
        "# Grüße\nevents {}\nhttp { server { listen 127.0.0.1:1; location / { return 200 \"grüß\"; } } }\n",
    ),
    takes(
        "words on lines of their own",
        "events {}\nhttp {\n  server {\n    listen\n      127.0.0.1:1\n    ;\n    server_name a\n      b\n      c;\n  }\n}\n",
    ),
    takes(
        "a name that is a directive's",
        "events {}\nhttp {\n  upstream x { server 127.0.0.1:1; }\n  server {\n    listen 127.0.0.1:1;\n    server_name a\n      server\n      http;\n  }\n}\n",
    ),
    syntax(
        "a block left open",
        "events {}\nhttp { server { listen 127.0.0.1:1; }\n",
    ),
    syntax("a brace too many", "events {}\n}\n"),
    syntax(
        "no semicolon before a brace",
        "events { worker_connections 64 }\n",
    ),
    syntax("no semicolon at the end", "events {}\npid /run/x.pid\n"),
    syntax(
        "a single quote left open",
        "events {}\nhttp { log_format x 'a; }\n",
    ),
    syntax(
        "a double quote left open",
        "events {}\nhttp { log_format x \"a; }\n",
    ),
    syntax("a semicolon too many", "events {};\n"),
    syntax("a brace without a name", "events {}\n{ }\n"),
    syntax(
        "text after a quote",
        "events {}\nhttp { log_format x \"a\"b; }\n",
    ),
    syntax("cut off in a word", "events {}\nhttp { server { lis"),
    syntax(
        "cut off in a block",
        "events {}\nhttp { server { listen 127.0.0.1:1;",
    ),
    syntax("nothing but a word", "nonsense"),
    syntax(
        "a page of HTML",
        "<!DOCTYPE html>\n<html><body>\n<p>502 Bad Gateway</p>\n</body></html>\n",
    ),
    meaning("an unknown directive", "events {}\nwroker_processes 1;\n"),
    meaning(
        "a semicolon lost between lines",
        "events {}\nuser www-data www-data\nworker_processes 1;\n",
    ),
    meaning("a block that needs none", "events {}\npid /run/x.pid {}\n"),
    meaning("a block that is missing", "events;\n"),
    meaning("nothing at all", "# nothing\n"),
    meaning(
        "an include that is missing",
        "events {}\nhttp { include /nonexistent/one.conf; }\n",
    ),
];

pub(super) const HAPROXY: &[Case] = &[
    takes(
        "the smallest",
        "global\n\nfrontend a\n  bind 127.0.0.1:1\n  mode tcp\n  timeout client 1s\n",
    ),
    takes(
        "tabs and blanks",
        "global\n\tmaxconn  10\n\ndefaults\n\tmode\thttp\n    timeout client 1s\n\ntimeout connect 1s\n",
    ),
    takes("comments", "# one\nglobal # two\n  maxconn 10 # three\n#\n"),
    takes(
        "carriage returns",
        "global\r\n  maxconn 10\r\n\r\ndefaults\r\n  mode http\r\n",
    ),
    takes(
        "single quotes",
        "defaults\n  mode http\nbackend b\n  timeout server 1s\n  timeout connect 1s\n  http-request set-header X 'a # b \"c\"'\n",
    ),
    takes(
        "double quotes",
        "defaults\n  mode http\nbackend b\n  timeout server 1s\n  timeout connect 1s\n  http-request set-header X \"a # b 'c' \\\"d\\\"\"\n",
    ),
    takes(
        "escapes",
        "defaults\n  mode http\nbackend b\n  timeout server 1s\n  timeout connect 1s\n  http-request set-header X a\\ b\\#c\\\\d\n",
    ),
    takes(
        "quotes inside of a word",
        "defaults\n  mode http\nbackend b\n  timeout server 1s\n  timeout connect 1s\n  http-request set-header X a\" b\"'c d'\n",
    ),
    takes(
        "an environment variable",
        "global\n  description \"${HOME}\"\n",
    ),
    takes(
        "defaults with a name",
        "defaults base\n  mode http\n\ndefaults more from base\n  timeout client 1s\n",
    ),
    takes(
        "a list of users",
        "userlist u\n  group g\n  user a insecure-password 'x y' groups g\n",
    ),
    takes(
        "conditions",
        "global\n.if defined(NOTHING)\n  nonsense\n.else\n  maxconn 10\n.endif\n",
    ),
    takes(
        "expressions",
        "defaults\n  mode http\nfrontend a\n  bind 127.0.0.1:1\n  timeout client 1s\n  acl x path_beg -i /a /b\n  http-request deny if x { src 127.0.0.1 } || { path -m reg ^/(a|b)$ }\n",
    ),
    takes(
        "characters beyond ASCII",
        "# Grüße\nglobal\n  description \"grüß\"\n",
    ),
    takes(
        "nothing indented",
        "global\nmaxconn 10\ndefaults\nmode http\ntimeout client 1s\n",
    ),
    takes(
        "indented here and there",
        "global\n  maxconn 10\nspread-checks 5\n  nbthread 1\ndefaults\n  mode http\n",
    ),
    takes(
        "sections that are indented",
        "  global\n    maxconn 10\n  defaults\n    mode http\n",
    ),
    takes("an empty section", "global\ndefaults\n"),
    takes(
        "peers and resolvers",
        "peers p\n  peer a 127.0.0.1:1\nresolvers r\n  nameserver d 127.0.0.1:53\n",
    ),
    syntax("a single quote left open", "global\n  description 'a\n"),
    syntax("a double quote left open", "global\n  description \"a\n"),
    takes("a backslash at the end", "global\n  description a\\\n"),
    syntax("a broken escape", "global\n  description \"a\\xZZ\"\n"),
    syntax("no line end at the end", "global\n  maxconn 10"),
    syntax("cut off in a word", "global\n  maxconn 10\ndefaults\n  mod"),
    syntax("a keyword before any section", "maxconn 10\nglobal\n"),
    syntax(
        "a proxy without a name",
        "global\nfrontend\n  bind 127.0.0.1:1\n",
    ),
    syntax(
        "a page of HTML",
        "<!DOCTYPE html>\n<html><body>\n<p>502 Bad Gateway</p>\n</body></html>\n",
    ),
    syntax("a variable left open", "global\n  description \"${HOME\"\n"),
    syntax(
        "a condition left open",
        "global\n.if defined(NOTHING)\n  maxconn 10\n",
    ),
    syntax(
        "an end without a condition",
        "global\n  maxconn 10\n.endif\n",
    ),
    meaning("an unknown keyword", "global\n  maxcon 10\n"),
    meaning(
        "an unknown section",
        "global\n  maxconn 10\nfronted web\n  bind 127.0.0.1:1\n",
    ),
    takes("a number that is none", "global\n  maxconn ten\n"),
    meaning(
        "a backend that is not there",
        "defaults\n  mode http\nfrontend a\n  bind 127.0.0.1:1\n  timeout client 1s\n  default_backend nowhere\n",
    ),
];

pub(super) const REDIS: &[Case] = &[
    takes("nothing but comments", "# nothing\n\n"),
    takes("settings", "maxmemory 100mb\nappendonly no\n"),
    takes(
        "quoted",
        "dir \"/tmp\"\nproc-title-template \"{title} {listen-addr}\"\n",
    ),
    takes("single quotes", "dir '/tmp'\n"),
    takes("escapes", "proc-title-template \"a\\x41\\n\\\"b\\\"\"\n"),
    takes("an empty value", "save \"\"\nnotify-keyspace-events \"\"\n"),
    takes("several times", "save 900 1\nsave 300 10\n"),
    takes("a user", "user lab on nopass ~* +info\n"),
    takes("carriage returns", "appendonly no\r\nmaxmemory 100mb\r\n"),
    takes("no line end at the end", "appendonly no"),
    takes("indented", "   appendonly no\n\t maxmemory 100mb\n"),
    syntax("a quote left open", "dir \"/tmp\n"),
    syntax("a single quote left open", "dir '/tmp\n"),
    syntax("text after a quote", "dir \"/tmp\"x\n"),
    meaning("a comment behind a value", "appendonly no # no\n"),
    meaning("an unknown setting", "appendnoly no\n"),
    meaning("no value", "appendonly\n"),
    meaning("a page of HTML", "<!DOCTYPE html>\n<html><body>\n"),
];

pub(super) const POSTGRESQL: &[Case] = &[
    takes("nothing but comments", "# nothing\n\n"),
    takes(
        "with and without a sign",
        "port = 5433\nmax_connections 10\nshared_buffers=16MB\n",
    ),
    takes(
        "quoted",
        "listen_addresses = 'localhost, ::1' # here\nlog_line_prefix = '%m [%p] '\n",
    ),
    takes(
        "quotes inside",
        "cluster_name = 'it''s'\nsearch_path = '\"$user\", public'\n",
    ),
    takes("a backslash quote", "cluster_name = 'it\\'s'\n"),
    takes(
        "carriage returns",
        "port = 5433\r\nmax_connections = 10\r\n",
    ),
    takes("no line end at the end", "port = 5433"),
    takes("upper case", "PORT = 5433\nLog_Connections = ON\n"),
    takes("of an extension", "myext.setting = 1\n"),
    takes(
        "negative and fractional",
        "log_min_duration_statement = -1\nautovacuum_vacuum_scale_factor = .5\n",
    ),
    takes(
        "an optional include",
        "include_if_exists '/nonexistent/x.conf'\n",
    ),
    syntax("a quote left open", "cluster_name = 'a\n"),
    syntax("a name without a value", "port =\n"),
    syntax("two values", "port = 5433 5434\n"),
    syntax("text after a quote", "cluster_name = 'a'b\n"),
    unseen("double quotes", "cluster_name = \"a\"\n"),
    syntax("a page of HTML", "<!DOCTYPE html>\n<html><body>\n"),
    syntax("a name alone", "port\n"),
    syntax(
        "a value with a comma",
        "listen_addresses = localhost, ::1\n",
    ),
    meaning("an unknown setting", "prot = 5433\n"),
    meaning("a number that is none", "port = ten\n"),
    meaning(
        "an include that is missing",
        "include '/nonexistent/x.conf'\n",
    ),
];

pub(super) const MARIADB: &[Case] = &[
    takes("nothing but a comment", "# nothing\n"),
    takes("a group", "[mysqld]\nport = 3307\nskip-networking\n"),
    takes(
        "comments",
        "# one\n; two\n[mysqld] # three\nport=3307 # four\n",
    ),
    takes(
        "quoted",
        "[mysqld]\nsocket = \"/run/x.sock\"\ninit-connect = 'SET NAMES utf8'\n",
    ),
    takes(
        "groups of other programs",
        "[client]\nnonsense = 1\n[mysqldump]\nquick\n[mysqld]\n",
    ),
    takes("indented", "  [mysqld]\n   port   =   3307\n"),
    takes("carriage returns", "[mysqld]\r\nport = 3307\r\n"),
    takes("no line end at the end", "[mysqld]\nport = 3307"),
    takes("an empty value", "[mysqld]\ninit-connect =\n"),
    takes("a value with a sign", "[mysqld]\ninit-connect = SET a=1\n"),
    takes("loose settings", "[mysqld]\nloose-nonsense = 1\n"),
    takes("an empty directory", "!includedir /run/sshd\n[mysqld]\n"),
    syntax("a setting before any group", "port = 3307\n[mysqld]\n"),
    syntax("a group left open", "[mysqld\nport = 3307\n"),
    syntax("a page of HTML", "<!DOCTYPE html>\n<html><body>\n"),
    meaning("an unknown setting", "[mysqld]\nprot = 3307\n"),
    takes(
        "a file that is missing",
        "!include /nonexistent/x.cnf\n[mysqld]\n",
    ),
];
