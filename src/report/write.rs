//! `report.json` as bytes. What is signed is what is written here, once; nothing is ever written again
//! from what was read.

use super::schema::Report;

/// Pretty JSON and a newline; the same report gives the same bytes.
///
/// # Errors
/// Never for a report: its keys are text. The error is passed on rather than sworn away.
pub fn write(report: &Report) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(report)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn is_deterministic_and_ends_with_a_newline() {
        let bytes = write(&sample::no_go()).unwrap();
        assert_eq!(bytes, write(&sample::no_go()).unwrap());
        assert!(bytes.starts_with(b"{\n  \"schema\": \"gonogo/report/v1\",\n"));
        assert!(bytes.ends_with(b"}\n"));
    }
}
