//! An HTTP GET that is sent from the host itself, through the SSH connection. Sends nothing.

use std::path::PathBuf;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get<T = String> {
    /// `url:`: `http://ADDRESS[:PORT]/PATH`, as the host reaches it.
    pub url: T,
    /// `user:` of HTTP basic authentication.
    pub user: Option<String>,
    /// `password_env:`: the variable that holds its password.
    pub password_env: Option<String>,
    /// `ca:`: for https, the file of certificates that are trusted in place of this machine's own.
    pub ca: Option<PathBuf>,
}

impl<T> Get<T> {
    /// The same with the URL filled; `None` when it could not be.
    pub fn fill<U>(&self, fill: impl FnOnce(&T) -> Option<U>) -> Option<Get<U>> {
        Some(Get {
            url: fill(&self.url)?,
            user: self.user.clone(),
            password_env: self.password_env.clone(),
            ca: self.ca.clone(),
        })
    }
}
