//! Messages compressed with gzip, decompressed whole before tonic reads them.
//!
//! tonic decompresses only the first member of a gzip message and drops the rest, so a part of a request
//! could be lost without an error. A gzip message may have several members, whose contents are joined (RFC
//! 1952 §2.2); bytes that are no member are an error.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use hyper::body::Bytes;
use prost::bytes::{Buf, BytesMut};

use super::message_bytes::PREFIX_BYTES;
use crate::refusal::Refusal;

/// The fewest bytes that a gzip member counts as, so that a message of empty members takes bounded time: 256
/// members, as many as the smallest message limit allows, take a third of a millisecond.
const MEMBER_BYTES_MIN: usize = 64;

/// The bytes in and out after which other calls have a turn: a fifth of a millisecond.
const TURN_BYTES: usize = 8 * 1024;

/// The decompressor of a call whose client compresses with gzip.
pub(super) struct Gzip {
    /// The bytes that have arrived and are not passed on as a message yet.
    come: BytesMut,
    /// The limit of a message, both compressed and decompressed.
    bytes_max: usize,
    /// The bytes in and out since the last turn of other calls.
    worked_bytes: usize,
}

impl Gzip {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { come: BytesMut::new(), bytes_max, worked_bytes: 0 }
    }

    pub(super) fn add(&mut self, data: &[u8]) {
        self.come.extend_from_slice(data);
    }

    /// Whether other calls must have their turn now. After `true`, the count begins again.
    pub(super) fn gives_turn(&mut self) -> bool {
        let gives_turn = self.worked_bytes >= TURN_BYTES;
        if gives_turn {
            self.worked_bytes = 0;
        }
        gives_turn
    }

    /// The next complete message, decompressed, with its prefix.
    ///
    /// # Errors
    /// If the message is too large, or its bytes are not gzip from the first to the last.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Some((&[flag, ref length @ ..], rest)) = self.come.split_first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > self.bytes_max {
            return Err(Refusal::message_too_large(self.bytes_max));
        }
        if rest.len() < length {
            return Ok(None);
        }
        // A message may also be uncompressed. tonic refuses any other flag.
        if flag != 1 {
            return Ok(Some(self.come.split_to(PREFIX_BYTES + length).freeze()));
        }
        let message = decompressed(&rest[..length], self.bytes_max)?;
        self.come.advance(PREFIX_BYTES + length);
        self.worked_bytes += length + message.len();
        Ok(Some(message.into()))
    }

    /// # Errors
    /// If the last message is incomplete.
    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.come.is_empty() {
            return Ok(());
        }
        Err(Refusal::invalid("message", "a última mensagem desta chamada está incompleta"))
    }
}

/// The content of all gzip members, after the prefix of an uncompressed message.
pub(in crate::server) fn decompressed(bytes: &[u8], bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let members_max = bytes_max / MEMBER_BYTES_MIN;
    let mut message = vec![0; PREFIX_BYTES];
    let mut decoder = GzDecoder::new(bytes);
    for _ in 0..members_max {
        let left = PREFIX_BYTES + bytes_max - message.len();
        // The limit is one byte more than fits, to notice that the content does not fit.
        decoder.by_ref().take(left as u64 + 1).read_to_end(&mut message).map_err(no_gzip)?;
        if message.len() > PREFIX_BYTES + bytes_max {
            return Err(Refusal::message_too_large(bytes_max));
        }
        let rest = *decoder.get_ref();
        if rest.is_empty() {
            let length = u32::try_from(message.len() - PREFIX_BYTES);
            let length = length.map_err(|_| Refusal::message_too_large(bytes_max))?;
            message[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
            return Ok(message);
        }
        decoder.reset(rest);
    }
    Err(too_many_members(members_max))
}

fn no_gzip(error: io::Error) -> Refusal {
    tracing::debug!(%error, "a compressed message cannot be read");
    let what = "a mensagem comprimida não é gzip do primeiro ao último byte: \
                está cortada, danificada ou tem bytes depois do fim";
    Refusal::invalid("message", what)
}

fn too_many_members(count_max: usize) -> Refusal {
    let what = format!("a mensagem comprimida tem mais de {count_max} partes (membros) gzip");
    Refusal::invalid("message", what)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::refusal::Code;

    const BYTES_MAX: usize = 1024;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn message(flag: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap();
        [&[flag], &length.to_be_bytes()[..], bytes].concat()
    }

    fn decompress(bytes: &[u8]) -> Result<Vec<u8>, Code> {
        decompressed(bytes, BYTES_MAX).map_err(|refusal| refusal.code)
    }

    #[test]
    fn messages_come_in_any_pieces() {
        let sent = [
            message(1, &member(b"Caju")),
            message(0, b"Pera"),
            message(1, &[member(b"Ma"), member(b""), member(b"ca")].concat()),
            message(1, &member(b"")),
        ]
        .concat();
        let plain = [message(0, b"Caju"), message(0, b"Pera"), message(0, b"Maca"), message(0, b"")];
        for piece in 1..=sent.len() {
            let mut gzip = Gzip::new(BYTES_MAX);
            let mut come = Vec::new();
            for part in sent.chunks(piece) {
                gzip.add(part);
                while let Some(message) = gzip.next().unwrap() {
                    come.push(message);
                }
            }
            assert_eq!(come, plain, "pieces of {piece} bytes");
            gzip.end().unwrap();
            gzip.add(b"\x01");
            assert_eq!(gzip.end().unwrap_err().code, Code::InvalidArgument);
        }
    }

    #[test]
    fn all_of_the_bytes_are_gzip() {
        let whole = [member(b"Ca"), member(b"ju")].concat();
        assert_eq!(decompress(&whole).unwrap(), message(0, b"Caju"));
        for length in (0..whole.len()).filter(|length| *length != member(b"Ca").len()) {
            assert_eq!(decompress(&whole[..length]), Err(Code::InvalidArgument), "{length} bytes");
        }
        for behind in [&b"\0"[..], b"lixo", &[0; 30], b"\x1f\x8b"] {
            assert_eq!(decompress(&[&whole[..], behind].concat()), Err(Code::InvalidArgument), "{behind:?}");
        }
        // The bytes at the end of each member are its checksum and its length.
        for at in [member(b"Ca").len() - 8, member(b"Ca").len() - 1, whole.len() - 5, whole.len() - 4] {
            let mut wrong = whole.clone();
            wrong[at] ^= 1;
            assert_eq!(decompress(&wrong), Err(Code::InvalidArgument), "byte {at}");
        }
    }

    #[test]
    fn the_content_and_the_members_are_limited() {
        let content = [b'x'; BYTES_MAX];
        let (half, rest) = content.split_at(BYTES_MAX / 2);
        for whole in [member(&content), [member(half), member(rest)].concat()] {
            assert_eq!(decompress(&whole).unwrap(), message(0, &content));
            let more = [&whole[..], &member(b"x")].concat();
            assert_eq!(decompress(&more), Err(Code::ResourceExhausted));
        }
        let count_max = BYTES_MAX / MEMBER_BYTES_MIN;
        assert_eq!(decompress(&member(b"x").repeat(count_max)).unwrap(), message(0, &content[..count_max]));
        assert_eq!(decompress(&member(b"x").repeat(count_max + 1)), Err(Code::InvalidArgument));
        let mut gzip = Gzip::new(BYTES_MAX);
        gzip.add(&message(1, &[0; BYTES_MAX + 1])[..PREFIX_BYTES]);
        assert_eq!(gzip.next().unwrap_err().code, Code::ResourceExhausted);
    }
}
