/// The text as one word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@,+".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_can_be_pasted_into_a_shell() {
        assert_eq!(shell_word("sqlite:///tmp/a.db"), "sqlite:///tmp/a.db");
        assert_eq!(shell_word("sqlite:///it's; rm"), r"'sqlite:///it'\''s; rm'");
        assert_eq!(shell_word(""), "''");
    }
}
