//! What the client subcommands have in common: a method by name, and how a number is typed and printed.

use clap::ValueEnum;

/// A method of Calculate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    /// The square ROOT
    Square,
    /// The square
    Cal,
}

/// Reads a number as Python's `float` does; `None` for what is none.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// A number as Python prints it: `3.0`, `1e+300`, `inf`, `nan`.
pub(super) fn display(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            match exponent.strip_prefix('-') {
                Some(exponent) => format!("{digits}e-{exponent:0>2}"),
                None => format!("{digits}e+{exponent:0>2}"),
            }
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_python_prints_them() {
        let cases = [
            (3.0, "3.0"),
            (1e300, "1e+300"),
            (1.5e-9, "1.5e-09"),
            (-0.0, "-0.0"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ];
        for (value, text) in cases {
            assert_eq!(display(value), text);
        }
    }
}
