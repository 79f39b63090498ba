//! Bytes as people copy them and addresses carry them: two digits a byte, in small letters.

/// The hex of some bytes.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of such hex; `None` when it is none.
#[must_use]
pub fn bytes(hex: &str) -> Option<Vec<u8>> {
    // A sign is a number's, and no digit.
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_hex_and_anything_else_is_none() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&of(&all)), Some(all));
        assert_eq!(bytes("Ff00"), Some(vec![255, 0]));
        for none in ["f", "0g", "+f", " f", "ffé"] {
            assert_eq!(bytes(none), None, "{none}");
        }
    }
}
