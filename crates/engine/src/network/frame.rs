//! How netlink(7) packs messages into datagrams, and attributes into messages.

/// The length of a message's header.
pub(crate) const HEADER: usize = 16;

/// One message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: u16,
    pub(crate) sequence: u32,
    /// The whole of it, header and all.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// What follows the header.
    pub(crate) fn body(&self) -> &'a [u8] {
        &self.bytes[HEADER..]
    }
}

/// The messages of a datagram, up to the first that is malformed.
pub(crate) fn frames(datagram: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let header: &[u8; HEADER] = rest.first_chunk()?;
        let word = |at: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
        let length = word(0) as usize;
        if length < HEADER {
            return None;
        }
        let bytes = rest.get(..length)?;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Frame {
            kind,
            sequence: word(8),
            bytes,
        })
    })
}

/// The attributes of a message, as kind and value; the flags in the kind are left out.
pub(crate) fn attributes(body: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let [a, b, c, d] = *rest.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & 0x3fff, value))
    })
}

/// Appends an attribute. A longer value than a message can hold is cut, and refused by the kernel.
pub(crate) fn put_attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        let length = u32::try_from(HEADER + body.len()).expect("a length");
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend([0; 2]);
        message.extend(sequence.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(body);
        message.resize(message.len().next_multiple_of(4), 0);
        message
    }

    #[test]
    fn messages_and_attributes_come_apart_as_they_were_put_together() {
        let mut body = Vec::new();
        put_attribute(&mut body, 1, b"tool0\0");
        put_attribute(&mut body, 0x8002, &[7]);
        let mut datagram = message(24, 5, &body);
        datagram.extend(message(2, 6, &[]));
        let frames: Vec<_> = frames(&datagram).collect();
        assert_eq!(frames.len(), 2);
        assert_eq!((frames[0].kind, frames[0].sequence), (24, 5));
        assert_eq!((frames[1].kind, frames[1].sequence), (2, 6));
        let attributes: Vec<_> = attributes(frames[0].body()).collect();
        assert_eq!(attributes, [(1, &b"tool0\0"[..]), (2, &[7][..])]);
    }

    #[test]
    fn what_is_cut_off_is_left_out() {
        let whole = message(1, 1, &[1, 2, 3, 4]);
        for length in 0..whole.len() {
            assert_eq!(frames(&whole[..length]).count(), 0);
        }
        let mut body = Vec::new();
        put_attribute(&mut body, 1, &[1, 2, 3, 4]);
        for length in 0..body.len() {
            assert_eq!(attributes(&body[..length]).count(), 0);
        }
        assert_eq!(attributes(&[0; 8]).count(), 0);
    }
}
