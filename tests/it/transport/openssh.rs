//! The same scenarios through the installed `ssh`, and what only that can do. Each of the first kind is
//! the other client's test, run with `client: openssh`.

use std::time::Duration;

use gonogo::failure::FailureKind as K;
use gonogo::inventory::Client;

use super::lab::{self, AMPLE, Lab, OPS, connect, shell, usable};

macro_rules! again {
    ($($room:ident :: $test:ident),* $(,)?) => {$(
        #[test]
        fn $test() {
            lab::use_client(Client::Openssh);
            super::$room::$test();
        }
    )*};
}

again!(
    exec::a_command_runs_with_both_streams_and_its_own_status,
    exec::megabytes_on_both_streams_do_not_deadlock,
    exec::what_stands_in_for_the_shell_is_never_a_success,
    exec::a_deadline_ends_the_command_on_the_server_too,
    exec::a_future_that_is_dropped_takes_the_session_and_the_command_with_it,
    exec::too_much_output_is_cut_and_the_session_lives,
    exec::one_session_slot_is_enough,
    exec::one_thing_at_a_time_and_each_its_own,
    exec::a_connection_that_is_lost_is_told_and_ends_the_session,
    exec::an_sftp_only_login_never_sends_a_command,
    exec::a_server_that_freezes_is_left_in_time,
    files::every_byte_comes_and_is_hashed,
    files::what_cannot_be_read_is_told_apart,
    files::the_cap_holds_before_a_byte_is_read,
    files::a_growing_file_is_taken_as_it_was_when_opened,
    files::a_file_that_shrinks_while_it_is_read_is_short,
    files::a_full_disk_of_ours_is_no_failure_of_the_host,
    files::a_listing_finds_every_kind_and_denies_nothing_silently,
    files::a_crowded_directory_is_refused_on_both_roads,
    files::a_path_that_hangs_ends_at_the_deadline,
    files::without_sftp_commands_take_over_and_say_so,
    files::a_chrooted_sftp_account_gives_files_and_no_shell,
    files::a_noisy_shell_does_not_spoil_files,
    hops::one_hop_and_two_with_accounts_and_keys_of_their_own,
    hops::a_refusal_names_the_hop_that_made_it,
    hops::a_hop_that_freezes_ends_the_session_in_time,
    reach::what_does_not_answer_is_told_in_time,
    reach::cancelling_ends_at_once,
    reach::a_server_that_was_busy_gets_a_second_try,
    reach::only_the_host_that_is_meant_is_asked_to_let_in,
    reach::a_known_type_is_asked_for_and_a_pin_finds_its_key,
    reach::a_host_certificate_is_checked_and_does_not_spoil_plain_lines,
    reach::an_ipv6_address_is_reached_and_trusted_by_its_own_line,
);

#[tokio::test]
async fn a_shell_that_is_killed_gives_no_output() {
    if !usable() {
        return;
    }
    lab::use_client(Client::Openssh);
    let lab = Lab::new();
    let session = connect(&lab.login(OPS)).await.unwrap();
    assert!(session.greeting().client.starts_with("OpenSSH_"));
    let killed = session
        .run(&shell("echo half; kill -9 $PPID"), AMPLE)
        .await
        .unwrap_err();
    assert_eq!(killed.kind, K::Io, "{killed}");
    let output = session.run(&shell("exit 255"), AMPLE).await.unwrap();
    assert_eq!(
        output.status, 255,
        "anybody's status, and the frame tells whose"
    );
    let _ = Duration::ZERO;
}
