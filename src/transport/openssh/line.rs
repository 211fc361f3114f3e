//! One SFTP conversation over the pipes of a client: bytes out, bytes in, bounded by the deadline. What they mean is
//! `transport/sftp/`.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;

use rustix::event::PollFlags;

use super::child::{Child, Watch};
use crate::transport::actor::Deadline;
use crate::transport::sftp::packet::{Answer, Broken, Dialogue, LSTAT};

const PIECE: usize = 64 << 10;

/// A conversation that did not begin.
pub(super) struct Refused {
    pub(super) child: Child,
    pub(super) why: Broken,
    /// What came in place of a greeting.
    pub(super) came: Vec<u8>,
}

/// One conversation.
pub(super) struct Line {
    pub(super) child: Child,
    pub(super) dialogue: Dialogue,
    buffer: Vec<u8>,
}

impl Line {
    /// Says hello, asks what lies at these paths, and hears that the other side speaks SFTP.
    pub(super) fn open(
        child: Child,
        soon: &[&str],
        watch: &Watch,
        deadline: &Deadline,
    ) -> Result<Self, Refused> {
        let mut line = Self {
            child,
            dialogue: Dialogue::new(),
            buffer: vec![0; PIECE],
        };
        for path in soon {
            line.dialogue.ask_early(LSTAT, path.as_bytes());
        }
        loop {
            let why = match line.dialogue.is_greeted() {
                Ok(true) => return Ok(line),
                Ok(false) => match line.exchange(watch, deadline) {
                    Ok(()) => continue,
                    Err(broken) => broken,
                },
                Err(broken) => broken,
            };
            return Err(Refused {
                came: line.dialogue.came().to_vec(),
                child: line.child,
                why,
            });
        }
    }

    /// The next answer, to whichever question.
    pub(super) fn answer(
        &mut self,
        watch: &Watch,
        deadline: &Deadline,
    ) -> Result<(u32, Answer), Broken> {
        loop {
            if let Some(answer) = self.dialogue.answer()? {
                return Ok(answer);
            }
            self.exchange(watch, deadline)?;
        }
    }

    /// Sends and takes in what goes; waits where nothing does.
    fn exchange(&mut self, watch: &Watch, deadline: &Deadline) -> Result<(), Broken> {
        let left = watch.left(deadline, "SFTP").map_err(|_| Broken::Late)?;
        let mut moved = self.send();
        self.child.hear();
        let Some(stdout) = &mut self.child.stdout else {
            return Err(Broken::Ended);
        };
        match stdout.read(&mut self.buffer) {
            Ok(0) => return Err(Broken::Ended),
            Ok(n) => {
                self.dialogue.hear(&self.buffer[..n]);
                moved = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(Broken::Ended),
        }
        if moved {
            return Ok(());
        }
        let mut pipes: Vec<(&dyn AsFd, PollFlags)> = Vec::new();
        pipes.extend(
            self.child
                .stdout
                .as_ref()
                .map(|p| (p as &dyn AsFd, PollFlags::IN)),
        );
        if !self.dialogue.outbox().is_empty() {
            pipes.extend(
                self.child
                    .stdin
                    .as_ref()
                    .map(|p| (p as &dyn AsFd, PollFlags::OUT)),
            );
        }
        watch.wait(&pipes, left);
        Ok(())
    }

    // An error is not told here: the other pipe ends then, too.
    pub(super) fn send(&mut self) -> bool {
        let Some(stdin) = &mut self.child.stdin else {
            return false;
        };
        let outbox = self.dialogue.outbox();
        match outbox.is_empty() {
            true => false,
            false => match stdin.write(outbox) {
                Ok(n) => {
                    outbox.drain(..n);
                    n > 0
                }
                Err(_) => false,
            },
        }
    }
}
