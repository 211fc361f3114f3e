//! Exit code and nothing else.

fn main() {}
