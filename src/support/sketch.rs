//! A week as a picture: who answers in each hour of it, on the clock of the application. For a reader's eye; what
//! is judged are the spans themselves, to the second and over a year.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::calendar::{Spans, Zone};

/// What a reader needs to read it.
pub(super) const KEY: &str =
    "# the vendor answers, o somebody here has a plan, ! nobody, . not required, _ clocks skip it";

/// Seven days from `from` on, a line each and a character for each hour, below a line with the hours.
pub(super) fn picture(
    zone: &Zone,
    from: Date,
    required: &Spans,
    gaps: &Spans,
    open: &Spans,
) -> Vec<String> {
    let mut lines = vec!["               00    06    12    18    ".to_owned()];
    for ahead in 0..7 {
        let Ok(day) = from.checked_add(ahead.days()) else {
            break;
        };
        let hours = zone.hours(day).into_iter().map(|hour| {
            let touches = |spans: &Spans| !spans.intersect(&hour.into()).is_empty();
            match () {
                () if hour.from >= hour.to => '_',
                () if touches(open) => '!',
                () if touches(gaps) => 'o',
                () if touches(required) => '#',
                () => '.',
            }
        });
        let hours: String = hours.collect();
        lines.push(format!("{} {hours}", day.strftime("%a %Y-%m-%d")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Hours, Lean, Span, Weekly};
    use jiff::civil::date;

    #[test]
    fn each_hour_has_its_character() {
        let place = "America/New_York";
        let zone = Zone::parse(place).unwrap();
        let of = |weekly: &str| {
            let hours = Hours {
                zone: zone.clone(),
                weekly: Weekly::parse(weekly).unwrap(),
                holidays: [date(2027, 3, 18)].into(),
            };
            let year = Span {
                from: "2027-01-01T00:00:00Z".parse().unwrap(),
                to: "2028-01-01T00:00:00Z".parse().unwrap(),
            };
            hours.within(year, Lean::Wide)
        };
        let required = of("Sun 00:00 - Fri 17:00");
        let gaps = required.subtract(&of("Mon-Fri 08:00-17:30"));
        let open = gaps.subtract(&of("Sun-Fri 00:00-06:15"));
        let lines = picture(&zone, date(2027, 3, 14), &required, &gaps, &open);
        assert_eq!(
            lines,
            [
                "               00    06    12    18    ",
                // Clocks go from two to three.
                "Sun 2027-03-14 oo_ooo!!!!!!!!!!!!!!!!!!",
                "Mon 2027-03-15 oooooo!!#########!!!!!!!",
                "Tue 2027-03-16 oooooo!!#########!!!!!!!",
                "Wed 2027-03-17 oooooo!!#########!!!!!!!",
                // A holiday.
                "Thu 2027-03-18 ........................",
                "Fri 2027-03-19 oooooo!!#########.......",
                "Sat 2027-03-20 ........................",
            ]
        );
        // The hour that is shown twice is one character, and either showing is enough to mark it.
        let second = Span {
            from: "2027-11-07T06:30:00Z".parse().unwrap(),
            to: "2027-11-07T06:31:00Z".parse().unwrap(),
        };
        let none = Spans::default();
        let lines = picture(&zone, date(2027, 11, 7), &of("24x7"), &second.into(), &none);
        assert_eq!(lines[1], "Sun 2027-11-07 #o######################");
        assert_eq!(zone.hours(date(2027, 11, 7))[1].length().as_hours(), 2);
    }
}
