//! The vendors' side of the practice estate, on loopback like all of it: a web site with status page, feeds, outage
//! log, a monitored URL and uploads behind TLS; a DNS server that knows three domains; a drop box and a mail server
//! that take evidence.
//! What goes wrong there is planted in a [`Side`] before it opens. Judges nothing.

mod certificate;
pub(super) mod inbox;
mod names;
pub(super) mod pages;
pub(super) mod post;
mod site;
pub(super) mod uploads;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use jiff::Timestamp;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PrivateKey, PublicKey};
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;
use super::root::Root;
use super::server::{self, Served};
use super::sftp::Quirks;
use super::{EstateFault, disk, keys};
use pages::Page;
use post::Post;
use uploads::Uploads;

/// The account at the drop box of 60East.
pub(super) const ACCOUNT: &str = "bank";
/// Whose certificate the web site has.
const AUTHORITY: &str = "practice-ca.pem";
/// The key for the drop box, beside those of the teams.
const KEY: &str = "keys/60east-drop";
/// Days until the certificate of the web site ends.
const CERTIFICATE: u32 = 90;

/// What came by SFTP.
const DROPPED: &str = "intake";
/// What came by e-mail.
const MAILED: &str = "mailbox";
/// What came by HTTPS.
const UPLOADED: &str = "uploads";
/// Folders in which what was handed over lies, and by which way.
pub(super) const TAKEN: [(&str, &str); 3] =
    [(DROPPED, "SFTP"), (MAILED, "e-mail"), (UPLOADED, "HTTPS")];

/// The vendors' side before it opens.
pub(super) struct Side {
    /// What the web site answers, by path.
    pub pages: BTreeMap<&'static str, Page>,
    /// Days until its certificate ends.
    pub certificate: u32,
    /// Whether its mail server turns everybody away.
    pub post_shut: bool,
    /// A domain that takes no mail.
    pub without_mail: Option<&'static str>,
    /// The key that the drop box has.
    pub drop_key: PrivateKey,
    /// The key that the inventory says it has.
    pub stated_drop_key: PublicKey,
    /// The key that opens the account there.
    pub drop_opens: KeyData,
    /// The private half, which the operator has.
    own: PrivateKey,
}

/// Where all of it is, once it is open.
pub(super) struct Places {
    /// `https://127.0.0.1:PORT`.
    pub site: String,
    /// The DNS server.
    pub names: SocketAddr,
    /// Port of the drop box.
    pub drop: u16,
    /// `SHA256:…`, as the inventory pins it.
    pub drop_pin: String,
    /// Port of the mail server.
    pub post: u16,
}

impl Side {
    /// All of it well.
    pub(super) fn new(now: Timestamp, go_live: Timestamp) -> Result<Self, EstateFault> {
        let drop_key = keys::make("drop.60east.practice")?;
        let own = keys::make("bank@drop.60east.practice")?;
        Ok(Self {
            pages: pages::all(now, go_live),
            certificate: CERTIFICATE,
            post_shut: false,
            without_mail: None,
            stated_drop_key: drop_key.public_key().clone(),
            drop_key,
            drop_opens: own.public_key().key_data().clone(),
            own,
        })
    }

    /// Opens it on `runtime`; files for the operator go into `directory`.
    pub(super) fn open(
        self,
        runtime: &Runtime,
        directory: &Path,
        ledger: &Arc<Ledger>,
        stopped: &CancellationToken,
    ) -> Result<Places, EstateFault> {
        let issued = certificate::issue(self.certificate)?;
        disk::write(&directory.join(AUTHORITY), &issued.authority)?;
        keys::write(&self.own, &directory.join(KEY))?;
        let tls = Arc::new(issued.server()?);

        let (site, names, drop, post) = {
            let _inside = runtime.enter();
            let bound = || {
                let site = listen()?;
                let names = std::net::UdpSocket::bind("127.0.0.1:0")?;
                names.set_nonblocking(true)?;
                Ok((site, UdpSocket::from_std(names)?, listen()?, listen()?))
            };
            bound().map_err(EstateFault::Port)?
        };
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let places = Places {
            site: format!(
                "https://127.0.0.1:{}",
                port(&site).map_err(EstateFault::Port)?
            ),
            names: names.local_addr().map_err(EstateFault::Port)?,
            drop: port(&drop).map_err(EstateFault::Port)?,
            drop_pin: self
                .stated_drop_key
                .fingerprint(HashAlg::Sha256)
                .to_string(),
            post: port(&post).map_err(EstateFault::Port)?,
        };

        for (folder, _) in TAKEN {
            let folder = directory.join(folder);
            std::fs::create_dir_all(&folder).map_err(EstateFault::disk("make", &folder))?;
        }
        let shown = site::Shown {
            pages: self.pages,
            uploads: Uploads::into(directory.join(UPLOADED)),
        };
        runtime.spawn(site::serve(
            site,
            Arc::clone(&tls),
            Arc::new(shown),
            stopped.clone(),
        ));
        let mailroom = Post {
            tls,
            directory: directory.join(MAILED),
            is_shut: self.post_shut,
            taken: AtomicUsize::new(0),
        };
        runtime.spawn(post::serve(post, Arc::new(mailroom)));
        runtime.spawn(names::serve(names, self.without_mail));
        let served = Served {
            name: "the drop box of 60east",
            root: Root::new(directory.join("hosts")),
            accounts: BTreeMap::from([(ACCOUNT, self.drop_opens)]),
            quirks: Quirks::default(),
            takes: Some(directory.join(DROPPED)),
            ledger: Arc::clone(ledger),
            stopped: stopped.clone(),
        };
        runtime.spawn(server::serve(drop, self.drop_key, Arc::new(served)));
        Ok(places)
    }
}

fn listen() -> std::io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
