//! What is refused of a planned GET once its URL is filled: before anything is connected.

use crate::inventory::artifact::Get;
use crate::inventory::forbidden::Never;
use crate::inventory::never;
use crate::inventory::url::Url;

/// Message and hint.
pub(super) type Objection = (String, String);

/// What is wrong with the request itself.
pub(super) fn object_to(get: &Get, forbidden: &Never) -> Option<Objection> {
    let url = match Url::parse(&get.url) {
        Ok(url) => url,
        Err(hint) => return Some(("this is no URL that may be asked for".into(), hint)),
    };
    if let Some(reason) = never::refuses(&url) {
        return Some(("this URL is never asked for".into(), reason.into()));
    }
    let mut paths = forbidden.urls();
    if let Some((path, why)) = paths.find(|(path, _)| never::leads_below(&url, path)) {
        let hint = format!("below {path}: {why}");
        return Some(("this URL is never asked for".into(), hint));
    }
    match (&get.user, &get.password_env) {
        (Some(_), None) => {
            let hint = "write `password_env:`, the name of the variable that holds the password";
            return Some(("`user` without a password".into(), hint.into()));
        }
        (None, Some(_)) => {
            return Some((
                "`password_env` without a user".into(),
                "write `user:`, too".into(),
            ));
        }
        // RFC 7617 2: the first colon ends the name.
        (Some(user), _) if user.contains(':') || user.is_empty() => {
            let hint = "HTTP basic authentication knows none with a `:` and none without a name";
            return Some(("this is no account's name".into(), hint.into()));
        }
        (Some(_), Some(_)) if !url.is_tls && !url.is_loopback() => {
            let hint = "ask for https://, or for an address of the host itself such as 127.0.0.1: the host would send it over its network as it is";
            return Some((
                "the password would be sent in the clear".into(),
                hint.into(),
            ));
        }
        _ => {}
    }
    if get.ca.is_some() && !url.is_tls {
        return Some((
            "`ca` is about https".into(),
            "write https://, or remove it".into(),
        ));
    }
    None
}
