//! (test)
