//! Who cannot be told apart, in estates of more than two hosts.

use super::sample::{good, host, instance, other_types};
use super::*;

#[test]
fn what_cannot_be_told_apart_is_named_once() {
    let mut facts = good();
    other_types(&mut facts);
    for number in 3..6 {
        let mut more = host(&format!("ny4-{number}"), "");
        (more.machine_id, more.hostname) = (None, None);
        more.host_key_type = Some("ssh-rsa".into());
        facts.instances[1].host.clone_from(&more.name);
        let instance = Instance {
            name: format!("more-{number}"),
            ..facts.instances[1].clone()
        };
        facts.instances[1].host = "ny4-2".into();
        facts.hosts.push(more);
        facts.instances.push(instance);
    }
    // Only ny4-1 shows a key of another type; ny4-2 shows one of theirs, and stated its machine-id.
    let untold = machines::untold_apart(&facts);
    assert_eq!(untold.len(), 1);
    let names = "different machines: ny4-1, ny4-3, ny4-4 and 1 more (";
    assert!(untold[0].contains(names), "{untold:?}");
    for host in &mut facts.hosts {
        host.machine = Some("rack-7".into());
    }
    assert!(machines::untold_apart(&facts).is_empty());
}

#[test]
fn a_large_estate_is_judged_soon() {
    let mut facts = good();
    for number in 0..20_000 {
        let mut more = host(&format!("h{number}"), "");
        more.machine_id = None;
        more.hostname = [None, Some("amps".into())][number % 2].clone();
        more.host_key_type = Some(["ssh-rsa", "ssh-ed25519"][number / 2 % 2].into());
        let name = more.name.clone();
        facts.hosts.push(more);
        facts
            .instances
            .push(instance(&format!("i{number}"), &name, &["operations"]));
    }
    // Pair by pair this would take minutes.
    let begun = std::time::Instant::now();
    assert_eq!(machines::untold_apart(&facts).len(), 1);
    assert_eq!(machines::one_machine(&facts).len(), 1);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}
