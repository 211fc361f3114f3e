//! Hops that are another machine to one shard than to the next.

use super::*;
use crate::lab::{Balancer, needs_root};

fn keys(record: &Value) -> Vec<String> {
    let hosts = record["hosts"].as_array().unwrap();
    let bastion = hosts.iter().find(|host| host["name"] == "bastion").unwrap();
    // Nobody logged in there to look.
    assert_eq!(bastion["host_key"], Value::Null);
    let keys = bastion["as_hop"].as_array().into_iter().flatten();
    keys.map(|key| key["host_key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_hop_that_is_another_machine_in_another_shard_is_no_go() {
    if needs_root("a_hop_that_is_another_machine_in_another_shard_is_no_go") {
        return;
    }
    let sites = Sites::new();
    let [one, two] = ["bastion-1", "bastion-2"].map(|name| sites.lab.host(name).start());
    // One address, and in turn one machine behind it and the other.
    let balancer = Balancer::before(&[&one, &two], None);
    let write = |client: &str| {
        sites.write(|inventory| {
            for (host, _) in HOSTS {
                inventory["hosts"][host]["via"] = serde_json::json!(["bastion"]);
            }
            for name in ["bastion-1", "bastion-2"] {
                inventory["hosts"].as_object_mut().unwrap().remove(name);
            }
            let (ip, port) = (balancer.address.ip().to_string(), balancer.address.port());
            inventory["hosts"]["bastion"] = serde_json::json!({"address": ip, "port": port});
            inventory["ssh"]["client"] = serde_json::json!(client);
        });
        let known = fs::read_to_string(sites.at("known_hosts")).unwrap();
        let both = [&one, &two].map(|host| balancer.known_hosts_line(host));
        fs::write(sites.at("known_hosts"), known + &both.concat()).unwrap();
    };
    write("ssh2");
    let says = "shards met different machines: the host key of hop bastion is not the same in shards 1/2 and 2/2";
    for (out, which, key) in [
        ("s-1", "1/2", &one),
        ("s-2", "2/2", &two),
        ("same", "2/2", &one),
    ] {
        let who = if which == "1/2" { "ny4" } else { "ld5" };
        expect(&sites.shard(out, who, &["--shard", which]), 5, &[]);
        assert_eq!(keys(&sites.record(out)), [key.fingerprint()], "{out}");
    }
    expect(
        &sites.merge(&["s-1", "s-2"], "other", &[]),
        1,
        &["12 passed", says, "\nNO-GO\n"],
    );
    expect(&sites.verify("other", &[]), 1, &[says, "\nNO-GO\n"]);
    assert_eq!(keys(&sites.record("other")).len(), 2);
    expect(&sites.merge(&["s-1", "same"], "run", &[]), 0, &["\nGO\n"]);
    expect(&sites.verify("run", &[]), 0, &["\nGO\n"]);
    assert_eq!(keys(&sites.record("run")), [one.fingerprint()]);
    // The installed `ssh` tells it too; each of its sessions goes its own way there.
    write("openssh");
    let args = ["--shard", "1/2", "--instance", "engine-0"];
    for (number, key) in [(1, &two), (2, &one)] {
        let out = format!("ssh-{number}");
        expect(
            &sites.shard(&out, "ny4", &args),
            1,
            &["partial run", "4 passed"],
        );
        assert_eq!(keys(&sites.record(&out)), [key.fingerprint()], "{out}");
    }
}
