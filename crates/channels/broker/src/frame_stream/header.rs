/// The header of an unmasked text frame that is a whole message (RFC 6455, section 5.2).
pub(super) struct Header {
    bytes: [u8; 10],
    length: usize,
}

const FINAL_TEXT: u8 = 0x81;

impl Header {
    /// Returns the header of a text of `length` bytes.
    pub(super) fn new(length: usize) -> Self {
        let [a, b, c, d, e, f, g, h] = (length as u64).to_be_bytes();
        let (bytes, length) = match length {
            0..=125 => ([FINAL_TEXT, h, 0, 0, 0, 0, 0, 0, 0, 0], 2),
            126..=0xffff => ([FINAL_TEXT, 126, g, h, 0, 0, 0, 0, 0, 0], 4),
            _ => ([FINAL_TEXT, 127, a, b, c, d, e, f, g, h], 10),
        };
        Self { bytes, length }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }
}

impl AsRef<[u8]> for Header {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    #[test]
    fn a_header_is_that_of_the_websocket_layer() {
        let theirs = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        for length in [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 100_000, 20_000_000] {
            let mut expected = Vec::new();
            theirs.format(length as u64, &mut expected).unwrap();
            assert_eq!(Header::new(length).as_ref(), expected, "{length}");
        }
    }
}
