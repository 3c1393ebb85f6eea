use internal_notifications_service::RecordKey;
use sha2::{Digest, Sha256};

/// Returns the file name of a record without its extension: 32 hexadecimal digits, which are a name
/// on every file system, whatever the URL and the user are.
pub(crate) fn file_name(key: &RecordKey) -> String {
    let mut hash = Sha256::new();
    hash.update(key.server());
    // No URL contains a line feed.
    hash.update("\n");
    hash.update(key.user_id().as_str());
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(server: &str, user: &str) -> String {
        file_name(&RecordKey::new(server, user.parse().unwrap()))
    }

    #[test]
    fn each_server_and_user_has_a_name_of_digits() {
        let ada = name("https://example.com/", "ada");
        assert_eq!(ada, "98cd3467b0281f3b9eddf9baa194b139");
        assert_ne!(ada, name("https://example.com/a", "da"));
        assert_ne!(ada, name("https://example.com/", "Ada"));
        let strange = name("https://example.com/../..", "..");
        assert!(strange.len() == 32 && strange.bytes().all(|byte| byte.is_ascii_hexdigit()), "{strange}");
    }
}
