//! `--sudoers`: each planned command is allowed, none of its neighbours is.

use std::fs;

use serde_json::{Value, json};

use super::{asked, authorize, install_script, printed, text};
use crate::lab::{Host, Lab, OPERATIONS, SERVICE, needs_root};

/// Which of these shell lines sudo allows the account.
fn allowed(lab: &Lab, host: &Host, lines: &[String]) -> Vec<bool> {
    if lines.len() > 200 {
        // A command line has its limits.
        let (some, others) = lines.split_at(200);
        return [allowed(lab, host, some), allowed(lab, host, others)].concat();
    }
    let script: String = lines
        .iter()
        .map(|line| {
            let list = line.replacen("sudo -n ", "sudo -n -l ", 1);
            format!("{list} >/dev/null 2>&1; echo $?\n")
        })
        .collect();
    let told = lab.ssh(host, OPERATIONS, &script);
    let told: Vec<bool> = text(&told.stdout).lines().map(|line| line == "0").collect();
    assert_eq!(told.len(), lines.len());
    told
}

#[test]
fn the_plan_is_go_with_the_printed_rules_and_nothing_else_is_allowed() {
    if needs_root("the_plan_is_go_with_the_printed_rules_and_nothing_else_is_allowed") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    // Nobody but the service reads them now.
    // sudo asks for the host's own address, which no server of names here knows.
    let shut = host.inside(&format!(
        "chmod -R g-rwx {} && echo 127.0.0.1 ny4-1 >>/etc/hosts",
        orders.home
    ));
    assert!(shut.status.success(), "{shut:?}");
    assert!(!OPERATIONS.can_read(&orders.path("stats.db")));
    let elevate = |inventory: &mut Value| {
        inventory["hosts"]["ny4-1"]["identity"] =
            json!({"hostname": "ny4-1", "machine_id": host.machine_id});
        inventory["teams"][OPERATIONS.team]["elevate"] = json!({"sudo": SERVICE.login()});
    };
    let before = lab.judge_with(elevate);
    assert_eq!(before.code(), 1, "{}", before.told());
    assert!(
        before
            .failures()
            .iter()
            .all(|told| told.contains("elevate")),
        "{:?}",
        before.failures()
    );

    let rules = printed(&lab, "--sudoers");
    fs::write(host.path("rules"), &rules).unwrap();
    let rules_file = host.path("rules");
    let rules_file = rules_file.display();
    let installed = host.inside(&format!(
        "visudo -cf {rules_file} && install -m 0440 {rules_file} /etc/sudoers.d/gonogo-operations"
    ));
    assert!(installed.status.success(), "{installed:?}\n{rules}");
    lab.judge_as_written().assert_go(4);

    let plan = asked(&lab, &["--format", "json"]);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let execute = plan["visits"][0]["execute"].as_array().unwrap();
    let planned: Vec<String> = execute
        .iter()
        .map(|line| line.as_str().unwrap())
        .filter(|line| line.starts_with("sudo "))
        .map(|line| line.replace("SIZE", "10").replace('*', "a"))
        .collect();
    assert!(planned.len() > 10, "{plan:#}");
    let told = allowed(&lab, &host, &planned);
    for (line, allowed) in planned.iter().zip(told) {
        assert!(allowed, "planned and refused: {line}\n{rules}");
    }

    let home = &orders.home;
    let mut others = Vec::new();
    let (sudo, prefix) = (
        format!("sudo -n -u {} --", SERVICE.login()),
        format!("{home}/"),
    );
    for line in &planned {
        let command = line.strip_prefix(&sudo).unwrap();
        // More, less, as root, as nobody in particular, and by another way to the same file. A program is
        // the same by every path that leads to it: sudo compares the file itself.
        let (program, arguments) = command.trim_start().split_once(' ').unwrap();
        let other =
            |from: &str, to: &str| format!("{sudo} {program} {}", arguments.replace(from, to));
        others.extend([
            format!("{line} /etc/hostname"),
            format!("{line} ''"),
            line.rsplit_once(' ').unwrap().0.to_owned(),
            format!("sudo -n -u root --{command}"),
            format!("sudo -n --{command}"),
            other(&prefix, &format!("{home}/../orders/")),
            other(&prefix, &format!("{home}//")),
            other("-maxdepth 1", "-maxdepth 2"),
            other("-mindepth 1", "-mindepth 1 -delete"),
            line.replace("-- head -c", "-- tail -c"),
            line.replace("-- stat ", "-- /tmp/stat "),
        ]);
    }
    others.retain(|line| !planned.contains(line));
    for argument in [
        format!("{home}/logs/../stats.db"),
        format!("{home}/logs/.log"),
        format!("{home}/logs/..log"),
        format!("{home}/logs/x/a.log"),
        format!("{home}/logs/a.log b.log"),
        format!("'{home}/logs/a b.log'"),
        format!("{home}/logs/a.log shadow"),
        format!("{home}/logs/../../../../etc/shadow x.log"),
        format!("'{home}/logs/a.log\n/etc/shadow'"),
        format!("{home}/statsXdb"),
        format!("{home}/stats.db-shm"),
        "/etc/shadow".to_owned(),
    ] {
        others.push(format!("{sudo} head -c 10 -- {argument}"));
        others.push(format!("{sudo} stat -L -c %f/%s/%Y -- {argument}"));
    }
    for size in ["-1", "0", "010", "1k", "+1", "'1 --'", "''", "1 -v"] {
        others.push(format!("{sudo} head -c {size} -- {home}/stats.db"));
    }
    for command in ["hostname", "hostname x", "sh", "id", "sudoedit /etc/hosts"] {
        others.push(format!("{sudo} {command}"));
    }
    let told = allowed(&lab, &host, &others);
    let open: Vec<&String> = others
        .iter()
        .zip(told)
        .filter_map(|(line, open)| open.then_some(line))
        .collect();
    assert!(others.len() > 100, "{}", others.len());
    assert!(
        open.is_empty(),
        "allowed beside the plan: {open:#?}\n{rules}"
    );

    // Both kinds of rules together: the script lets through what sudo allows, and who the host is.
    host.own_usr_local();
    install_script(&lab, &host);
    authorize(&host, OPERATIONS, &printed(&lab, "--authorized-keys"));
    lab.judge_as_written().assert_go(4);
    let refused = lab.ssh(&host, OPERATIONS, &planned[0]);
    assert_eq!(refused.status.code(), Some(126), "{refused:?}");
    fs::copy(
        lab.path("operator/keys/operations.pub"),
        host.path("keys").join(OPERATIONS.login()),
    )
    .unwrap();

    // The twin: the wildcards of old would have let it through.
    let wide = format!(
        "{} ALL=({}) NOPASSWD: /usr/bin/head -c * -- {home}/logs/*.log*",
        OPERATIONS.login(),
        SERVICE.login()
    );
    let wide = host.inside(&format!("echo '{wide}' >/etc/sudoers.d/gonogo-operations"));
    assert!(wide.status.success(), "{wide:?}");
    let hole = format!("{sudo} head -c 10 -- {home}/logs/../../../../etc/shadow x.log");
    assert_eq!(allowed(&lab, &host, &[hole]), [true]);
}

/// One of each character that sudoers or its patterns take for themselves, and none that allows more.
#[test]
fn every_character_means_itself_alone() {
    if needs_root("every_character_means_itself_alone") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    lab.amps("orders", &host);
    let arguments = [
        "a,b:c=d",
        "*x?",
        "[yz]!",
        "\\0#e",
        "^f$(g)|h.i+",
        "\"q\"'r'~@%",
    ];
    let quoted: Vec<String> = arguments
        .iter()
        .map(|word| gonogo::transport::quoted(&[word]))
        .collect();
    let mut inventory = lab.inventory();
    inventory["teams"][OPERATIONS.team]["elevate"] = json!("sudo");
    let artifacts = &mut inventory["products"]["amps"]["artifacts"];
    let command = |words: &[&str]| json!({"kind": "other", "command": words});
    for (at, argument) in arguments.iter().enumerate() {
        artifacts[format!("one {at}")] = command(&["/usr/local/a,b:c=d#e/x", argument]);
        artifacts[format!("regex {at}")] = command(&["/usr/local/x", "^", argument]);
        let plain = argument.replace(['*', '?', '[', ']', '\\'], "+");
        let path = format!("/usr/local/{plain}/*.log");
        artifacts[format!("path {at}")] = json!({"kind": "other", "path": path});
    }
    lab.write_inputs(&inventory);
    let scenario = "
  Scenario: <instance> odd
    Given each instance
    When the team connects
";
    let steps: String = ["one", "regex", "path"]
        .iter()
        .flat_map(|kind| {
            (0..arguments.len())
                .map(move |at| format!("    Then artifact \"{kind} {at}\" can be retrieved\n"))
        })
        .collect();
    let feature = lab.path("operator/features/support.feature");
    let whole = fs::read_to_string(&feature).unwrap() + scenario + &steps;
    fs::write(&feature, whole).unwrap();
    let rules = printed(&lab, "--sudoers");
    let file = host.path("rules");
    fs::write(&file, &rules).unwrap();
    let file = file.display();
    let installed = host.inside(&format!(
        "echo 127.0.0.1 ny4-1 >>/etc/hosts; visudo -cf {file} && install -m 0440 {file} /etc/sudoers.d/gonogo-operations"
    ));
    assert!(installed.status.success(), "{installed:?}\n{rules}");
    // sudo allows only a program that exists.
    host.own_usr_local();
    for program in ["x", "a,b:c=d#e/x"] {
        let program = host.path("local").join(program);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::copy("/bin/true", program).unwrap();
    }
    let plan = asked(&lab, &["--format", "json"]);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let execute = plan["visits"][0]["execute"].as_array().unwrap();
    let planned: Vec<String> = execute
        .iter()
        .map(|line| line.as_str().unwrap())
        .filter(|line| line.starts_with("sudo ") && line.contains("/usr/local/"))
        .map(|line| line.replace("SIZE", "10").replace("/*.log", "/n.log"))
        .collect();
    assert!(planned.len() > 30, "{plan:#}");
    let told = allowed(&lab, &host, &planned);
    let shut: Vec<&String> = planned
        .iter()
        .zip(told)
        .filter_map(|(line, open)| (!open).then_some(line))
        .collect();
    assert!(shut.is_empty(), "planned and refused: {shut:#?}\n{rules}");
    // Each character by itself, replaced by another or left out: in arguments, and in paths of regular
    // expressions, where a quote within quotes would not be found again.
    let mut others = Vec::new();
    for (argument, quoted) in arguments.iter().zip(&quoted) {
        let path = argument.replace(['*', '?', '[', ']', '\\'], "+");
        for (whole, is_path) in [(*argument, false), (&path, true)] {
            for (at, c) in whole.char_indices() {
                for other in ["", "Z"] {
                    let mut changed = whole.to_owned();
                    changed.replace_range(at..at + c.len_utf8(), other);
                    let (from, to) = match is_path {
                        true => (
                            format!("/usr/local/{whole}/"),
                            format!("/usr/local/{changed}/"),
                        ),
                        false => (quoted.clone(), gonogo::transport::quoted(&[changed])),
                    };
                    let with = planned.iter().filter(|line| line.contains(&from));
                    others.extend(with.map(|line| line.replace(&from, &to)));
                }
            }
        }
    }
    others.retain(|line| !planned.contains(line));
    others.sort();
    others.dedup();
    assert!(others.len() > 300, "{}", others.len());
    let told = allowed(&lab, &host, &others);
    let open: Vec<&String> = others
        .iter()
        .zip(told)
        .filter_map(|(line, open)| open.then_some(line))
        .collect();
    assert!(
        open.is_empty(),
        "allowed beside the plan: {open:#?}\n{rules}"
    );
}
