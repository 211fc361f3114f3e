//! The numbering plan of one country, out of `plans.xml`: what `phonenumber` brings along is all of them at once,
//! each of 6,000 expressions looked at before the first number is, which takes longer than verifying a run.
//!
//! The file is libphonenumber's own (Apache License 2.0) without formats and examples, a line for each territory.
//! A test holds it to what `phonenumber` has, and writes it anew (`GONOGO_WRITE_PLANS`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use phonenumber::metadata::Database;

const PLANS: &str = include_str!("plans.xml");
const BEGIN: &str = "<territory countryCode=\"";

/// The plan of the country that `number`, a `+` and digits, begins with; nothing where there is no such country.
pub(super) fn of(number: &str) -> Option<Arc<Database>> {
    static READ: Mutex<BTreeMap<&str, Arc<Database>>> = Mutex::new(BTreeMap::new());
    let digits = number.strip_prefix('+')?.chars();
    let code = code(&digits.filter(char::is_ascii_digit).collect::<String>())?;
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = read.get(code) {
        return Some(Arc::clone(known));
    }
    let database = Arc::new(Database::parse(page(code)).ok()?);
    read.insert(code, Arc::clone(&database));
    Some(database)
}

/// No country's code begins as another's does (ITU-T E.164).
fn code(digits: &str) -> Option<&'static str> {
    let codes = PLANS.lines().filter_map(|line| {
        let (code, _) = line.strip_prefix(BEGIN)?.split_once('"')?;
        Some(code)
    });
    codes.into_iter().find(|code| digits.starts_with(code))
}

fn page(code: &str) -> String {
    let begin = format!("{BEGIN}{code}\"");
    let own = PLANS.lines().filter(|line| line.starts_with(&begin));
    let own: String = own.collect();
    format!("<phoneNumberMetadata><territories>{own}</territories></phoneNumberMetadata>")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use phonenumber::Type;
    use phonenumber::metadata::DATABASE;
    use roxmltree::{Document, Node};

    use super::super::kind;
    use super::*;

    const KINDS: [Type; 11] = [
        Type::FixedLine,
        Type::Mobile,
        Type::TollFree,
        Type::PremiumRate,
        Type::SharedCost,
        Type::PersonalNumber,
        Type::Voip,
        Type::Pager,
        Type::Uan,
        Type::Emergency,
        Type::Voicemail,
    ];

    /// As all plans at once say.
    fn plainly(number: &str) -> Option<Type> {
        let number = phonenumber::parse(None::<phonenumber::country::Id>, number).ok()?;
        let kind = number.number_type(&DATABASE);
        (number.is_valid() && kind != Type::Unknown).then_some(kind)
    }

    #[test]
    fn one_plan_says_what_all_plans_say() {
        let mut numbers = BTreeSet::new();
        for meta in DATABASE.iter() {
            let code = meta.country_code();
            for kind in KINDS {
                let found = meta.descriptors().get(kind);
                let Some(example) = found.and_then(|found| found.example()) else {
                    continue;
                };
                let number = format!("+{code}{example}");
                // As it is, and with a digit too few, too many, or another one.
                numbers.insert(number[..number.len() - 1].to_owned());
                for digit in ["0", "5"] {
                    numbers.insert(format!("{number}{digit}"));
                }
                for at in code.to_string().len() + 1..number.len().min(7) {
                    for digit in ["0", "1", "9"] {
                        let mut other = number.clone();
                        other.replace_range(at..=at, digit);
                        numbers.insert(other);
                    }
                }
                numbers.insert(number);
            }
            numbers.insert(format!("+{code}0123456789"));
        }
        for code in 0..1000 {
            numbers.insert(format!("+{code}5550100"));
        }
        let mut valid = 0;
        for number in &numbers {
            let found = kind(number);
            assert_eq!(found, plainly(number), "{number}");
            valid += usize::from(found.is_some());
        }
        assert!(valid > 2_000 && valid < numbers.len() - 2_000, "{valid}");
    }

    #[test]
    fn every_country_has_its_plan() {
        for meta in DATABASE.iter() {
            let code = meta.country_code().to_string();
            assert_eq!(super::code(&code), Some(code.as_str()));
            let own = of(&format!("+{code}")).unwrap();
            assert_eq!(
                own.region(&meta.country_code()),
                DATABASE.region(&meta.country_code())
            );
        }
        for nothing in ["", "+", "49", "+0", "+999"] {
            assert!(of(nothing).is_none(), "{nothing}");
        }
    }

    /// `GONOGO_WRITE_PLANS=…/PhoneNumberMetadata.xml`, that of the crate's own assets, writes the file anew.
    #[test]
    fn the_plans_are_written_anew() {
        let Some(from) = std::env::var_os("GONOGO_WRITE_PLANS") else {
            return;
        };
        let source = std::fs::read_to_string(from).unwrap();
        let source = source.split_once("]>").map_or(&*source, |(_, rest)| rest);
        let document = Document::parse(source).unwrap();
        let mut out = String::new();
        let territories = document.descendants();
        for territory in territories.filter(|node| node.has_tag_name("territory")) {
            let code = territory.attribute("countryCode").unwrap();
            write!(out, "{BEGIN}{code}\"").unwrap();
            let others = territory.attributes();
            for other in others.filter(|other| other.name() != "countryCode") {
                write!(out, " {}=\"{}\"", other.name(), bare(other.value())).unwrap();
            }
            out.push('>');
            for kind in territory.children().filter(Node::is_element) {
                told(kind, &mut out);
            }
            out.push_str("</territory>\n");
        }
        let to = concat!(env!("CARGO_MANIFEST_DIR"), "/src/support/phones/plans.xml");
        std::fs::write(to, out).unwrap();
    }

    fn told(kind: Node<'_, '_>, out: &mut String) {
        let name = kind.tag_name().name();
        let left_out = [
            "references",
            "areaCodeOptional",
            "availableFormats",
            "noInternationalDialling",
        ];
        if left_out.contains(&name) {
            return;
        }
        write!(out, "<{name}>").unwrap();
        for child in kind.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "possibleLengths" => {
                    out.push_str("<possibleLengths");
                    for length in child.attributes() {
                        write!(out, " {}=\"{}\"", length.name(), length.value()).unwrap();
                    }
                    out.push_str("/>");
                }
                "nationalNumberPattern" => {
                    let pattern = bare(child.text().unwrap());
                    write!(
                        out,
                        "<nationalNumberPattern>{pattern}</nationalNumberPattern>"
                    )
                    .unwrap();
                }
                _ => {}
            }
        }
        write!(out, "</{name}>").unwrap();
    }

    /// Blanks mean nothing in an expression of a plan.
    fn bare(text: &str) -> String {
        let bare: String = text.split_whitespace().collect();
        assert!(!bare.contains(['<', '>', '&', '"']), "{bare}");
        bare
    }
}
