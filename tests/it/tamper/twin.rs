//! What may be done to a run without harm: copied, packed and unpacked, put under version control, read by
//! others, with other times and modes.

use super::*;

fn sh(room: &Room, script: &str) {
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "60", "sh", "-ec", script]);
    let done = command.current_dir(room.lab.operator()).output().unwrap();
    assert!(done.status.success(), "{script}: {done:?}");
}

#[test]
fn a_run_outlives_every_honest_journey() {
    let room = Room::new();
    let run = room.go.file_name().unwrap().to_str().unwrap().to_owned();
    for (journey, place) in [
        ("cp -r RUN 1", "1"),
        ("cp -a RUN 2 && find 2 -exec touch -d 2001-02-03 {} +", "2"),
        ("cp -a RUN 3 && chmod -R a-w,a+rX 3", "3"),
        ("mkdir 4 && tar -cf - RUN | tar -xf - -C 4", "4/RUN"),
        (
            "python3 -c 'import shutil; shutil.make_archive(\"5\", \"zip\", \".\", \"RUN\"); shutil.unpack_archive(\"5.zip\", \"5\")'",
            "5/RUN",
        ),
        (
            "git -c init.defaultBranch=main init -q 6 && cp -a RUN 6 && cd 6 && git add -f . && git -c user.name=x -c user.email=x@x commit -qm x && cd .. && git -c core.autocrlf=false clone -q 6 7",
            "7/RUN",
        ),
        ("mv 1 8", "8"),
    ] {
        sh(&room, &journey.replace("RUN", &run));
        let dir = room.at(&place.replace("RUN", &run));
        let (code, told) = room.verify(&dir, &["--identity", "lab@gonogo"]);
        assert_eq!(code, 0, "{journey}: {told}");
        assert_eq!(room.stock(&dir, ""), [true; 3], "{journey}");
    }
}
