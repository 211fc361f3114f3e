//! What an operator's own ssh_config adds to what the inventory says, and what the inventory keeps for
//! itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::inventory::{Auth, Inventory, Login};
use crate::problem::Problem;

/// A folder with an inventory and a config; `DIR` in both is the folder.
struct Estate {
    dir: tempfile::TempDir,
}

impl Estate {
    fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let estate = Self { dir };
        for file in ["known", "one", "two", "team", "other_known"] {
            estate.write(file, "x");
        }
        estate.write("config", config);
        estate
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let text = text.replace("DIR", self.dir.path().to_str().unwrap());
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn text(&self, text: &str) -> Vec<u8> {
        text.replace("DIR", self.dir.path().to_str().unwrap())
            .into_bytes()
    }

    fn read(&self, inventory: &str) -> Result<Inventory, Vec<Problem>> {
        let read = Inventory::parse(&self.path("inventory.yaml"), self.text(inventory));
        read.map_err(crate::problem::Problems::into_vec)
    }

    fn good(&self, inventory: &str) -> Inventory {
        self.read(inventory)
            .unwrap_or_else(|problems| panic!("{problems:#?}"))
    }
}

const BARE: &str = "environment: production
ssh: {ssh_config: config}
hosts: {ny4-1: {}, ny4-2: {address: alias2}}
teams: {ops: {}}
";

const CONFIG: &str = "Host ny4-1
  HostName 10.0.0.1
  ProxyJump jumper@edge:2200
Host alias2
  HostName 10.0.0.2
  Port 2222
  ProxyJump none
Host edge
  HostName edge.example
  ProxyJump outer
  IdentityFile DIR/two
Host outer
  ProxyJump none
Host *
  User ops
  IdentityFile DIR/one
  UserKnownHostsFile DIR/known
  GlobalKnownHostsFile none
  ConnectTimeout 7
";

fn login<'i>(inventory: &'i Inventory, host: &str) -> &'i Login {
    inventory
        .login(host, "ops")
        .unwrap_or_else(|| panic!("{:#?}", inventory.refusals(host, "ops")))
}

fn route(login: &Login) -> String {
    let stops = login.via.iter().chain([login]);
    let stops = stops.map(|one| format!("{}={}@{}:{}", one.host, one.user, one.address, one.port));
    stops.collect::<Vec<_>>().join(" ")
}

fn keys(login: &Login) -> Vec<&str> {
    let name = |way: &'_ Auth| match way {
        Auth::Key { path, .. } => path.file_name().unwrap().to_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let names: Vec<String> = login.auth.iter().map(name).collect();
    names.into_iter().map(|name| &*name.leak()).collect()
}

#[test]
fn an_inventory_that_says_nothing_goes_where_ssh_goes() {
    let estate = Estate::new(CONFIG);
    let inventory = estate.good(BARE);
    let one = login(&inventory, "ny4-1");
    assert_eq!(
        route(one),
        "outer=ops@outer:22 edge=jumper@edge.example:2200 ny4-1=ops@10.0.0.1:22"
    );
    assert_eq!(keys(one), ["one"]);
    assert_eq!(keys(&one.via[1]), ["two", "one"]);
    assert_eq!(one.known_hosts, [estate.path("known")]);
    assert_eq!(one.connect_timeout.as_secs(), 7);
    let config = one.ssh_config.as_ref().unwrap();
    assert_eq!(
        (config.alias.as_str(), config.written.as_str()),
        ("ny4-1", "config")
    );
    assert_eq!(config.path, estate.path("config"));
    assert_eq!(
        config.offers,
        [format!("key {}", estate.path("one").display())]
    );
    assert_eq!(route(login(&inventory, "ny4-2")), "ny4-2=ops@10.0.0.2:2222");
}

#[test]
fn what_the_inventory_says_wins() {
    let estate = Estate::new(CONFIG);
    let with = |hosts: &str, team: &str| {
        let text = format!(
            "environment: p\nssh: {{ssh_config: config}}\nhosts: {{{hosts}}}\nteams: {{ops: {{{team}}}}}\n"
        );
        estate.good(&text)
    };
    // At the end of the way every level wins.
    let inventory = with(
        "ny4-1: {port: 99}",
        "user: me, key: team, known_hosts: [other_known], connect_timeout: 3s",
    );
    let one = login(&inventory, "ny4-1");
    assert_eq!(
        route(one),
        "outer=ops@outer:22 edge=jumper@edge.example:2200 ny4-1=me@10.0.0.1:99"
    );
    assert_eq!(keys(one), ["team"]);
    assert_eq!(one.known_hosts, [estate.path("other_known")]);
    assert_eq!(one.connect_timeout.as_secs(), 3);
    assert!(one.ssh_config.as_ref().unwrap().offers.is_empty());
    // A hop of the config keeps what the config says of it, as ssh(1) hands nothing on to a hop.
    assert_eq!(keys(&one.via[1]), ["two", "one"]);
    assert_eq!(one.via[1].known_hosts, [estate.path("known")]);
    // A hop that the inventory describes is that host, whatever the ProxyJump says of it.
    let inventory = with("ny4-1: {}, edge: {user: admin, key: team, via: []}", "");
    let one = login(&inventory, "ny4-1");
    assert_eq!(
        route(one),
        "edge=admin@edge.example:2200 ny4-1=ops@10.0.0.1:22"
    );
    assert_eq!(keys(&one.via[0]), ["team"]);
    // Hops of the inventory, or none.
    let inventory = with("ny4-1: {via: [outer]}, outer: {}", "");
    assert_eq!(
        route(login(&inventory, "ny4-1")),
        "outer=ops@outer:22 ny4-1=ops@10.0.0.1:22"
    );
    let inventory = with("ny4-1: {via: []}", "");
    assert_eq!(route(login(&inventory, "ny4-1")), "ny4-1=ops@10.0.0.1:22");
    // No config for one host.
    let inventory = with(
        "ny4-1: {ssh_config: none, address: 1.2.3.4}",
        "user: me, key: team, known_hosts: [known]",
    );
    assert_eq!(route(login(&inventory, "ny4-1")), "ny4-1=me@1.2.3.4:22");
    assert_eq!(login(&inventory, "ny4-1").ssh_config, None);
}

#[test]
fn a_hop_without_a_word_in_the_config_takes_the_teams() {
    let estate = Estate::new("Host ny4-1\n ProxyJump edge\n");
    let inventory = estate.good(
        "environment: p\nssh: {known_hosts: [known], port: 99}\nhosts: {ny4-1: {}}\nteams: {ops: {user: me, key: team, ssh_config: config}}\n",
    );
    let one = login(&inventory, "ny4-1");
    // The port is that of the target's, which ssh(1) would not hand on.
    assert_eq!(route(one), "edge=me@edge:22 ny4-1=me@ny4-1:99");
    assert_eq!(keys(&one.via[0]), ["team"]);
    assert_eq!(one.via[0].known_hosts, [estate.path("known")]);
}

#[test]
fn what_cannot_be_followed_matters_only_where_the_inventory_is_silent() {
    let config = "Host ny4-1\n ProxyCommand nc %h %p\n GSSAPIAuthentication yes\n KnownHostsCommand /x\n User a;b\nHost *\n IdentityFile DIR/one\n UserKnownHostsFile DIR/known\n";
    let estate = Estate::new(config);
    let inventory = estate.good(BARE);
    let told = inventory.refusals("ny4-1", "ops").iter();
    let mut told: Vec<_> = told
        .map(|problem| (problem.place.line, problem.message.as_str()))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (2, "`ProxyCommand nc %h %p` cannot be followed"),
            (3, "`GSSAPIAuthentication yes` cannot be followed"),
            (4, "`KnownHostsCommand /x` cannot be followed"),
            (5, "`User a;b` is not acceptable"),
        ]
    );
    assert!(inventory.login("ny4-1", "ops").is_none());
    // Not a word about another host, and none where the inventory decides.
    assert!(inventory.login("ny4-2", "ops").is_some());
    let decided = "environment: p\nssh: {ssh_config: config, known_hosts: [known]}\nhosts: {ny4-1: {via: []}}\nteams: {ops: {user: me, key: team}}\n";
    assert!(estate.good(decided).login("ny4-1", "ops").is_some());
}

#[test]
fn ways_without_an_end_are_refused() {
    for (config, told) in [
        (
            "ProxyJump edge\n",
            "`ProxyJump` leads in a circle over `edge`",
        ),
        (
            "Host ny4-1\n ProxyJump ny4-1\n",
            "`ProxyJump` leads in a circle over `ny4-1`",
        ),
        (
            "Host ny4-1\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n",
            "`ProxyJump` leads in a circle over `a`",
        ),
        (
            "Host ny4-1\n ProxyJump a,b,c,d,e,f,g,h,i\n",
            "this way leads over more than 8 hops",
        ),
    ] {
        let estate = Estate::new(&format!(
            "{config}Host *\n User u\n IdentityFile DIR/one\n UserKnownHostsFile DIR/known\n"
        ));
        let inventory = estate.good(BARE);
        let refusals = inventory.refusals("ny4-1", "ops");
        assert_eq!(refusals.len(), 1, "{config}: {refusals:#?}");
        assert_eq!(refusals[0].message, told, "{config}");
        assert_eq!(refusals[0].place.file, estate.path("config"));
    }
}

#[test]
fn a_jump_to_another_host_of_the_same_name_is_refused() {
    let estate = Estate::new(CONFIG);
    let text = |address: &str| {
        format!(
            "environment: p\nssh: {{ssh_config: config}}\nhosts: {{ny4-1: {{}}, edge: {{address: {address}}}}}\nteams: {{ops: {{}}}}\n"
        )
    };
    let inventory = estate.good(&text("10.9.9.9"));
    let refusals = inventory.refusals("ny4-1", "ops");
    assert_eq!(
        refusals[0].message,
        "`ProxyJump edge` leads to edge.example, and host `edge` of the inventory is 10.9.9.9"
    );
    assert!(
        estate
            .good(&text("edge.example"))
            .login("ny4-1", "ops")
            .is_some()
    );
}

#[test]
fn gaps_that_nobody_fills_are_refused() {
    let estate = Estate::new(
        "Host *\n User u\n IdentityFile none\n IdentityAgent none\n UserKnownHostsFile none\n GlobalKnownHostsFile none\n",
    );
    let inventory = estate.good(BARE);
    let told = inventory.refusals("ny4-1", "ops").iter();
    let told: Vec<_> = told.map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "nothing says how team `ops` logs in to `ny4-1`: no key is named or there, and no agent",
            "nothing says which key host `ny4-1` must show: no known_hosts file is there",
        ]
    );
}

#[test]
fn files_that_cannot_be_trusted_are_refused_where_they_are_named() {
    let estate = Estate::new(CONFIG);
    let told = |text: &str| {
        let problems = estate.read(text).unwrap_err();
        let told = problems.iter().map(|problem| {
            format!(
                "{}:{} {}",
                problem.place.line, problem.place.column, problem.message
            )
        });
        told.collect::<Vec<_>>()
            .join("\n")
            .replace(estate.dir.path().to_str().unwrap(), "DIR")
    };
    assert_eq!(
        told(&BARE.replace("config}", "absent}")),
        "2:19 ssh_config DIR/absent does not exist"
    );
    estate.write("bad", "Host *\n Prot 2\n");
    assert_eq!(
        told(&BARE.replace("config}", "bad}")),
        "2:2 unknown keyword `Prot`"
    );
    fs::set_permissions(estate.path("config"), fs::Permissions::from_mode(0o660)).unwrap();
    let open = told(BARE);
    assert!(
        open.starts_with("2:19 ssh_config DIR/config could have been written by others"),
        "{open}"
    );
    fs::set_permissions(estate.path("config"), fs::Permissions::from_mode(0o644)).unwrap();
    estate.good(BARE);
    // A host that no config applies to needs its address, and one must be something to type.
    let team = "environment: p\nhosts: {a: {}, 'b c': {}}\nteams: {ops: {ssh_config: config}, desk: {user: u, key: one, known_hosts: [known]}}\n";
    assert_eq!(
        told(team),
        "2:9 host `a` has no `address`\n2:16 host `b c` has no `address`, and `ssh 'b c'` is nothing to type"
    );
}

#[test]
fn keys_that_others_can_read_stop_a_run_and_missing_ones_only_when_all_are() {
    let estate = Estate::new(CONFIG);
    let inventory = estate.good(BARE);
    assert!(inventory.login("ny4-1", "ops").is_some());
    assert_eq!(inventory.check_files(), []);
    fs::set_permissions(estate.path("two"), fs::Permissions::from_mode(0o644)).unwrap();
    let told = inventory.check_files();
    assert!(
        told[0].message.contains("can be read or written by others"),
        "{told:?}"
    );
    fs::remove_file(estate.path("two")).unwrap();
    assert_eq!(inventory.check_files(), []);
    fs::remove_file(estate.path("one")).unwrap();
    assert!(
        inventory.check_files()[0]
            .message
            .contains("does not exist")
    );
}

#[test]
fn what_a_run_keeps_makes_the_same_logins_without_the_file() {
    let estate = Estate::new(CONFIG);
    for text in [
        BARE.to_owned(),
        BARE.replace(
            "{ops: {}}",
            "{ops: {user: me, key: team, known_hosts: [other_known]}}",
        ),
        BARE.replace("alias2}}", "alias2, user: x}, edge: {}}"),
    ] {
        let first = estate.good(&text);
        let hosts = ["ny4-1", "ny4-2"];
        let shown = |inventory: &Inventory| {
            let one = |host: &&str| {
                let login = login(inventory, host);
                let offers = |login: &Login| {
                    login.ssh_config.as_ref().map(|config| {
                        (
                            config.offers.clone(),
                            config.notes.clone(),
                            config.alias.clone(),
                        )
                    })
                };
                let offers: Vec<_> = login.via.iter().chain([login]).map(offers).collect();
                format!("{} {offers:?} {:?}", route(login), login.connect_timeout)
            };
            hosts.iter().map(one).collect::<Vec<_>>()
        };
        let told = shown(&first);
        let records = first.records();
        assert_eq!(
            records.keys().collect::<Vec<_>>(),
            ["team-1-ops.ssh_config"]
        );
        fs::remove_file(estate.path("config")).unwrap();
        let again =
            Inventory::parse_recorded(Path::new("elsewhere.yaml"), estate.text(&text), &records);
        let again = again.unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(
            shown(&again),
            told,
            "{}",
            String::from_utf8_lossy(&records["team-1-ops.ssh_config"])
        );
        // What is kept of it is the same again.
        assert_eq!(again.records(), records);
        estate.write("config", CONFIG);
    }
    assert!(estate.good("environment: p\n").records().is_empty());
}

#[test]
fn an_address_family_leaves_only_its_own_addresses() {
    let (four, six) = (
        "192.0.2.1:22".parse().unwrap(),
        "[2001:db8::1]:22".parse().unwrap(),
    );
    for (family, expected) in [
        ("any", (true, true)),
        ("inet", (true, false)),
        ("inet6", (false, true)),
    ] {
        let estate = Estate::new(&format!("AddressFamily {family}\n{CONFIG}"));
        let inventory = estate.good(BARE);
        let login = login(&inventory, "ny4-2");
        assert_eq!(
            (login.takes(&four), login.takes(&six)),
            expected,
            "{family}"
        );
    }
}

/// The installed ssh reads the file itself: nothing of it stands in the way, and no key is chosen for it.
#[test]
fn the_installed_ssh_is_left_what_its_file_says() {
    let config = format!(
        "Host ny4-1\n GSSAPIAuthentication yes\n ControlPath ~/.ssh/%C\n HostKeyAlgorithms +ssh-rsa\n \
         Match exec true host 10.0.0.1\n Ciphers aes256-ctr\n{CONFIG}"
    );
    let estate = Estate::new(&config);
    let inventory = estate.good(&BARE.replace("{ops: {}}", "{ops: {client: openssh}}"));
    let one = login(&inventory, "ny4-1");
    assert_eq!(
        route(one),
        "outer=ops@outer:22 edge=jumper@edge.example:2200 ny4-1=ops@10.0.0.1:22"
    );
    for stop in one.via.iter().chain([one]) {
        assert_eq!(
            (stop.auth.len(), stop.known_hosts.len()),
            (0, 0),
            "{stop:?}"
        );
        assert_eq!(stop.client, crate::inventory::Client::Openssh);
        assert_eq!(stop.ssh_config.as_ref().unwrap().notes.len(), 1);
    }
    // Without it the same file is refused.
    assert!(estate.good(BARE).login("ny4-1", "ops").is_none());
}
