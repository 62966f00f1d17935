//! Exact decimal fractions, so that `addf 0.1 0.2` is 0.3.

use num_bigint::{BigInt, Sign};

use crate::error::FuncError;

/// Decimals after the point that a division keeps.
const DIVISION_PLACES: i64 = 16;

/// `digits * 10^exponent`.
#[derive(Debug, Clone)]
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal fraction that reads back as this float.
    pub(super) fn new(number: f64) -> Result<Self, FuncError> {
        if !number.is_finite() {
            let shown = match number {
                _ if number.is_nan() => "NaN",
                _ if number > 0.0 => "+Inf",
                _ => "-Inf",
            };
            return Err(FuncError::new(format!(
                "Cannot create a Decimal from {shown}"
            )));
        }
        let shortest = format!("{number:e}");
        let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        Ok(Self {
            digits: digits.parse().unwrap_or_default(),
            exponent: exponent.parse().unwrap_or(0) - fraction.len() as i64,
        })
    }

    /// The nearest float.
    pub(super) fn to_f64(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or_default()
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self {
            digits: self.scaled(exponent) + other.scaled(exponent),
            exponent,
        }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self {
            digits: self.scaled(exponent) - other.scaled(exponent),
            exponent,
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self {
            digits: &self.digits * &other.digits,
            exponent: self.exponent + other.exponent,
        }
    }

    /// Rounds the last kept place away from zero from one half on.
    pub(super) fn over(&self, other: &Self) -> Result<Self, FuncError> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let (numerator, denominator) = if shift < 0 {
            (self.digits.clone(), &other.digits * power_of_ten(-shift))
        } else {
            (&self.digits * power_of_ten(shift), other.digits.clone())
        };
        let quotient = &numerator / &denominator;
        let rest = numerator.magnitude() % denominator.magnitude();
        let away = rest * 2_u8 >= *denominator.magnitude();
        let step = match (away, numerator.sign() == denominator.sign()) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => -1,
        };
        Ok(Self {
            digits: quotient + step,
            exponent: -DIVISION_PLACES,
        })
    }

    /// The digits for a smaller exponent.
    fn scaled(&self, exponent: i64) -> BigInt {
        &self.digits * power_of_ten(self.exponent - exponent)
    }
}

fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or_default())
}
