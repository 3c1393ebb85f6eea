use pusher_signer::encrypted::SharedSecret;
use pusher_signer::{EncryptionMasterKey, ErrorKind};
use serde_json::json;

use crate::authorizations::channel;
use crate::vectors::{Secretbox, section};

const CHANNEL: &str = "private-encrypted-user-42";

fn secret() -> SharedSecret {
    SharedSecret::derive(&channel(CHANNEL), &EncryptionMasterKey::new(*b"01234567890123456789012345678901"))
}

#[test]
fn published_boxes_open_and_broken_ones_do_not() {
    let vectors: Vec<Secretbox> = section("secretbox", 20);
    for vector in &vectors {
        let secret = SharedSecret::from_base64(&vector.shared_secret_base64).unwrap();
        let data = json!({"nonce": vector.nonce_base64, "ciphertext": vector.ciphertext_base64}).to_string();
        match &vector.plaintext {
            Some(plaintext) => assert_eq!(&secret.open(&data).unwrap(), plaintext),
            None => assert_eq!(secret.open(&data).unwrap_err().kind(), ErrorKind::Decryption),
        }
    }
    assert_eq!(vectors.iter().filter(|vector| vector.must_fail).count(), 4);
}

#[test]
fn sealing_with_a_published_nonce_reproduces_the_published_ciphertext() {
    use base64::Engine as _;
    let mut whole = 0;
    for vector in section::<Secretbox>("secretbox", 20) {
        let Some(plaintext) = vector.plaintext else { continue };
        let secret = SharedSecret::from_base64(&vector.shared_secret_base64).unwrap();
        let nonce = base64::engine::general_purpose::STANDARD.decode(&vector.nonce_base64).unwrap();
        let sealed = secret.seal(nonce.try_into().unwrap(), &plaintext);
        let expected =
            format!(r#"{{"nonce":"{}","ciphertext":"{}"}}"#, vector.nonce_base64, vector.ciphertext_base64);
        assert_eq!(sealed, expected);
        if let Some(event_data) = vector.event_data {
            let master_key: EncryptionMasterKey =
                vector.encryption_master_key_base64.unwrap().parse().unwrap();
            assert_eq!(
                SharedSecret::derive(&channel(&vector.channel.unwrap()), &master_key),
                secret,
                "derived from the master key"
            );
            assert_eq!(sealed, event_data);
            whole += 1;
        }
    }
    assert_eq!(whole, 1);
}

#[test]
fn the_shared_secret_of_an_answer_is_the_key() {
    let master_key = EncryptionMasterKey::new(*b"01234567890123456789012345678901");
    let text = master_key.shared_secret(&channel(CHANNEL));
    assert_eq!(SharedSecret::from_base64(&text).unwrap(), secret());
    assert_eq!(
        text.trim_end_matches('=').parse::<SharedSecret>().unwrap(),
        secret(),
        "without padding, as the Java library sends it"
    );
    assert_eq!(secret().to_base64(), text);
    for bad in ["", "AAAA", &format!("{text}\n"), &format!("A{text}"), "é"] {
        assert_eq!(SharedSecret::from_base64(bad).unwrap_err().kind(), ErrorKind::EncryptionKey, "{bad:?}");
    }
}

#[test]
fn data_that_is_not_encrypted_differs_from_data_of_another_key() {
    let sealed = secret().seal([7; 24], r#"{"n":1}"#);
    assert_eq!(secret().open(&sealed).unwrap(), r#"{"n":1}"#);
    let other =
        SharedSecret::derive(&channel("private-encrypted-user-43"), &EncryptionMasterKey::new([0; 32]));
    assert_eq!(other.open(&sealed).unwrap_err().kind(), ErrorKind::Decryption);
    for data in [
        "",
        "text",
        "{}",
        r#"{"nonce":"AAAA"}"#,
        r#"{"nonce":"AAAA","ciphertext":"AAAA"}"#,
        r#"{"nonce":1,"ciphertext":2}"#,
        r#"["AAECAwQFBgcICQoLDA0ODxAREhMUFRYX","AAAA"]"#,
        r#"{"nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX","ciphertext":"!"}"#,
    ] {
        assert_eq!(secret().open(data).unwrap_err().kind(), ErrorKind::Envelope, "{data}");
    }
    // Shorter than the authentication tag.
    let short = r#"{"nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX","ciphertext":"AAAA"}"#;
    assert_eq!(secret().open(short).unwrap_err().kind(), ErrorKind::Decryption);
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", secret()), "SharedSecret(..)");
}
