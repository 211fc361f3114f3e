//! The proof on real products: Debian's PostgreSQL, MariaDB, Redis, nginx and HAProxy run on a host of the
//! lab, and operations fetches their artifacts over SSH with the rights that their profiles name and no
//! more. Each fault turns exactly its own check to NO-GO; everything else of the same run stays GO. The
//! scenarios are those that are shipped in `products/`.

mod agreement;
mod haproxy;
mod mariadb;
mod nginx;
mod postgresql;
mod redis;
mod texts;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::lab::{Host, Lab, OPERATIONS, Run};

/// The team of every check here.
const OPS: &str = OPERATIONS.team;

/// One instance as the inventory has it.
struct Instance {
    name: &'static str,
    product: &'static str,
    host: String,
    vars: Value,
    version: String,
}

/// The version of a Debian package, without epoch and Debian's own revision.
fn packaged(host: &Host, package: &str) -> String {
    let whole = host.root(&format!("dpkg-query -W -f '${{Version}}' {package}"));
    let version = whole.rsplit(':').next().unwrap();
    version.split('-').next().unwrap().to_owned()
}

/// Runs the shipped scenarios of each product that is there, the inventory edited first.
fn judge_with(lab: &Lab, instances: &[&Instance], edit: impl FnOnce(&mut Value)) -> Run {
    let mut inventory = lab.inventory();
    // The built-in profiles as they are.
    inventory["products"] = json!({});
    for instance in instances {
        inventory["instances"][instance.name] = json!({
            "product": instance.product,
            "host": instance.host,
            "teams": [OPS],
            "vars": instance.vars,
            "expect": {"version": instance.version},
        });
    }
    edit(&mut inventory);
    lab.write_inputs(&inventory);
    let features = lab.operator().join("features");
    fs::remove_dir_all(&features).unwrap();
    fs::create_dir(&features).unwrap();
    for instance in instances {
        let file = format!("{}.feature", instance.product);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("products");
        fs::copy(shipped.join(&file), features.join(&file)).unwrap();
    }
    lab.judge_as_written()
}

/// As [`judge_with`], the inventory as it is.
fn judge(lab: &Lab, instances: &[&Instance]) -> Run {
    judge_with(lab, instances, |_| ())
}

/// Faults that every product can have, each with all other checks of the run as twins: operations is
/// taken out of the group that may read the log, and another version is meant than the installed one.
fn faults_of_any_product(
    lab: &Lab,
    host: &Host,
    instance: &Instance,
    log: &str,
    edit: impl Fn(&mut Value),
) {
    let user = OPERATIONS.login();
    assert!(host.ops_can_read(log), "{log}: readable before");
    host.root(&format!("gpasswd -d {user} adm"));
    assert!(!host.ops_can_read(log), "{log}: still readable");
    let run = judge_with(lab, &[instance], &edit);
    run.assert_only(&[(instance.name, OPS, "event log", "denied")]);
    let told = hint(&run, instance.name, "event log");
    assert!(told.contains("adm"), "{told}");
    host.root(&format!("usermod -aG adm {user}"));

    let run = judge_with(lab, &[instance], |inventory| {
        edit(inventory);
        inventory["instances"][instance.name]["expect"]["version"] = "1.0.1".into();
    });
    run.assert_only(&[(instance.name, OPS, "version", "mismatch")]);
    let told = actual(&run, instance.name, "version");
    assert!(told.contains(&instance.version), "{told}");
}

/// The hint of the one check that failed so.
fn hint(run: &Run, instance: &str, scenario: &str) -> String {
    let failure = &run.check(instance, OPS, scenario)["failure"];
    failure["hint"].as_str().unwrap().to_owned()
}

/// What was met instead, of the one check that failed so.
fn actual(run: &Run, instance: &str, scenario: &str) -> String {
    let failure = &run.check(instance, OPS, scenario)["failure"];
    failure["actual"].as_str().unwrap().to_owned()
}

#[test]
fn the_example_is_a_plan_for_every_product() {
    let plan = std::process::Command::new(crate::lab::GONOGO)
        .args(["plan", "-i", "inventories/products.yaml", "products"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(plan.status.success(), "{plan:?}");
    let told = String::from_utf8(plan.stdout).unwrap();
    for feature in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("products")).unwrap() {
        let name = feature.unwrap().file_name().into_string().unwrap();
        assert!(told.contains(&name), "{name}: {told}");
    }
}
