//! Which login a team gets on a host: `ssh:`, then the team, then the host.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Inventory, Problems, good};
use crate::inventory::{AgentKey, AnswerFrom, Auth, Client, Elevate, Login, Transport};

const ESTATE: &str = r"environment: production
ssh:
  user: all
  port: 2200
  known_hosts: [known_hosts]
  agent: true
  via: [edge, inner]
  elevate: sudo
hosts:
  edge: {address: edge.example, user: jump, key: keys/jump, port: 22}
  inner: {address: inner.example}
  far: {address: far.example, via: [edge]}
  a: {address: a.example}
  b: {address: b.example, port: 22, user: root, known_hosts: [other], elevate: none, deadline: 5m, via: []}
  c: {address: c.example, via: [far], certificate: c-cert.pub}
teams:
  ops: {user: ops, key: keys/ops, passphrase_env: OPS, password_env: OPS_PASSWORD, transport: exec, max_bytes: 10kB, clock_tolerance: 2s}
  support: {connect_timeout: 3s, agent: true, password_env: SUPPORT}
  noc: {via: [far], host_key: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'}
";

fn way(login: &Login) -> Vec<&str> {
    assert!(
        login.via.iter().all(|hop| hop.via.is_empty()),
        "hops are flat"
    );
    login.via.iter().map(|hop| hop.host.as_str()).collect()
}

fn key(path: &str, certificate: Option<&str>, passphrase: Option<&str>) -> Auth {
    Auth::Key {
        path: path.into(),
        certificate: certificate.map(PathBuf::from),
        passphrase_env: passphrase.map(str::to_owned),
    }
}

#[test]
fn the_host_has_the_last_word() {
    let inventory = good(ESTATE);
    let login = |host, team| inventory.login(host, team).unwrap();
    let a = login("a", "ops");
    assert_eq!(
        (a.user.as_str(), a.port, a.address.as_str()),
        ("ops", 2200, "a.example")
    );
    assert_eq!((a.host.as_str(), a.team.as_str()), ("a", "ops"));
    assert_eq!(a.known_hosts, [Path::new("etc/known_hosts")]);
    assert_eq!(a.max_bytes, 10_000);
    assert_eq!(
        (a.connect_timeout, a.deadline),
        (Duration::from_secs(10), Duration::from_secs(120))
    );
    assert_eq!(
        (&a.elevate, a.transport, a.client),
        (&Elevate::Root, Transport::Exec, Client::Ssh2)
    );
    let b = login("b", "ops");
    assert_eq!((b.user.as_str(), b.port), ("root", 22));
    assert_eq!(b.known_hosts, [Path::new("etc/other")]);
    assert_eq!(
        (&b.elevate, b.deadline),
        (&Elevate::None, Duration::from_secs(300))
    );
    assert_eq!(login("a", "support").user, "all");
    assert_eq!(
        login("a", "support").connect_timeout,
        Duration::from_secs(3)
    );
    assert_eq!(login("a", "support").max_bytes, 1 << 30);
    assert_eq!(a.clock_tolerance, Duration::from_secs(2));
    let usual = login("a", "support").clock_tolerance;
    assert_eq!(usual, Duration::from_secs(60));
    // One level's trust replaces the other's, whichever form it takes.
    let pinned = login("a", "noc");
    assert!(pinned.host_key.is_some() && pinned.known_hosts.is_empty());
    let host_again = login("b", "noc");
    assert!(host_again.host_key.is_none() && !host_again.known_hosts.is_empty());
    assert_eq!(inventory.login("a", "nobody"), None);
    assert_eq!(inventory.login("nowhere", "ops"), None);
    assert_eq!(
        inventory.login("edge", "ops"),
        None,
        "a mere hop is no destination"
    );
}

#[test]
fn one_level_says_how_to_authenticate() {
    let inventory = good(ESTATE);
    let auth = |host, team| inventory.login(host, team).unwrap().auth.clone();
    let password = |env: &str| Auth::Password { env: env.into() };
    let ops = [
        key("etc/keys/ops", None, Some("OPS")),
        password("OPS_PASSWORD"),
    ];
    assert_eq!(auth("a", "ops"), ops);
    assert_eq!(
        auth("a", "support"),
        [Auth::Agent(AgentKey::Any), password("SUPPORT")]
    );
    assert_eq!(auth("a", "noc"), [Auth::Agent(AgentKey::Any)]);
    // A host may add a certificate to the team's key …
    let certified = key("etc/keys/ops", Some("etc/c-cert.pub"), Some("OPS"));
    assert_eq!(auth("c", "ops")[0], certified);
    // … and a key of its own takes nothing from the team's: no passphrase, no password.
    let hop = &inventory.login("a", "ops").unwrap().via[0];
    assert_eq!((hop.user.as_str(), hop.port), ("jump", 22));
    assert_eq!(hop.auth, [key("etc/keys/jump", None, None)]);
}

#[test]
fn hops_come_nearest_first_and_only_the_first_adds_its_own() {
    let inventory = good(ESTATE);
    let via = |host, team| way(inventory.login(host, team).unwrap());
    assert_eq!(via("a", "ops"), ["edge", "inner"]);
    assert_eq!(via("b", "ops"), Vec::<&str>::new());
    assert_eq!(via("c", "ops"), ["edge", "far"]);
    assert_eq!(via("a", "noc"), ["edge", "far"]);
    // Once an instance makes a hop a destination, the shared way ends before it.
    let text = ESTATE.to_owned()
        + "instances:\n  i: {product: amps, host: inner, teams: [ops], vars: {home: /i}}\n  e: {product: amps, host: edge, teams: [ops], vars: {home: /e}}\n";
    let inventory = good(&text);
    let via = |host, team| way(inventory.login(host, team).unwrap());
    assert_eq!(via("inner", "ops"), ["edge"]);
    assert_eq!(via("edge", "ops"), Vec::<&str>::new());
    assert_eq!(via("edge", "noc"), Vec::<&str>::new());
}

#[test]
fn files_are_relative_to_the_inventory_or_to_the_home_directory() {
    let with = |file: &str| {
        let text = ESTATE.replacen("[known_hosts]", &format!("[{file}]"), 1);
        good(&text).login("a", "ops").unwrap().known_hosts.clone()
    };
    assert_eq!(with("../k"), [Path::new("etc/../k")]);
    assert_eq!(with("/etc/ssh/k"), [Path::new("/etc/ssh/k")]);
    if let Some(home) = std::env::home_dir() {
        assert_eq!(with("~/.ssh/k"), [home.join(".ssh/k")]);
    }
}

#[test]
fn files_are_looked_at_only_when_asked() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let text = "environment: p\nssh: {known_hosts: [known_hosts]}\nteams:\n  ops: {user: ops, key: id}\nhosts:\n  a: {address: a, certificate: c.pub}\n";
    let path = folder.path().join("estate.yaml");
    fs::write(&path, text).unwrap();
    let inventory = Inventory::load(&path).unwrap();
    let lines = |inventory: &Inventory| -> Vec<(usize, usize)> {
        let problems = inventory.check_files();
        let places = problems.iter().map(|problem| &problem.place);
        places.map(|place| (place.line, place.column)).collect()
    };
    assert_eq!(lines(&inventory), [(2, 21), (4, 25), (6, 32)]);
    // Whoever is about to connect is told of them with whatever else is wrong.
    let wrong = text.replace("ops: {", "ops: {usr: x, ");
    fs::write(folder.path().join("wrong.yaml"), wrong).unwrap();
    let told = |load: fn(&Path) -> Result<Inventory, Problems>| {
        let refused = load(&folder.path().join("wrong.yaml")).unwrap_err();
        refused
            .iter()
            .map(|problem| problem.place.line)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(Inventory::load), [4]);
    assert_eq!(told(Inventory::load_to_connect), [2, 4, 4, 6]);
    assert_eq!(Inventory::load_to_connect(&path).map(|_| ()), Ok(()));
    for name in ["known_hosts", "id", "c.pub"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    fs::set_permissions(folder.path().join("id"), Permissions::from_mode(0o640)).unwrap();
    let open = inventory.check_files();
    assert_eq!(open.len(), 1);
    assert!(open[0].message.contains("(mode 0640)"), "{}", open[0]);
    assert!(open[0].hint.starts_with("chmod 600 "), "{}", open[0]);
    fs::set_permissions(folder.path().join("id"), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(inventory.check_files(), []);
}

#[test]
fn an_agent_s_key_and_answers_to_questions() {
    const BEGIN: &str = "environment: p\nssh: {known_hosts: [k], user: ops}\nhosts:\n  a: {address: a}\nteams:\n  t: ";
    let pin = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    let auth = |keys: &str| {
        let text = BEGIN.to_owned() + keys + "\n";
        good(&text).login("a", "t").unwrap().auth.clone()
    };
    let agent = |keys: &str| match &auth(&format!("{{agent: {keys}}}"))[..] {
        [Auth::Agent(chosen)] => chosen.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(agent("true"), AgentKey::Any);
    assert_eq!(
        agent(&format!("'{pin}'")),
        AgentKey::Fingerprint(pin.into())
    );
    assert_eq!(
        agent("keys/ops.pub"),
        AgentKey::File("etc/keys/ops.pub".into())
    );
    let answered = |list: &str| match &auth(&format!("{{keyboard_interactive: {list}}}"))[..] {
        [Auth::KeyboardInteractive { answers }] => answers.clone(),
        other => panic!("{other:?}"),
    };
    let two = answered("[{env: PIN}, {command: [oathtool, --totp, f], prompt: '(?i)code'}]");
    assert_eq!(two[0].from, AnswerFrom::Env("PIN".into()));
    assert!(two[0].prompt.is_none() && two[1].prompt.as_ref().unwrap().0.is_match("Code:"));
    let words = |words: &[&str]| AnswerFrom::Command(words.iter().map(|w| (*w).into()).collect());
    assert_eq!(two[1].from, words(&["oathtool", "--totp", "f"]));
    let beside = answered("[{command: [./otp, x/y]}]");
    assert_eq!(beside[0].from, words(&["etc/./otp", "x/y"]));
    // All of one level, in a fixed order.
    let all = auth("{password_env: P, keyboard_interactive: [{env: A}], agent: true, key: id}");
    assert!(matches!(
        all[..],
        [
            Auth::Key { .. },
            Auth::Agent(_),
            Auth::KeyboardInteractive { .. },
            Auth::Password { .. }
        ]
    ));
}

#[test]
fn what_is_no_agent_s_key_and_no_answer_is_refused() {
    for (keys, expected) in [
        ("agent: 'SHA256:short'", "is not acceptable"),
        ("agent: yes", "expected true or false"),
        ("agent: [a]", "expected true or false"),
        ("agent: false", "no way to authenticate"),
        ("keyboard_interactive: []", "is empty"),
        ("keyboard_interactive: {env: A}", "expected a list"),
        ("keyboard_interactive: [{}]", "`env` or `command`"),
        (
            "keyboard_interactive: [{env: A, command: [b]}]",
            "`env` or `command`",
        ),
        (
            "keyboard_interactive: [{env: 'hunter 2'}]",
            "not the name of an environment",
        ),
        ("keyboard_interactive: [{envv: A}]", "unknown key `envv`"),
        ("keyboard_interactive: [{command: []}]", "names no program"),
        (
            "keyboard_interactive: [{command: oathtool}]",
            "expected a list",
        ),
        (
            "keyboard_interactive: [{env: A, prompt: 'x*'}]",
            "cannot read `x*`",
        ),
        (
            "keyboard_interactive: [{env: A, prompt: '('}]",
            "cannot read `(`",
        ),
    ] {
        let text = format!(
            "environment: p\nssh: {{known_hosts: [k], user: ops}}\nhosts:\n  a: {{address: a}}\nteams:\n  t: {{{keys}}}\n"
        );
        let refused = Inventory::parse(Path::new("etc/estate.yaml"), text.into_bytes());
        let told = refused
            .err()
            .unwrap_or_else(|| panic!("{keys} passed"))
            .to_string();
        assert!(told.contains(expected), "{keys}: {told}");
        assert_eq!(told.matches("error").count(), 1, "{keys}: {told}");
        assert!(!told.contains("hunter"), "{told}");
    }
}
