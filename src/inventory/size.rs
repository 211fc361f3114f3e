//! Sizes in bytes as people write them.

/// The text is not a size.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a size")]
pub(super) struct NotASize;

/// What to write instead.
pub(super) const HINT: &str =
    "write a whole number of bytes, or a number and a unit, such as 500MiB, 1GiB or 10kB";

/// Reads `1GiB`, `500 MiB`, `10kB` and plain bytes. `KiB` is 1024 (IEC 80000-13), `kB` 1000 (SI).
///
/// # Errors
/// When the text is no whole number with a known unit, is zero, or exceeds 8 EiB.
pub(super) fn parse(text: &str) -> Result<u64, NotASize> {
    let text = text.trim();
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..unit_at].parse().map_err(|_| NotASize)?;
    let unit: u64 = match text[unit_at..].trim_start() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1000_u64.pow(2),
        "GB" => 1000_u64.pow(3),
        "TB" => 1000_u64.pow(4),
        "KiB" | "kiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(NotASize),
    };
    // i64: what file offsets can hold.
    match number.checked_mul(unit) {
        Some(bytes) if bytes > 0 && i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err(NotASize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write_and_nothing_near_it() {
        for (text, bytes) in [
            ("1", 1),
            ("4096", 4096),
            ("10kB", 10_000),
            ("1KiB", 1024),
            ("500 MiB", 500 << 20),
            ("1GiB", 1 << 30),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for bad in [
            "",
            "0",
            "0GiB",
            "-1",
            "1.5GiB",
            "1G",
            "1gib",
            "1Mb",
            "GiB",
            "1 GiB x",
            "9999999999999999999",
            "9999999TiB",
        ] {
            assert_eq!(parse(bad), Err(NotASize), "{bad}");
        }
    }
}
