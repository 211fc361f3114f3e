//! Golden cases of the command line, one file a case: `tests/cmd/*.toml`. After a wanted change:
//! `TRYCMD=overwrite cargo test --test it cmd::`, then read the difference. It judges no server.

#[test]
fn golden_cases() {
    trycmd::TestCases::new()
        .default_bin_path(crate::lab::GONOGO)
        .case("tests/cmd/*.toml")
        .run();
}
