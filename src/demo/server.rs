//! One made-up host's SSH server: public keys only, each for its own account; commands and SFTP, and
//! nothing else. Strict where sshd is strict; knows no fault but its [`Quirks`].

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Server, Session,
    VerifiedPublicKey,
};
use russh::{Channel, ChannelId, MethodKind, MethodSet, Pty, SshId};
use ssh_key::PrivateKey;
use ssh_key::public::KeyData;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::exec;
use super::ledger::{Act, Ledger};
use super::root::Root;
use super::sftp::{Quirks, Sftp};
use super::vendor_side::inbox::Inbox;

/// What one host serves, and to whom.
#[derive(Debug)]
pub(super) struct Served {
    /// Key of the host.
    pub name: &'static str,
    /// Its file system.
    pub root: Root,
    /// Account → the one key that opens it.
    pub accounts: BTreeMap<&'static str, KeyData>,
    /// Where it misbehaves.
    pub quirks: Quirks,
    /// A drop box: where what is handed over goes. It runs no command and shows nothing else.
    pub takes: Option<PathBuf>,
    /// Where requests are written down.
    pub ledger: Arc<Ledger>,
    /// Set when the estate is dropped.
    pub stopped: CancellationToken,
}

/// Serves on `listener` until the runtime ends.
pub(super) async fn serve(listener: TcpListener, host_key: PrivateKey, served: Arc<Served>) {
    let config = Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-gonogo_practice_estate")),
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: Duration::from_millis(100),
        // Every OpenSSH client begins by asking for `none`: it is refused, and soon.
        auth_rejection_time_initial: Some(Duration::from_millis(50)),
        keys: vec![host_key],
        max_auth_attempts: 6,
        inactivity_timeout: Some(Duration::from_secs(300)),
        keepalive_interval: None,
        nodelay: true,
        ..Config::default()
    };
    // Ends only when the socket does; the runtime takes it down with the estate.
    let _ended = Doors(served)
        .run_on_socket(Arc::new(config), &listener)
        .await;
}

struct Doors(Arc<Served>);

impl Server for Doors {
    type Handler = Door;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Door {
        Door {
            served: Arc::clone(&self.0),
            user: String::new(),
            channels: HashMap::new(),
        }
    }
}

/// One connection.
struct Door {
    served: Arc<Served>,
    /// The account, once it is proven.
    user: String,
    /// Channels that are open and have not been asked for anything yet.
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Door {
    fn judge(&self, user: &str, key: &ssh_key::PublicKey) -> Auth {
        match self.served.accounts.get(user) {
            Some(known) if known == key.key_data() => Auth::Accept,
            _ => Auth::reject(),
        }
    }
}

impl Handler for Door {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(self.judge(user, offer.public_key))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        let judged = self.judge(user, key.public_key);
        if judged == Auth::Accept {
            user.clone_into(&mut self.user);
        }
        Ok(judged)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let channel = self.channels.remove(&id);
        let Some(channel) = channel.filter(|_| self.served.takes.is_none()) else {
            return session.channel_failure(id);
        };
        let words = String::from_utf8_lossy(command);
        self.served
            .ledger
            .note(self.served.name, &self.user, Act::Run, words);
        session.channel_success(id)?;
        match self.served.quirks.forced {
            Some(banner) => tokio::spawn(exec::forced(channel, banner)),
            None => tokio::spawn(exec::run(
                channel,
                session.handle(),
                self.served.root.clone(),
                self.user.clone(),
                command.to_owned(),
            )),
        };
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        if name != "sftp" {
            return session.channel_failure(id);
        }
        let Some(channel) = self.channels.remove(&id) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        let stream = channel.into_stream();
        match &self.served.takes {
            Some(directory) => {
                russh_sftp::server::run(stream, Inbox::new(directory.clone())).await;
            }
            None => {
                let sftp = Sftp::new(Arc::clone(&self.served), self.user.clone());
                russh_sftp::server::run(stream, sftp).await;
            }
        }
        Ok(())
    }

    // The library leaves these unanswered, and a client that asked for an answer would wait for ever.
    async fn shell_request(
        &mut self,
        id: ChannelId,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        _: &str,
        _: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        self.channels.remove(&id);
        Ok(())
    }
}
