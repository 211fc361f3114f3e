//! Names that a run knows of: its hosts, accounts, people and contracts, and the words of the instance itself.

use super::Order;
use crate::redaction::Known;

/// What the run itself knows of names.
pub(super) fn known(order: &Order<'_>, instance: &str, product: &str) -> Known {
    let mut known = Known {
        canaries: order.canaries.clone(),
        ..Known::default()
    };
    for host in &order.report.hosts {
        let said = [
            Some(&host.name),
            host.identity.hostname.as_ref(),
            host.identity.machine_id.as_ref(),
        ];
        known.hosts.extend(said.into_iter().flatten().cloned());
        if let Some((address, _)) = host.address.rsplit_once(':') {
            known
                .hosts
                .insert(address.trim_matches(['[', ']']).to_owned());
        }
    }
    known.hosts.extend(order.names.iter().cloned());
    known.hosts.insert(order.report.run.runner.clone());
    known.users.insert(order.report.run.operator.clone());
    for host in &order.inventory.hosts {
        known.hosts.insert(host.address.clone());
        for team in &order.inventory.teams {
            if let Some(login) = order.inventory.login(&host.name, &team.name) {
                known.users.insert(login.user.clone());
            }
        }
    }
    for vendor in &order.inventory.vendors {
        for contact in &vendor.contacts {
            let said = [
                Some(&contact.name),
                contact.email.as_ref(),
                contact.phone.as_ref(),
            ];
            known.contacts.extend(said.into_iter().flatten().cloned());
        }
        let contract = vendor
            .contract
            .iter()
            .filter_map(|contract| contract.id.clone());
        known.contacts.extend(contract);
    }
    for check in &order.report.checks {
        known
            .versions
            .extend(check.evidence.iter().filter_map(|one| one.version.clone()));
    }
    let words = [instance, product, "gonogo"].map(str::to_owned);
    known.protected.extend(words);
    known.protected.extend(
        order
            .inventory
            .instance(instance)
            .and_then(|one| one.expect_name.clone()),
    );
    // A host that is called like the instance stays: the request is about it.
    known
        .hosts
        .retain(|host| !host.is_empty() && host != "localhost");
    known.users.retain(|user| !user.is_empty());
    known
}
