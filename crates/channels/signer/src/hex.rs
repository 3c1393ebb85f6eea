/// Appends `bytes` as lower-case hexadecimal digits.
pub(crate) fn push<const N: usize>(text: &mut String, bytes: [u8; N]) {
    let mut pairs = [[0; 2]; N];
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0xf)];
    }
    if let Ok(digits) = std::str::from_utf8(pairs.as_flattened()) {
        text.push_str(digits);
    }
}

fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) }
}

/// Decodes a SHA-256 value from exactly 64 hexadecimal digits of either case.
pub(crate) fn decode(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (value(*high)? << 4) | value(*low)?;
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_digits_are_lower_case_and_decode() {
        let bytes: [u8; 32] = std::array::from_fn(|i| (i * 8 + i / 4) as u8);
        let mut text = String::new();
        push(&mut text, bytes);
        let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, expected);
        assert_eq!(decode(&text), Some(bytes));
        assert_eq!(decode(&text.to_uppercase()), Some(bytes));
    }

    #[test]
    fn only_64_hexadecimal_digits_decode() {
        let good = "0f".repeat(32);
        assert!(decode(&good).is_some());
        for bad in [
            String::new(),
            "000".into(),
            "0f".repeat(31) + "0",
            format!("{good}0"),
            format!("{good}00"),
            good.replacen('f', "g", 1),
            good.replacen('f', "\n", 1),
            format!("0x{}", "0f".repeat(31)),
            "é".repeat(32),
            "+f".repeat(32),
        ] {
            assert_eq!(decode(&bad), None, "{bad:?}");
        }
    }
}
