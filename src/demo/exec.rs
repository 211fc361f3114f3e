//! Runs one command for one channel, as sshd does: a real `/bin/sh -c` in a process group of its own,
//! stdin connected, both streams and the end of the process sent faithfully. EOF from the client
//! closes stdin; closing the channel kills the group.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;

use super::rewrite::{Outward, inward};
use super::root::Root;

/// Number of stderr among extended streams (RFC 4254, 5.2).
const STDERR: u32 = 1;
/// Status of a shell that could not start its command (POSIX sh, 2.8.2).
const NOT_STARTED: u32 = 127;

/// Runs `command` for `user` and closes the channel when it has ended.
pub(super) async fn run(
    channel: Channel<Msg>,
    handle: Handle,
    root: Root,
    user: String,
    command: Vec<u8>,
) {
    let (reader, writer) = channel.split();
    let spawned = Command::new("/bin/sh")
        .arg("-c")
        .arg(OsStr::from_bytes(&inward(&command, root.path())))
        .env_clear()
        .env(
            "PATH",
            format!("{}/bin:/usr/bin:/bin", root.path().display()),
        )
        .env("HOME", root.path())
        .env("USER", &user)
        .env("LOGNAME", &user)
        .env("SHELL", "/bin/sh")
        .current_dir(root.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            // The client may be gone already: then nobody is left to tell.
            let words = format!("sh: {error}\n");
            let _gone = writer.extended_data_bytes(STDERR, words.into_bytes()).await;
            return end(
                &writer,
                &handle,
                ExitStatus::from_raw((NOT_STARTED as i32) << 8),
            )
            .await;
        }
    };
    let mut group = Group(
        child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)),
    );
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());

    let ended = async {
        let (_, _, status) = tokio::join!(
            pump(stdout, &root, &writer, None),
            pump(stderr, &root, &writer, Some(STDERR)),
            child.wait(),
        );
        status
    };
    tokio::select! {
        () = until_closed(reader, stdin) => {}
        status = ended => {
            // Its id may belong to somebody else from now on.
            group.0 = None;
            if let Ok(status) = status {
                end(&writer, &handle, status).await;
            }
        }
    }
}

/// A process group that does not outlive its channel.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            let _gone_already = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Feeds stdin until the client closes the channel or is gone. A command that does not read must not
/// stop the connection, hence the queue between the two.
async fn until_closed(mut reader: ChannelReadHalf, stdin: Option<ChildStdin>) {
    let (queue, mut queued) = mpsc::unbounded_channel::<Vec<u8>>();
    let mut queue = Some(queue);
    let watch = async {
        while let Some(message) = reader.wait().await {
            match message {
                ChannelMsg::Data { data } => {
                    if let Some(queue) = &queue {
                        let _stdin_closed = queue.send(data.to_vec());
                    }
                }
                ChannelMsg::Eof => queue = None,
                ChannelMsg::Close => break,
                _ => {}
            }
        }
    };
    let feed = async {
        let Some(mut stdin) = stdin else { return };
        while let Some(piece) = queued.recv().await {
            if stdin.write_all(&piece).await.is_err() {
                break;
            }
        }
    };
    tokio::pin!(watch);
    tokio::select! {
        () = &mut watch => return,
        () = feed => {}
    }
    watch.await;
}

async fn pump(
    stream: Option<impl AsyncRead + Unpin>,
    root: &Root,
    writer: &ChannelWriteHalf<Msg>,
    extended: Option<u32>,
) {
    let Some(mut stream) = stream else { return };
    let mut outward = Outward::new(root.path());
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let piece = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(length) => outward.feed(&buffer[..length]),
        };
        if send(writer, extended, piece).await.is_err() {
            return;
        }
    }
    let _gone = send(writer, extended, outward.finish()).await;
}

async fn send(
    writer: &ChannelWriteHalf<Msg>,
    extended: Option<u32>,
    piece: Vec<u8>,
) -> Result<(), russh::Error> {
    match extended {
        None => writer.data_bytes(piece).await,
        Some(stream) => writer.extended_data_bytes(stream, piece).await,
    }
}

/// Tells how it ended and closes; a client that is gone needs none of it.
async fn end(writer: &ChannelWriteHalf<Msg>, handle: &Handle, status: ExitStatus) {
    let _gone = match (status.code(), status.signal()) {
        (Some(code), _) => writer.exit_status(code.unsigned_abs()).await.is_ok(),
        (None, signal) => handle
            .exit_signal_request(
                writer.id(),
                name(signal.unwrap_or_default()),
                status.core_dumped(),
                String::new(),
                String::new(),
            )
            .await
            .is_ok(),
    };
    let _gone = writer.eof().await;
    let _gone = writer.close().await;
}

/// The forced command of [`super::Break::Shell`]: whatever was asked, a banner and exit status 0.
pub(super) async fn forced(channel: Channel<Msg>, banner: &'static str) {
    let (_, writer) = channel.split();
    let _gone = writer.data_bytes(banner.as_bytes()).await;
    let _gone = writer.exit_status(0).await;
    let _gone = writer.eof().await;
    let _gone = writer.close().await;
}

/// The signal's name without `SIG` (RFC 4254, 6.10).
fn name(signal: i32) -> Sig {
    match Signal::from_named_raw(signal) {
        Some(Signal::HUP) => Sig::HUP,
        Some(Signal::INT) => Sig::INT,
        Some(Signal::QUIT) => Sig::QUIT,
        Some(Signal::ILL) => Sig::ILL,
        Some(Signal::ABORT) => Sig::ABRT,
        Some(Signal::FPE) => Sig::FPE,
        Some(Signal::KILL) => Sig::KILL,
        Some(Signal::USR1) => Sig::USR1,
        Some(Signal::SEGV) => Sig::SEGV,
        Some(Signal::PIPE) => Sig::PIPE,
        Some(Signal::ALARM) => Sig::ALRM,
        Some(Signal::TERM) => Sig::TERM,
        _ => Sig::Custom(format!("{signal}@gonogo")),
    }
}
