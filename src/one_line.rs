//! Text that somebody else chose, made fit for one line of a log, an error's text or a terminal.

/// `text` with escapes for what cannot be seen, cut after 500 characters: it may hold what a peer sent.
///
/// The same in every language: `idl/vectors/one_line.tsv`.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (index, character) in text.chars().enumerate() {
        match character {
            _ if index == MOST => {
                line.push('…');
                break;
            }
            '\n' | '\r' | '\t' => line.extend(character.escape_default()),
            _ if can_be_seen(character) => line.push(character),
            _ => line.extend(character.escape_unicode()),
        }
    }
    line
}

fn can_be_seen(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{2028}' | '\u{2029}' => false,
        _ if character.is_control() => false,
        _ if character.is_whitespace() => true,
        // As the standard library has it of a character that does not begin a text, where it escapes joining marks.
        _ => String::from_iter(['x', character]).escape_debug().eq(['x', character]),
    }
}

const MOST: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_the_vectors_say() {
        for row in include_str!("../idl/vectors/one_line.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (text, line) = row.split_once('\t').expect("two columns");
            assert_eq!(one_line(&unescaped(text)), line);
        }
    }

    fn unescaped(text: &str) -> String {
        let mut parts = text.split("\\u{");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (code, rest) = part.split_once('}').expect("a closing brace");
            whole.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32).expect("a code point"));
            whole.push_str(rest);
        }
        whole
    }
}
