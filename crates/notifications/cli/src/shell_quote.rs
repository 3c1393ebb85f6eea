/// Quotes text as one word of a POSIX shell.
pub(crate) fn shell_quote(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@,+".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_can_be_pasted_into_a_shell() {
        assert_eq!(shell_quote("sqlite:///tmp/a.db"), "sqlite:///tmp/a.db");
        assert_eq!(shell_quote("sqlite:///it's; rm"), r"'sqlite:///it'\''s; rm'");
        assert_eq!(shell_quote(""), "''");
    }
}
