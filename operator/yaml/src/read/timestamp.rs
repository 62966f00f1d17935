//! Which texts go-yaml takes for timestamps. They stay text; what matters is that they are quoted on the way out.

/// Whether go-yaml reads the text as a date, or as a date with a time.
pub(super) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if leading_digits(bytes) != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let mut scan = Scan { rest: bytes };
    let Some(()) = scan.date() else { return false };
    match scan.rest {
        [] => true,
        [b'T' | b't', rest @ ..] => {
            let mut scan = Scan { rest };
            scan.clock().is_some() && scan.zone().is_some() && scan.rest.is_empty()
        }
        [b' ', rest @ ..] => {
            let blanks = rest.iter().take_while(|b| **b == b' ').count();
            let mut scan = Scan {
                rest: &rest[blanks..],
            };
            scan.clock().is_some() && scan.rest.is_empty()
        }
        _ => false,
    }
}

fn leading_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

struct Scan<'t> {
    rest: &'t [u8],
}

impl Scan<'_> {
    fn date(&mut self) -> Option<()> {
        let year = self.fixed(4)?;
        self.expect(b'-')?;
        let month = self.one_or_two()?;
        self.expect(b'-')?;
        let day = self.one_or_two()?;
        (1..=12).contains(&month).then_some(())?;
        (1..=days(year, month)).contains(&day).then_some(())
    }

    /// Hours, minutes, seconds and an optional fraction.
    fn clock(&mut self) -> Option<()> {
        let hour = self.one_or_two()?;
        self.expect(b':')?;
        let minute = self.one_or_two()?;
        self.expect(b':')?;
        let second = self.one_or_two()?;
        if let [b'.' | b',', after @ ..] = self.rest {
            let digits = leading_digits(after);
            if digits > 0 {
                self.rest = &after[digits..];
            }
        }
        (hour < 24 && minute < 60 && second < 60).then_some(())
    }

    /// `Z`, or hours and minutes with a sign.
    fn zone(&mut self) -> Option<()> {
        match self.rest {
            [b'Z', rest @ ..] => {
                self.rest = rest;
                Some(())
            }
            [b'+' | b'-', rest @ ..] => {
                self.rest = rest;
                let hour = self.fixed(2)?;
                self.expect(b':')?;
                let minute = self.fixed(2)?;
                (hour <= 24 && minute <= 60).then_some(())
            }
            _ => None,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    fn fixed(&mut self, count: usize) -> Option<u32> {
        (leading_digits(self.rest) >= count).then_some(())?;
        Some(self.number(count))
    }

    fn one_or_two(&mut self) -> Option<u32> {
        match leading_digits(self.rest) {
            0 => None,
            1 => Some(self.number(1)),
            _ => Some(self.number(2)),
        }
    }

    fn number(&mut self, count: usize) -> u32 {
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    }
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}
