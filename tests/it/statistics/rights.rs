//! The rights that a plan prints are enough for a copy on the host, and for nothing beside it.

use super::*;

#[test]
fn the_printed_rights_are_enough_for_a_copy() {
    if needs_root("the_printed_rights_are_enough_for_a_copy") {
        return;
    }
    for road in ["copy", "vacuum-into"] {
        let estate = Estate::new();
        let shut = estate.host.inside(&format!(
            "chmod -R g-rwx {} && echo 127.0.0.1 ny4-1 >>/etc/hosts",
            estate.orders.home
        ));
        assert!(shut.status.success(), "{shut:?}");
        let identity = json!({"hostname": "ny4-1", "machine_id": estate.host.machine_id});
        let elevate = |inventory: &mut Value| {
            inventory["hosts"]["ny4-1"]["identity"] = identity.clone();
            inventory["teams"][OPERATIONS.team]["elevate"] = json!({"sudo": SERVICE.login()});
        };
        let take = estate.take(road);
        assert_eq!(estate.judge_with(&take, elevate).code(), 1);
        let plan = ["plan", "-i", "inventory.yaml", "features"];
        let rules = estate
            .lab
            .run(&[&plan[..], &["--sudoers", OPERATIONS.team]].concat());
        assert_eq!(rules.status.code(), Some(0), "{rules:?}");
        fs::write(estate.host.path("rules"), &rules.stdout).unwrap();
        let file = estate.host.path("rules").display().to_string();
        let installed = estate.host.inside(&format!(
            "visudo -cf {file} && install -m 0440 {file} /etc/sudoers.d/gonogo-operations"
        ));
        assert!(installed.status.success(), "{installed:?}");
        let run = estate.judge_with(&take, elevate);
        run.assert_go(4);
        assert_eq!(evidence(&run)["method"], road);
        assert_eq!(estate.left(), Vec::<String>::new());
        // Nothing beside: another directory, another file, another statement.
        for line in [
            format!(
                "rm -f -- {0}/gonogo-aB3dE6gH9k/copy.db {0}/gonogo-aB3dE6gH9k/copy.db-wal /etc/passwd",
                estate.directory()
            ),
            format!("rmdir -- {}/gonogo-aB3dE6gH9", estate.directory()),
            format!("rmdir -- {}/gonogo-../../../tmp", estate.directory()),
            "mktemp -d -- /var/tmp/gonogo-XXXXXXXXXX".to_owned(),
            format!(
                "cp -- /etc/shadow {}/gonogo-aB3dE6gH9k/copy.db",
                estate.directory()
            ),
        ] {
            let asked = estate.lab.ssh(
                &estate.host,
                OPERATIONS,
                &format!("sudo -n -l -u {} -- {line}", SERVICE.login()),
            );
            assert!(!asked.status.success(), "{line}");
        }
    }
}

#[test]
fn the_printed_script_is_enough_for_a_copy() {
    if needs_root("the_printed_script_is_enough_for_a_copy") {
        return;
    }
    for road in ["copy", "vacuum-into"] {
        let estate = Estate::with(|lab| {
            let host = lab.host("ny4-1");
            host.start()
        });
        let mut inventory = estate.lab.inventory();
        inventory["products"]["amps"]["artifacts"]["statistics"]["take"] = estate.take(road);
        inventory["teams"][OPERATIONS.team]["transport"] = "exec".into();
        estate.lab.write_inputs(&inventory);
        let plan = ["plan", "-i", "inventory.yaml", "features"];
        let script = estate
            .lab
            .run(&[&plan[..], &["--forced-command", OPERATIONS.team]].concat());
        assert_eq!(script.status.code(), Some(0), "{script:?}");
        let file = estate.host.path("forced");
        fs::write(&file, &script.stdout).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let keys = estate.host.path("keys").join(OPERATIONS.login());
        let key = fs::read_to_string(&keys).unwrap();
        fs::write(
            &keys,
            format!("restrict,command=\"{}\" {key}", file.display()),
        )
        .unwrap();
        let run = estate.lab.judge_as_written();
        run.assert_go(4);
        assert_eq!(evidence(&run)["method"], road);
        assert_eq!(estate.left(), Vec::<String>::new());
        for line in ["rmdir -- /tmp/x", "id"] {
            let asked = estate.lab.ssh(&estate.host, OPERATIONS, line);
            assert_eq!(asked.status.code(), Some(126), "{asked:?}");
        }
    }
}
