//! The right key over files that are not those of the drill.

use std::fs;
use std::path::Path;

use gonogo::report::drill::{Kept, Record, Step};
use serde_json::Value;

use super::{Forge, place, relink, swap};

/// The run's files.
fn kept(record: &mut Record) -> &mut Vec<Kept> {
    let at = place(record, "retrieval");
    match &mut record.entries[at].step {
        Step::Retrieval(step) => &mut step.files,
        _ => panic!("a retrieval"),
    }
}

/// The file of another step.
fn file<'a>(record: &'a mut Record, word: &str) -> &'a mut Kept {
    let at = place(record, word);
    match &mut record.entries[at].step {
        Step::Request(step) => &mut step.file,
        Step::Bundle(step) => &mut step.files[0],
        Step::Delivery(step) => &mut step.receipts[0],
        _ => panic!("{word}"),
    }
}

#[test]
fn files_that_are_not_those_of_the_drill_are_refused() {
    let forge = Forge::new();
    // Less than the run brought: in the report, and in the size that is told of it.
    forge.forged(
        "a retrieval of fewer bytes than the run's",
        &|record, dir| {
            swap(&mut kept(record)[2], dir, |bytes| {
                let mut report: Value = serde_json::from_slice(&bytes).unwrap();
                let checks = report["checks"].as_array_mut().unwrap();
                let found = checks
                    .iter_mut()
                    .find_map(|check| check["evidence"].get_mut(0));
                found.unwrap()["bytes"] = serde_json::json!(1);
                serde_json::to_vec_pretty(&report).unwrap()
            });
            relink(record);
        },
        &["its report.json is not the one that was signed"],
    );
    forge.forged(
        "a size that is told smaller",
        &|record, _| {
            kept(record)[2].bytes -= 1;
            relink(record);
        },
        &["is not the file that was noted"],
    );
    forge.forged(
        "a run that is called otherwise",
        &|record, _| {
            let at = place(record, "retrieval");
            if let Step::Retrieval(step) = &mut record.entries[at].step {
                "another".clone_into(&mut step.run);
            }
            relink(record);
        },
        &["it is another run than the one that was told"],
    );
    forge.forged(
        "a run without what its inventory needs",
        &|record, dir| {
            let dropped = kept(record).pop().unwrap();
            fs::remove_file(dir.join(dropped.name)).unwrap();
            relink(record);
        },
        &["of the run's inputs is missing"],
    );
    forge.forged(
        "another run's files",
        &|record, dir| {
            let from = dir.parent().unwrap().parent().unwrap().join("run-go");
            let names = ["SHA256SUMS", "SHA256SUMS.sig", "report.json"];
            for (file, name) in kept(record).iter_mut().zip(names) {
                swap(file, dir, |_| fs::read(from.join(name)).unwrap());
            }
            relink(record);
        },
        &["its SHA256SUMS is not the one that was told"],
    );
    // The request and the bundle.
    forge.forged(
        "a request with a blank",
        &|record, dir| {
            swap(file(record, "request"), dir, |_| {
                b"Version: 5.3.4.12 of orders\nImpact:\n".to_vec()
            });
            relink(record);
        },
        &["line 2, `Impact:`: nothing is said behind it"],
    );
    forge.forged(
        "a request of nothing",
        &|record, dir| {
            swap(file(record, "request"), dir, |_| b"hello\n".to_vec());
            relink(record);
        },
        &["names no instance of the run"],
    );
    let handed = |record: &mut Record, dir: &Path, bytes: Vec<u8>| {
        swap(file(record, "bundle"), dir, |_| bytes);
        let digest = file(record, "bundle").sha256.clone();
        swap(file(record, "delivery"), dir, |receipt| {
            let mut receipt: Value = serde_json::from_slice(&receipt).unwrap();
            receipt["sha256"] = digest.clone().into();
            receipt.to_string().into_bytes()
        });
        let at = place(record, "delivery");
        if let Step::Delivery(step) = &mut record.entries[at].step {
            step.sha256 = vec![digest];
        }
    };
    forge.forged(
        "a bundle of something else",
        &|record, dir| {
            handed(record, dir, b"all the evidence".to_vec());
            relink(record);
        },
        &["says nothing of a run"],
    );
    forge.forged(
        "a bundle of another run, as of this one",
        &|record, dir| {
            let root = dir.parent().unwrap().parent().unwrap();
            // The second drill's was made last.
            handed(record, dir, fs::read(root.join("bundle.tar.zst")).unwrap());
            relink(record);
        },
        &["the bundle says something else of itself than was noted"],
    );
    forge.forged(
        "a bundle of which nothing is told",
        &|record, _| {
            let at = place(record, "bundle");
            if let Step::Bundle(step) = &mut record.entries[at].step {
                step.said.clear();
            }
            relink(record);
        },
        &["the bundle says something else of itself than was noted"],
    );
    forge.forged(
        "a reviewer who was none",
        &|record, _| {
            let at = place(record, "bundle");
            if let Step::Bundle(step) = &mut record.entries[at].step {
                "Mallory".clone_into(&mut step.said[0].reviewed_by);
            }
            relink(record);
        },
        &["the bundle says something else of itself than was noted"],
    );
    forge.forged(
        "a receipt that says no delivery",
        &|record, dir| {
            swap(file(record, "delivery"), dir, |receipt| {
                String::from_utf8(receipt)
                    .unwrap()
                    .replace("\"delivered\"", "\"refused\"")
                    .into_bytes()
            });
            relink(record);
        },
        &["the receipt's outcome is `refused`"],
    );
}
