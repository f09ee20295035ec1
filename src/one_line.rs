//! Text that somebody else chose, made fit for one line of the log.

/// `text` with control characters escaped, cut after 500 characters: it may hold what a peer sent.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (index, character) in text.chars().enumerate() {
        match character {
            _ if index == MOST => {
                line.push('…');
                break;
            }
            // Some of what looks at logs breaks lines at the last two as well.
            _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
                line.extend(character.escape_default());
            }
            _ => line.push(character),
        }
    }
    line
}

const MOST: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_and_is_cut() {
        assert_eq!(one_line("é: a\r\nb\u{1b}[2J\u{85}\u{2028}"), "é: a\\r\\nb\\u{1b}[2J\\u{85}\\u{2028}");
        assert_eq!(one_line(&"x".repeat(500)), "x".repeat(500));
        assert_eq!(one_line(&"é".repeat(501)), "é".repeat(500) + "…");
    }
}
