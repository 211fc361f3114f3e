//! Names that threads meet side by side. Which class a name has, and which of two that share their digits gets the
//! longer token, goes by who came first: so they are noted here, and get their tokens in the order of the file.

use std::cell::RefCell;
use std::collections::HashMap;

use super::map::Class;

/// Names in the order in which one thread met them.
#[derive(Default)]
pub(super) struct Deferred {
    names: Vec<(Class, String)>,
    tokens: HashMap<String, String>,
}

thread_local! {
    static NOTED: RefCell<Option<Deferred>> = const { RefCell::new(None) };
}

/// Notes a new name; `None` where nobody takes notes.
pub(super) fn note(class: Class, name: &str, token: impl FnOnce() -> String) -> Option<String> {
    NOTED.with_borrow_mut(|noted| {
        let noted = noted.as_mut()?;
        if let Some(token) = noted.tokens.get(name) {
            return Some(token.clone());
        }
        let token = token();
        noted.names.push((class, name.to_owned()));
        noted.tokens.insert(name.to_owned(), token.clone());
        Some(token)
    })
}

/// Runs `work`; gives what it made, and every new name that it met.
pub(super) fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<(Class, String)>) {
    NOTED.set(Some(Deferred::default()));
    let made = work();
    let noted = NOTED.take().unwrap_or_default();
    (made, noted.names)
}
