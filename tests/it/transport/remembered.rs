//! What a run remembers of a refusal holds for the login that was refused, and for no other.

use std::time::Duration;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Login;
use gonogo::transport::Ways;

use super::lab::{Lab, OPS, TWO, connect_by, usable};

fn hop(lab: &Lab, name: &str) -> Login {
    let mut login = lab.login(TWO);
    login.host = name.into();
    login
}

#[tokio::test]
async fn a_refusal_by_one_way_says_nothing_of_another() {
    if !usable() {
        return;
    }
    let (one, two, target) = (Lab::new(), Lab::new(), Lab::new());
    let ways = Ways::default();
    let by = |hop: Login| Login {
        via: vec![hop],
        ..target.login(OPS)
    };
    let (first, second) = (by(hop(&one, "one")), by(hop(&two, "two")));
    let again = Login {
        team: "market data".into(),
        ..first.clone()
    };
    target.authorize(OPS, "");
    assert_eq!(connect_by(&ways, &first).await.err().unwrap().kind, K::Auth);
    // As with `from=`: the target lets in what comes by the second bastion.
    target.authorize(OPS, &target.public("user"));
    let failure = connect_by(&ways, &again).await.err().unwrap();
    assert_eq!(failure.kind, K::Auth, "one attempt by one way: {failure}");
    connect_by(&ways, &second).await.unwrap();
}

#[tokio::test]
async fn who_has_more_time_for_a_hop_asks_it_again() {
    if !usable() {
        return;
    }
    let (bastion, target) = (Lab::new(), Lab::new());
    let ways = Ways::default();
    let within = |seconds: u64| {
        let mut hop = hop(&bastion, "bastion");
        hop.connect_timeout = Duration::from_secs(seconds);
        Login {
            via: vec![hop],
            ..target.login(OPS)
        }
    };
    bastion.signal("STOP");
    let late = connect_by(&ways, &within(1)).await.err().unwrap();
    assert_eq!(late.kind, K::Unreachable, "{late}");
    bastion.signal("CONT");
    let same = connect_by(&ways, &within(1)).await.err().unwrap();
    assert_eq!(same, late, "asked once");
    connect_by(&ways, &within(30)).await.unwrap();
    // A refusal is no matter of time.
    let ways = Ways::default();
    bastion.authorize(TWO, "");
    let refused = connect_by(&ways, &within(20)).await.err().unwrap();
    assert_eq!(refused.kind, K::Auth);
    bastion.authorize(TWO, &bastion.public("user"));
    let failure = connect_by(&ways, &within(30)).await.err().unwrap();
    assert_eq!(failure.kind, K::Auth, "{failure}");
}
