//! The floor: a bare client in russh that asks for as much at once as SFTP and SSH allow, and fetches the same bytes. It
//! checks nothing: no host key, no digest, no content, no deadline. Nothing that has to do with gonogo's own client.

use std::path::Path;
use std::sync::Arc;

use futures::future::{join_all, try_join, try_join_all};
use futures::{StreamExt as _, stream};
use russh::client::{Config, Handle, Handler, Msg, connect};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate, load_secret_key};
use russh::{Channel, ChannelMsg, Disconnect};
use russh_sftp::client::RawSftpSession;
use russh_sftp::protocol::{FileAttributes, OpenFlags};

use super::bare::Task;
use super::estate::address;

/// OpenSSH answers no read of more.
const PIECE: u32 = 255 << 10;

struct Anybody;

impl Handler for Anybody {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// Fetches everything; bytes in all.
pub fn fetch_all(task: &Task) -> u64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let key = Arc::new(load_secret_key(&task.key, None).unwrap());
    let config = Arc::new(Config {
        nodelay: true,
        ..Config::default()
    });
    let one = |host| {
        let (task, config) = (task.clone(), Arc::clone(&config));
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&key), None);
        let fetched = tokio::spawn(async move {
            let place = (address(host), task.port);
            let mut session = connect(config, place, Anybody).await.unwrap();
            let proven = session.authenticate_publickey(&task.user, key).await;
            assert!(proven.unwrap().success());
            let home = task.amps.join(format!("h{:03}", host + 1));
            let (version, files) = futures::join!(version(&session, &home), files(&session, &home));
            let farewell = session.disconnect(Disconnect::ByApplication, "done", "");
            farewell.await.unwrap();
            version + files
        });
        async move { fetched.await.unwrap() }
    };
    runtime.block_on(async {
        stream::iter(0..task.hosts)
            .map(one)
            .buffer_unordered(task.jobs)
            .fold(0, |sum, bytes| async move { sum + bytes })
            .await
    })
}

async fn channel(session: &Handle<Anybody>) -> Channel<Msg> {
    session.channel_open_session().await.unwrap()
}

async fn version(session: &Handle<Anybody>, home: &Path) -> u64 {
    let mut channel = channel(session).await;
    let command = format!("{}/bin/ampServer --version", home.display());
    channel.exec(true, command).await.unwrap();
    let mut bytes = 0;
    while let Some(message) = channel.wait().await {
        if let ChannelMsg::Data { data } = message {
            bytes += data.len() as u64;
        }
    }
    bytes
}

async fn files(session: &Handle<Anybody>, home: &Path) -> u64 {
    let channel = channel(session).await;
    channel.request_subsystem(true, "sftp").await.unwrap();
    let sftp = RawSftpSession::new(channel.into_stream());
    sftp.init().await.unwrap();
    let shown = |name: &str| home.join(name).display().to_string();
    let listed = |name| {
        let (sftp, directory) = (&sftp, shown(name));
        async move {
            let handle = sftp.opendir(&directory).await.unwrap().handle;
            let (names, _) = futures::join!(sftp.readdir(&handle), sftp.readdir(&handle));
            let files = names.unwrap().files.into_iter();
            let files = files.filter(|file| file.attrs.is_regular());
            join_all(files.map(|file| {
                let path = format!("{directory}/{}", file.filename);
                fetch(sftp, path, file.attrs.size)
            }))
            .await
        }
    };
    let database = ["stats.db", "stats.db-wal"].map(|name| fetch(&sftp, shown(name), None));
    let (config, logs, database) =
        futures::join!(listed("config"), listed("logs"), join_all(database));
    [config, logs, database].iter().flatten().sum()
}

async fn fetch(sftp: &RawSftpSession, path: String, size: Option<u64>) -> u64 {
    let opened = sftp.open(&path, OpenFlags::READ, FileAttributes::empty());
    let (handle, size) = match size {
        Some(size) => (opened.await.unwrap(), size),
        None => {
            let (handle, stat) = try_join(opened, sftp.lstat(&path)).await.unwrap();
            (handle, stat.attrs.size.unwrap())
        }
    };
    let pieces = (0..size).step_by(PIECE as usize).map(|offset| {
        let length = u64::from(PIECE).min(size - offset) as u32;
        sftp.read(&handle.handle, offset, length)
    });
    let read = try_join_all(pieces).await.unwrap();
    let came: u64 = read.iter().map(|piece| piece.data.len() as u64).sum();
    assert_eq!(came, size, "{path}");
    came
}
