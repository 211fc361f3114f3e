//! A plan that asks a web server of the host: `--authorized-keys` and `--sshd-match` open that way and no
//! other.

use std::net::SocketAddr;

use serde_json::json;

use super::{authorize, install_script, printed, text};
use crate::gets::{Admin, edit, write};
use crate::lab::{Host, Lab, OPERATIONS, needs_root};

fn reaches(lab: &Lab, host: &Host, address: &str) -> bool {
    let way = lab.ssh_with(&["-W", address], host, OPERATIONS, "");
    // Neither was asked anything: a web server closes, and sshd greets.
    !text(&way.stderr).contains("open failed") && !text(&way.stderr).contains("forwarding failed")
}

fn inputs(lab: &Lab, admin: SocketAddr, transport: &str) {
    write(lab, |inventory| {
        edit(inventory, admin.port());
        let team = &mut inventory["teams"][OPERATIONS.team];
        match transport {
            "installed ssh" => team["client"] = json!("openssh"),
            transport => team["transport"] = json!(transport),
        }
        if transport == "sftp" {
            let version = &mut inventory["products"]["amps"]["artifacts"]["version"];
            *version = json!({"kind": "version", "path": "{home}/VERSION", "match": "\\d+\\.\\d+\\.\\d+\\.\\d+"});
        }
    });
}

#[test]
fn the_port_is_open_to_the_account_and_its_neighbours_are_not() {
    if needs_root("the_port_is_open_to_the_account_and_its_neighbours_are_not") {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("ny4-1").start();
    let orders = lab.amps("orders", &host);
    orders.stop_writer();
    orders.give_away();
    host.own_usr_local();
    let config = "<AMPSConfig><Name>orders</Name></AMPSConfig>\n";
    let (admin, neighbour) = (Admin::says("200 OK", config), Admin::says("200 OK", config));
    let way = admin.address.to_string();
    let others = [
        neighbour.address.to_string(),
        host.address.to_string(),
        format!("localhost:{}", admin.address.port()),
    ];
    let all = others.iter().chain([&way]);
    assert!(
        all.clone().all(|address| reaches(&lab, &host, address)),
        "{}",
        host.log()
    );
    for transport in ["sftp", "auto", "installed ssh"] {
        inputs(&lab, admin.address, transport);
        if transport != "sftp" {
            install_script(&lab, &host);
        }
        let keys = std::fs::read_to_string(host.path("keys").join(OPERATIONS.login())).unwrap();
        let lines = printed(&lab, "--authorized-keys");
        let opens = format!(
            "restrict,port-forwarding,permitopen=\"{way}\",permitlisten=\"127.0.0.1:1\",command="
        );
        assert!(lines.contains(&opens), "{lines}");
        authorize(&host, OPERATIONS, &lines);
        lab.judge_as_written().assert_go(6);
        for other in &others {
            assert!(
                !reaches(&lab, &host, other),
                "{transport}: {other}: {}",
                host.log()
            );
        }
        assert!(reaches(&lab, &host, &way));
        authorize(&host, OPERATIONS, &keys);

        let block = printed(&lab, "--sshd-match");
        let opens = format!("    AllowTcpForwarding local\n    PermitOpen {way}\n");
        assert!(block.contains(&opens), "{block}");
        host.reconfigure(&block);
        lab.judge_as_written().assert_go(6);
        for other in &others {
            assert!(
                !reaches(&lab, &host, other),
                "{transport}: {other}: {}",
                host.log()
            );
        }
        host.reconfigure("");
    }
    // Without a word for it, the same plan is NO-GO in those checks alone.
    host.reconfigure(&format!(
        "Match User {}\n    AllowTcpForwarding no\n",
        OPERATIONS.login()
    ));
    let run = lab.judge_as_written();
    let denied = ["running configuration", "once more"];
    run.assert_only(&denied.map(|scenario| ("orders", OPERATIONS.team, scenario, "denied")));
    let check = run.check("orders", OPERATIONS.team, denied[0]);
    let hint = check["failure"]["hint"].as_str().unwrap();
    assert!(hint.contains(&format!("PermitOpen {way}")), "{hint}");
    assert!(
        neighbour.asked().iter().all(String::is_empty),
        "{:?}",
        neighbour.asked()
    );
}
