//! The same scenarios through the installed `ssh`, and what only that can do. Each of the first kind is
//! the other client's test, run with `client: openssh`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gonogo::failure::FailureKind as K;
use gonogo::inventory::{Auth, Client, Login, SshConfig};

use super::lab::{
    self, AMPLE, Lab, OPS, TWO, connect, fetch, keygen, sh, shell, still_runs, usable, within,
};

macro_rules! again {
    ($($room:ident :: $test:ident),* $(,)?) => {$(
        #[test]
        fn $test() {
            lab::use_client(Client::Openssh);
            super::$room::$test();
        }
    )*};
}

again!(
    exec::a_command_runs_with_both_streams_and_its_own_status,
    exec::megabytes_on_both_streams_do_not_deadlock,
    exec::what_stands_in_for_the_shell_is_never_a_success,
    exec::a_deadline_ends_the_command_on_the_server_too,
    exec::a_future_that_is_dropped_takes_the_session_and_the_command_with_it,
    exec::too_much_output_is_cut_and_the_session_lives,
    exec::one_session_slot_is_enough,
    exec::a_connection_that_is_lost_is_told_and_ends_the_session,
    exec::an_sftp_only_login_never_sends_a_command,
    exec::a_server_that_freezes_is_left_in_time,
    files::every_byte_comes_and_is_hashed,
    files::what_cannot_be_read_is_told_apart,
    files::a_file_that_shrinks_while_it_is_read_is_short,
    gathered::a_set_comes_by_one_command_through_every_shell_that_runs_sh,
    gathered::what_does_not_come_whole_is_told_apart_as_ever,
    gathered::what_is_cut_short_counts_for_nothing,
    gathered::a_database_comes_in_the_order_of_its_proof,
    together::each_of_several_files_is_told_apart,
    together::one_that_shrinks_costs_no_other,
    together::a_limited_host_gives_no_more_a_second,
    in_turn::in_turn_no_byte_comes_before_its_time,
    in_turn::in_turn_nothing_is_read_behind_one_that_failed,
    in_turn::in_turn_a_look_that_is_old_is_not_trusted,
    files::a_listing_finds_every_kind_and_denies_nothing_silently,
    files::a_path_that_hangs_ends_at_the_deadline,
    files::without_sftp_commands_take_over_and_say_so,
    files::a_chrooted_sftp_account_gives_files_and_no_shell,
    gets::what_listens_on_the_hosts_loopback_answers_through_ssh,
    gets::an_answer_that_is_none_is_told_and_the_session_lives,
    gets::a_server_that_never_ends_is_cut_and_one_that_drips_is_left_in_time,
    gets::a_way_that_sshd_does_not_open_is_told_with_the_line_that_opens_it,
    gets::an_account_for_files_only_may_ask_where_forwarding_is_allowed,
    gets::a_password_is_sent_once_and_told_to_nobody_else,
    gets_tls::a_certificate_is_checked_against_the_url_and_the_authority,
    gets::a_session_that_is_lost_meanwhile_is_told_as_such,
    hops::up_to_three_hops_with_accounts_keys_and_pins_of_their_own,
    hops::a_refusal_names_the_hop_that_made_it,
    hops::a_hop_that_freezes_ends_the_session_in_time,
    after_login::no_session_at_all,
    after_login::no_sftp_subsystem,
    after_login::an_sftp_stream_that_somebody_else_writes_into,
    after_login::a_forced_command_speaks_in_place_of_sftp,
    after_login::a_shell_that_waits_is_told_from_a_command_that_is_slow,
    hop_refusals::a_hop_that_forbids_forwarding_is_told_from_one_that_cannot_connect,
    hop_refusals::a_target_that_cannot_be_reached_from_the_hop_is_not_blamed_on_forwarding,
    reach::what_does_not_answer_is_told_in_time,
    reach::cancelling_ends_at_once,
    reach::a_server_that_was_busy_gets_a_second_try,
    reach::only_the_host_that_is_meant_is_asked_to_let_in,
    reach::a_known_type_is_asked_for_and_a_pin_finds_its_key,
    reach::a_host_certificate_is_checked_and_does_not_spoil_plain_lines,
    reach::an_ipv6_address_is_reached_and_trusted_by_its_own_line,
);

// cargo sets both for every test: the only way to have a variable without `unsafe`.
const RIGHT: &str = "CARGO_PKG_NAME";
const WRONG: &str = "CARGO_PKG_VERSION";

fn begin() -> bool {
    lab::use_client(Client::Openssh);
    usable()
}

/// The login as an operator types it: by the alias of a file with these lines.
pub fn configured(lab: &Lab, login: &Login, lines: &str) -> Login {
    let path = lab.dir.join("ssh_config");
    let (port, known) = (lab.port, lab.dir.join("known_hosts").display().to_string());
    let text = format!(
        "IgnoreUnknown UseKeychain\nHost target-by-name\n  HostName 127.0.0.1\n  HostKeyAlias [127.0.0.1]:{port}\n  Port {port}\n{}",
        lines.replace("{known}", &known)
    );
    std::fs::write(&path, text).unwrap();
    Login {
        address: "target-by-name".into(),
        port: 22,
        ssh_config: Some(SshConfig {
            written: path.display().to_string(),
            path,
            alias: "target-by-name".into(),
            ..SshConfig::default()
        }),
        ..login.clone()
    }
}

#[tokio::test]
async fn a_shell_that_is_killed_gives_no_output() {
    if !begin() {
        return;
    }
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    assert!(session.greeting().client.starts_with("OpenSSH_"));
    let killed = session
        .run(&shell("echo half; kill -9 $PPID"), AMPLE)
        .await
        .unwrap_err();
    assert_eq!(killed.kind, K::Io, "{killed}");
    // ssh ends with 255 when the connection is lost, and here because the command does.
    let output = session.run(&shell("exit 255"), AMPLE).await.unwrap();
    assert_eq!(output.status, 255);
    assert!(!session.is_dead());
}

#[tokio::test]
async fn keys_and_what_is_wrong_with_them() {
    if !begin() {
        return;
    }
    let lab = Lab::new();
    keygen(&lab.dir.join("locked"), "ed25519", "gonogo");
    keygen(&lab.dir.join("stranger"), "ed25519", "");
    lab.authorize(
        OPS,
        &format!("{}{}", lab.public("user"), lab.public("locked")),
    );
    let key = |name: &str, env: Option<&str>| Auth::Key {
        path: lab.dir.join(name),
        certificate: None,
        passphrase_env: env.map(str::to_owned),
    };
    let mut login = lab.login(OPS);
    login.auth = vec![key("locked", Some(RIGHT))];
    let session = connect(&login)
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(session.greeting().method, "publickey");
    login.auth = vec![key("stranger", None), key("user", None)];
    connect(&login)
        .await
        .unwrap_or_else(|failure| panic!("the second: {failure}"));
    for (name, env, words) in [
        ("locked", Some(WRONG), "does not open"),
        ("locked", None, "is encrypted"),
        ("locked", Some("GONOGO_NO_SUCH_VARIABLE"), "not set"),
        ("absent", None, "No such file"),
        ("stranger", None, "Permission denied"),
    ] {
        login.auth = vec![key(name, env)];
        let failure = connect(&login).await.err().unwrap();
        assert_eq!(failure.kind, K::Auth, "{name}: {failure}");
        let names_it = failure
            .actual
            .contains(&lab.dir.join(name).display().to_string());
        assert!(names_it || words == "not set", "{failure}");
        assert!(failure.actual.contains(words), "{words}: {failure}");
        assert!(
            !failure.actual.contains("/gng-"),
            "a name of ours: {failure}"
        );
    }
    login.auth = vec![key("user", None)];
    login.user = "gonogo-no-such-account".into();
    assert_eq!(connect(&login).await.err().unwrap().kind, K::Auth);
}

#[tokio::test]
async fn a_password_is_given_once_and_where_it_is_asked_for() {
    if !begin() {
        return;
    }
    let lab = Lab::with("PasswordAuthentication yes\nAuthenticationMethods publickey,password");
    let mut login = lab.login(TWO);
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(failure.kind, K::Auth);
    assert!(
        failure.hint.contains("a first factor was accepted"),
        "{}",
        failure.hint
    );
    let hash = sh("openssl", &["passwd", "-6", "gonogo"]);
    sh("usermod", &["-p", hash.trim(), TWO]);
    login.auth.push(Auth::Password { env: RIGHT.into() });
    let both = connect(&login)
        .await
        .map(|session| session.greeting().method.clone());
    login.auth[1] = Auth::Password { env: WRONG.into() };
    let wrong = connect(&login).await.err();
    let tries = lab.log().matches("Failed password for gngt-two").count();
    sh("usermod", &["-p", "*", TWO]);
    assert_eq!(
        both.unwrap_or_else(|failure| panic!("{failure}")),
        "password"
    );
    assert_eq!(wrong.unwrap().kind, K::Auth);
    assert_eq!(tries, 1, "{}", lab.log());
}

#[tokio::test]
async fn the_operators_proxy_command_and_jump_host_are_taken_and_checks_stay_strict() {
    if !begin() {
        return;
    }
    let (bastion, lab) = (Lab::new(), Lab::new());
    let path = lab.file("f", &vec![7; 3 << 20]);
    let b = &bastion.dir;
    let way = format!(
        "-F none -i {}/user -o IdentitiesOnly=yes -o UserKnownHostsFile={}/known_hosts -p {} {TWO}@127.0.0.1",
        b.display(),
        b.display(),
        bastion.port
    );
    let proxy = format!("  ProxyCommand ssh -W %h:%p {way}\n");
    let jump = format!(
        "  ProxyJump jump\nHost jump\n  HostName 127.0.0.1\n  Port {}\n  User {TWO}\n  IdentityFile {}/user\n  \
         UserKnownHostsFile {}/known_hosts\n",
        bastion.port,
        b.display(),
        b.display()
    );
    let weak = "  UseKeychain yes\n  StrictHostKeyChecking no\n  NoHostAuthenticationForLocalhost yes\n  PermitLocalCommand yes\n  \
                LocalCommand touch {known}.ran\n  ForwardAgent yes\n  RequestTTY force\n  RemoteCommand id\n  \
                LocalForward 127.0.0.1:1 127.0.0.1:1\n";
    for lines in [proxy, jump] {
        let before = bastion.log().matches("direct-tcpip").count();
        let login = configured(&lab, &lab.login(OPS), &format!("{weak}{lines}"));
        let session = connect(&login)
            .await
            .unwrap_or_else(|failure| panic!("{failure}: {lines}"));
        let output = session.run(&shell("id -un"), AMPLE).await.unwrap();
        assert_eq!(output.stdout, b"gngt-ops\n");
        assert_eq!(fetch(&*session, &path).await.unwrap().0.bytes, 3 << 20);
        assert!(
            bastion.log().matches("direct-tcpip").count() > before,
            "by the bastion"
        );
        session.close().await;
        lab.trust("");
        let failure = connect(&login).await.err().unwrap();
        assert_eq!(failure.kind, K::HostKey, "{failure}");
        lab.trust(&lab.host_line("host"));
    }
    assert!(
        !lab.dir.join("known_hosts.ran").exists(),
        "nothing of the operator's is run"
    );
    let broken = configured(
        &lab,
        &lab.login(OPS),
        "  ProxyCommand sh -c 'echo no token >&2; exit 1'\n",
    );
    let failure = connect(&broken).await.err().unwrap();
    assert_eq!(failure.kind, K::Unreachable);
    assert!(failure.actual.contains("no token"), "{failure}");
    assert!(failure.hint.contains("ProxyCommand"), "{}", failure.hint);
    let wrong = configured(&lab, &lab.login(OPS), "  NoSuchOption yes\n");
    let failure = connect(&wrong).await.err().unwrap();
    assert!(failure.actual.contains("nosuchoption"), "{failure}");
}

#[tokio::test]
async fn old_algorithms_are_told_and_can_be_allowed() {
    if !begin() {
        return;
    }
    let lab = Lab::with("KexAlgorithms diffie-hellman-group14-sha1");
    let failure = connect(&lab.login(OPS)).await.err().unwrap();
    assert_eq!(failure.kind, K::Unreachable);
    assert!(
        failure.actual.contains("diffie-hellman-group14-sha1"),
        "{failure}"
    );
    assert!(
        failure.hint.contains("KexAlgorithms +NAME"),
        "{}",
        failure.hint
    );
    let allowed = "  KexAlgorithms +diffie-hellman-group14-sha1\n";
    let login = configured(&lab, &lab.login(OPS), allowed);
    let session = connect(&login)
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(session.greeting().kex, "diffie-hellman-group14-sha1");
}

/// A connection that a person opened, with a key that no inventory names.
pub struct Person {
    socket: PathBuf,
    ssh: Child,
    pub lines: String,
}

impl Person {
    pub fn opens(lab: &Lab, control_path: &str) -> Self {
        keygen(&lab.dir.join("token"), "ed25519", "");
        lab.authorize(OPS, &lab.public("token"));
        let at = lab.dir.display();
        let socket = control_path
            .replace("%r", OPS)
            .replace("%h", "127.0.0.1")
            .replace("%p", &lab.port.to_string());
        let socket = lab.dir.join(socket);
        let ssh = Command::new("ssh")
            .args(["-F", "none", "-M", "-N", "-T", "-p", &lab.port.to_string()])
            .args(["-o", &format!("UserKnownHostsFile={at}/known_hosts")])
            .args(["-o", "IdentitiesOnly=yes", "-i", &format!("{at}/token")])
            .args(["-S", &socket.display().to_string()])
            .arg(format!("{OPS}@127.0.0.1"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !socket.exists() {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "no control socket"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            lines: format!("  ControlPath {at}/{control_path}\n  IdentityFile none\n"),
            socket,
            ssh,
        }
    }

    fn is_there(&self) -> bool {
        let socket = self.socket.display().to_string();
        let asked = Command::new("ssh")
            .args(["-F", "none", "-O", "check", "-S", &socket, "x"])
            .output();
        asked.unwrap().status.success()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.ssh.kill();
        let _ = self.ssh.wait();
    }
}

#[tokio::test]
async fn a_persons_control_socket_is_used_and_left_open() {
    if !begin() {
        return;
    }
    let lab = Lab::new();
    let path = lab.file("f", b"content");
    let mut login = lab.login(OPS);
    login.auth.clear();
    let person = Person::opens(&lab, "cm-%r@%h:%p");
    let login = configured(&lab, &login, &person.lines);
    let logins = || lab.log().matches("Accepted publickey").count();
    let before = logins();
    let session = connect(&login)
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    let greeting = session.greeting().clone();
    assert_eq!(greeting.method, "control socket");
    let print = sh(
        "ssh-keygen",
        &["-lf", &lab.dir.join("host.pub").display().to_string()],
    );
    assert_eq!(Some(&*greeting.host_key), print.split(' ').nth(1));
    let output = session.run(&shell("id -un"), AMPLE).await.unwrap();
    assert_eq!(output.stdout, b"gngt-ops\n");
    assert_eq!(fetch(&*session, &path).await.unwrap().1, b"content");
    let limits = within(Duration::from_secs(1));
    let late = session.run(&shell("sleep 71.4711"), limits).await;
    assert_eq!(late.unwrap_err().kind, K::Timeout);
    assert!(!still_runs("sleep 71.4711", Duration::from_secs(5)));
    drop(session);
    let session = connect(&login).await.unwrap();
    session.close().await;
    drop(session);
    assert!(person.is_there(), "it is never closed");
    assert_eq!(logins(), before, "nobody else logged in");
    // The host has to be proven although the connection is there.
    keygen(&lab.dir.join("other"), "ed25519", "");
    lab.trust(&lab.host_line("other"));
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(failure.kind, K::HostKey, "{failure}");
    assert!(failure.hint.contains("control socket"), "{}", failure.hint);
    lab.trust(&lab.host_line("host"));
    let session = connect(&login).await.unwrap();
    drop(person);
    let lost = session.run(&shell("true"), AMPLE).await.unwrap_err();
    assert_eq!(lost.kind, K::Unreachable, "{lost}");
    assert!(session.is_dead());
    let failure = connect(&login).await.err().unwrap();
    assert_eq!(
        failure.kind,
        K::Auth,
        "without it there is no way in: {failure}"
    );
}

#[tokio::test]
async fn a_control_socket_that_may_be_anybodys_is_refused() {
    if !begin() {
        return;
    }
    for path in ["cm-%h:%p", "cm-%r@%h", "cm-%r:%p"] {
        let lab = Lab::new();
        let mut login = lab.login(OPS);
        login.auth.clear();
        let person = Person::opens(&lab, path);
        let failure = connect(&configured(&lab, &login, &person.lines))
            .await
            .err()
            .unwrap();
        assert_eq!(failure.kind, K::Auth, "{path}: {failure}");
        assert!(failure.hint.contains("%C"), "{path}: {}", failure.hint);
        assert!(person.is_there());
    }
}

// Run again as a child by the test below, with a temporary directory of its own.
#[tokio::test]
async fn leaving_child() {
    let Ok(how) = std::env::var("GONOGO_LEAVES") else {
        return;
    };
    lab::use_client(Client::Openssh);
    let read = |name: &str| std::env::var(name).unwrap();
    let dir = PathBuf::from(read("GONOGO_LAB"));
    let mut login = super::reach::anywhere("127.0.0.1", read("GONOGO_PORT").parse().unwrap());
    login.user = OPS.into();
    login.host_key = None;
    login.connect_timeout = Duration::from_secs(20);
    login.known_hosts = vec![dir.join("known_hosts")];
    login.auth = vec![Auth::Key {
        path: dir.join("user"),
        certificate: None,
        passphrase_env: None,
    }];
    let mut hop = login.clone();
    hop.user = TWO.into();
    login.via = vec![hop];
    let session = connect(&login).await.unwrap();
    let sleep = shell("sleep 72.4711");
    match how.as_str() {
        "close" => session.close().await,
        "drop" => drop(session),
        "deadline" => {
            let limits = within(Duration::from_millis(300));
            session.run(&sleep, limits).await.unwrap_err();
        }
        _ => {
            let told = dir.join("running");
            let wait = async {
                // The command is on its way by then; what matters is that it runs.
                tokio::time::sleep(Duration::from_millis(700)).await;
                std::fs::write(told, "").unwrap();
            };
            let _ = tokio::join!(session.run(&sleep, AMPLE), wait);
        }
    }
}

#[test]
fn no_process_is_left_however_gonogo_goes() {
    if !usable() {
        return;
    }
    let lab = Lab::new();
    for how in ["close", "drop", "deadline", "kill -9"] {
        let place = tempfile::Builder::new().prefix("ggn").tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "transport::openssh::leaving_child"])
            .env("TMPDIR", place.path())
            .env("GONOGO_LEAVES", how)
            .env("GONOGO_LAB", &lab.dir)
            .env("GONOGO_PORT", lab.port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let running = lab.dir.join("running");
        let started = Instant::now();
        if how == "kill -9" {
            while !Path::new(&running).exists() {
                assert!(started.elapsed() < Duration::from_secs(30), "it never ran");
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(still_runs("sleep 72.4711", Duration::ZERO), "on the server");
            let at = place.path().display().to_string();
            assert!(still_runs(&at, Duration::ZERO), "and on this side");
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            assert!(child.wait().unwrap().success(), "{how}");
        }
        let at = place.path().display().to_string();
        assert!(
            !still_runs(&at, Duration::from_secs(5)),
            "{how}: a process of ours stays"
        );
        assert!(
            !still_runs("sleep 72.4711", Duration::from_secs(5)),
            "{how}: on the server"
        );
        while !lab.children().is_empty() {
            assert!(
                started.elapsed() < Duration::from_secs(40),
                "{how}: a session stays"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = std::fs::read_dir(place.path()).unwrap().count();
        assert!(how != "close" || left == 0, "{how}: files stay");
    }
}
