//! The text protocol: one line asks, one or more lines and an empty one answer.

use std::fmt::{self, Write};

use super::NotAReply;
use crate::catalog::{Movement, Name, Price, Product, Quantity, Sentence};
use crate::operation::{
    AdjustRequest, FAREWELL, NO_PRODUCT, ProductReply, Reply, Request, split_word, write_product_line,
};
use crate::refusal::{Code, Refusal};

/// Longest line, in bytes, without its line end. The original received 1024 at once; a
/// name of 64 characters and a request id fit many times over.
pub const LINE_BYTES_MAX: usize = 2048;

/// What a server that serves only gRPC answers to text, and closes.
pub const GRPC_ONLY: &str = "Erro UNKNOWN_COMMAND: este servidor atende só gRPC. \
    Nada foi feito; use um cliente gRPC, ou inicie o servidor com --socket.";

/// What a server that serves only text answers to gRPC (see [`super::goaway`]).
pub const TEXT_ONLY: &str = "Erro UNKNOWN_COMMAND: este servidor atende só o protocolo de texto. \
    Nada foi feito; use um cliente de texto, ou inicie o servidor com --grpc.";

/// What a server that speaks only TLS answers to a client that does not.
pub const TLS_ONLY: &str = "Erro UNKNOWN_COMMAND: este servidor atende só por TLS. \
    Nada foi feito; use --tls, e --tls-ca se a autoridade dele é só sua.";

/// What a server that does not speak TLS answers to a client that does, which takes it for a
/// record of an unknown kind, and knows by that what it has before it.
pub const NO_TLS: &str = "Erro UNKNOWN_COMMAND: este servidor atende sem TLS. \
    Nada foi feito; use um cliente sem TLS, ou inicie o servidor com --tls-cert e --tls-key.";

/// The word before a secret: `token SECRET`, with which a client says who it is.
const TOKEN: &str = "token";

/// What is shown of such a line.
const TOKEN_SHOWN: &str = "token …";

/// Writes the command with which a client says who it is, with its line end.
pub fn write_token(secret: &str) -> String {
    format!("{TOKEN} {secret}\n")
}

/// Whether a line begins as one with a secret, however it goes on: what is mistyped is
/// perhaps a secret all the same.
fn has_token(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t']);
    line.get(..TOKEN.len()).is_some_and(|word| word.eq_ignore_ascii_case(TOKEN))
}

/// One command as it came.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line, without its line end.
    Line(&'a str),
    /// A line that is not UTF-8.
    NotUtf8,
    /// A line of more than [`LINE_BYTES_MAX`] bytes. None of it was kept.
    TooLong,
    /// The connection ended in the middle of a line.
    Cut,
}

/// Cuts what comes on a connection into commands, with at most one line kept.
///
/// The original's client ends no line, so text on a connection that has never sent a line
/// end is a command once the connection falls silent ([`Frames::take_unended`]). A
/// connection that has once sent a line end is never read so: a line cut in two by the
/// network must not become a wrong change.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Where the first command not yet taken starts.
    start: usize,
    /// How far the buffer has been searched for a line end.
    searched: usize,
    has_seen_line_end: bool,
    /// The line is too long, and its bytes are dropped until it ends.
    is_skipping: bool,
}

impl Frames {
    /// Where to append what was read.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        &mut self.buffer
    }

    /// Gives up a buffer that holds nothing: most connections are idle.
    pub fn release(&mut self) -> Option<Vec<u8>> {
        (self.start == self.buffer.len()).then(|| {
            self.clear();
            std::mem::take(&mut self.buffer)
        })
    }

    /// The complete lines that have come.
    pub fn take_lines(&mut self) -> Lines<'_> {
        let Some(offset) = memchr::memrchr(b'\n', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            if self.searched - self.start > LINE_BYTES_MAX + 1 {
                self.is_skipping = true;
            }
            if self.is_skipping {
                self.clear();
            }
            return Lines::default();
        };
        let lines = self.start..self.searched + offset + 1;
        self.start = lines.end;
        self.searched = lines.end;
        self.has_seen_line_end = true;
        let bytes = &self.buffer[lines];
        // All at once: a line at a time costs a tenth of a read with accents.
        let text = simdutf8::basic::from_utf8(bytes).ok();
        Lines { bytes, text, start: 0, is_first_too_long: std::mem::take(&mut self.is_skipping) }
    }

    /// Whether there is text that is a command if the connection now falls silent.
    pub fn may_be_unended(&self) -> bool {
        !self.has_seen_line_end && self.has_rest()
    }

    /// The text without a line end, taken as a command: the connection has fallen silent
    /// or ended. `None` on a connection that ends its lines.
    pub fn take_unended(&mut self) -> Option<Frame<'_>> {
        if !self.may_be_unended() {
            return None;
        }
        if std::mem::take(&mut self.is_skipping) {
            return Some(Frame::TooLong);
        }
        let text = self.start..self.buffer.len();
        self.start = text.end;
        self.searched = text.end;
        Some(frame(&self.buffer[text]))
    }

    /// What is left when the connection has ended.
    pub fn take_last(&mut self) -> Option<Frame<'_>> {
        if self.has_seen_line_end && self.has_rest() {
            self.is_skipping = false;
            self.clear();
            return Some(Frame::Cut);
        }
        self.take_unended()
    }

    fn has_rest(&self) -> bool {
        self.is_skipping || self.buffer.len() > self.start
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.searched = 0;
    }
}

/// Lines that are complete, each a command.
#[derive(Debug, Default)]
pub struct Lines<'a> {
    /// All of them, with their line ends.
    bytes: &'a [u8],
    /// The same, where all of it is UTF-8.
    text: Option<&'a str>,
    start: usize,
    is_first_too_long: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let length = memchr::memchr(b'\n', &self.bytes[self.start..])?;
        let line = self.start..self.start + length;
        self.start = line.end + 1;
        if std::mem::take(&mut self.is_first_too_long) {
            return Some(Frame::TooLong);
        }
        match self.text {
            Some(text) => {
                let line = &text[line];
                let line = line.strip_suffix('\r').unwrap_or(line);
                Some(if line.len() > LINE_BYTES_MAX { Frame::TooLong } else { Frame::Line(line) })
            }
            None => Some(frame(&self.bytes[line])),
        }
    }
}

fn frame(line: &[u8]) -> Frame<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LINE_BYTES_MAX {
        return Frame::TooLong;
    }
    std::str::from_utf8(line).map_or(Frame::NotUtf8, Frame::Line)
}

impl<'a> Frame<'a> {
    /// The request in it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn request(&self) -> Result<Request<'a>, Refusal> {
        match self {
            Frame::Line(line) => Request::parse(line),
            Frame::NotUtf8 => Err(Refusal::invalid("command", "a linha não é UTF-8")),
            Frame::TooLong => Err(Refusal::new(
                Code::ResourceExhausted,
                format!(
                    "a linha tem mais de {LINE_BYTES_MAX} bytes. Nada foi feito; envie uma linha mais curta."
                ),
            )),
            Frame::Cut => Err(Refusal::new(
                Code::UnknownCommand,
                "a conexão terminou no meio de uma linha. A linha não foi executada; envie-a de novo.",
            )),
        }
    }

    /// The secret, where this is the command that shows one.
    pub fn token(&self) -> Option<&'a str> {
        let Frame::Line(line) = self else { return None };
        let (word, secret) = split_word(line);
        word.eq_ignore_ascii_case(TOKEN).then(|| secret.trim_matches([' ', '\t']))
    }
}

impl fmt::Display for Frame<'_> {
    /// The text of it, as far as it is text and no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Frame::Line(line) if has_token(line) => TOKEN_SHOWN,
            Frame::Line(line) => line,
            Frame::NotUtf8 => "(linha que não é UTF-8)",
            Frame::TooLong => "(linha longa demais)",
            Frame::Cut => "(linha incompleta)",
        })
    }
}

/// Writes one product as a whole reply.
pub fn write_product(out: &mut String, product: &Product) {
    write_list_line(out, product);
    out.push('\n');
}

/// Writes a product as a change left it, as a whole reply.
pub fn write_adjusted(out: &mut String, product: &Product, movement: &Movement) {
    let _ = write_product_line(out, &product.name, movement.price, movement.balance);
    out.push_str("\n\n");
}

/// Writes one product of a list; [`write_list_end`] ends it.
pub fn write_list_line(out: &mut String, product: &Product) {
    // Writing to a string cannot fail.
    let _ = write_product_line(out, &product.name, product.price, product.stock);
    out.push('\n');
}

/// Ends a list.
pub fn write_list_end(out: &mut String, is_empty: bool) {
    if is_empty {
        write_message(out, NO_PRODUCT);
    } else {
        out.push('\n');
    }
}

/// Writes a refusal as a whole reply.
pub fn write_refusal(out: &mut String, refusal: &Refusal) {
    let _ = write!(out, "Erro {}: {}\n\n", refusal.code.as_str(), refusal.message);
}

/// Writes a line as a whole reply.
pub fn write_message(out: &mut String, message: &str) {
    out.push_str(message);
    out.push_str("\n\n");
}

/// A line as a whole reply.
pub fn message(line: &str) -> String {
    let mut reply = String::new();
    write_message(&mut reply, line);
    reply
}

/// Writes a request as a line, with its line end.
///
/// # Errors
/// Where a name could not be one: it might carry a line end, and so a second command.
/// `UNAVAILABLE` for an import, which has no form in this protocol.
pub fn write_request(request: &Request<'_>) -> Result<String, Refusal> {
    match request {
        Request::Find { name } | Request::Adjust(AdjustRequest { name, .. }) => {
            Name::parse(name).map_err(|error| Refusal::name(&error))?;
        }
        Request::Import(_) => {
            return Err(Refusal::new(
                Code::Unavailable,
                "uma lista de produtos só vai por gRPC, e este servidor atende só texto. \
                 Nada foi alterado; inicie o servidor também com --grpc.",
            ));
        }
        Request::List { .. } | Request::Leave => {}
    }
    Ok(format!("{request}\n"))
}

/// Reads a whole reply, without its empty line, as the answer to this request.
///
/// # Errors
/// The refusal where it is one; [`NotAReply`] where it is not a reply.
pub fn read_reply(request: &Request<'_>, lines: &[&str]) -> Result<Result<Reply, Refusal>, NotAReply> {
    // A product may be called "Erro INTERNAL", so a product line comes first.
    let products: Option<Vec<ProductReply>> = lines.iter().map(|line| read_product_line(line)).collect();
    match (request, products, lines) {
        (_, _, []) => Err(NotAReply),
        (Request::Leave, _, [line]) if *line == FAREWELL => Ok(Ok(Reply::Farewell)),
        (Request::List { .. }, Some(products), _) => Ok(Ok(Reply::Products(products))),
        (Request::List { .. }, None, [line]) if *line == NO_PRODUCT => Ok(Ok(Reply::Products(Vec::new()))),
        (Request::Find { .. } | Request::Adjust(_), Some(mut products), [_]) => {
            products.pop().map(|product| Ok(Reply::Product(product))).ok_or(NotAReply)
        }
        // A list that could not go on ends like this, too.
        (Request::List { .. }, None, [before @ .., line])
            if before.iter().all(|line| read_product_line(line).is_some()) =>
        {
            read_refusal(line).map(Err).ok_or(NotAReply)
        }
        (_, None, [line]) => read_refusal(line).map(Err).ok_or(NotAReply),
        _ => Err(NotAReply),
    }
}

/// Reads the answer to [`write_token`].
///
/// # Errors
/// The refusal.
pub fn read_token_reply(line: &str) -> Result<(), Refusal> {
    read_refusal(line).map_or(Ok(()), Err)
}

fn read_refusal(line: &str) -> Option<Refusal> {
    let (code, message) = line.strip_prefix("Erro ")?.split_once(": ")?;
    Some(Refusal::new(Code::parse(code)?, Sentence(message).to_string()))
}

fn read_product_line(line: &str) -> Option<ProductReply> {
    let (rest, stock) = line.rsplit_once(", Estoque: ")?;
    let (name, price) = rest.rsplit_once(": R$")?;
    Some(ProductReply {
        name: Name::parse(name).ok()?,
        price: price.parse::<Price>().ok()?,
        stock: stock.parse::<Quantity>().ok()?,
        unit: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_lines(frames: &mut Frames) -> Vec<String> {
        frames.take_lines().map(|frame| frame.to_string()).collect()
    }

    fn taken(frames: &mut Frames) -> Vec<Frame<'_>> {
        frames.take_lines().collect()
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(b"4\r\n1 Ma");
        assert_eq!(all_lines(&mut frames), ["4"]);
        // A connection that ends its lines is never read by silence.
        assert!(!frames.may_be_unended());
        assert_eq!(frames.take_unended(), None);
        frames.buffer().extend_from_slice(b"ca\n\n5");
        assert_eq!(all_lines(&mut frames), ["1 Maca", ""]);
        assert_eq!(frames.take_last(), Some(Frame::Cut));
        assert_eq!(frames.take_last(), None);
    }

    #[test]
    fn only_a_buffer_that_holds_nothing_is_given_up() {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(b"4\n1 Ma");
        assert_eq!(all_lines(&mut frames), ["4"]);
        assert_eq!(frames.release(), None);
        frames.buffer().extend_from_slice(b"ca\n");
        assert_eq!(all_lines(&mut frames), ["1 Maca"]);
        assert_eq!(frames.release(), Some(Vec::new()));
        assert_eq!(frames.buffer().capacity(), 0);
        frames.buffer().extend_from_slice(b"5\n");
        assert_eq!(all_lines(&mut frames), ["5"]);
    }

    #[test]
    fn the_original_ends_no_line() {
        let mut frames = Frames::default();
        for command in ["2 8", "4"] {
            frames.buffer().extend_from_slice(command.as_bytes());
            assert_eq!(taken(&mut frames), []);
            assert!(frames.may_be_unended());
            assert_eq!(frames.take_unended(), Some(Frame::Line(command)));
            assert!(!frames.may_be_unended());
        }
        frames.buffer().extend_from_slice(b"5");
        assert_eq!(frames.take_last(), Some(Frame::Line("5")));
    }

    #[test]
    fn long_lines_are_dropped_and_the_next_is_read() {
        let mut frames = Frames::default();
        for _ in 0..10 {
            frames.buffer().extend_from_slice(&[b'x'; 1000]);
            assert_eq!(taken(&mut frames), []);
            assert!(frames.buffer().len() <= LINE_BYTES_MAX + 1);
        }
        frames.buffer().extend_from_slice(b"x\n4\n");
        assert_eq!(taken(&mut frames), [Frame::TooLong, Frame::Line("4")]);

        let longest = "x".repeat(LINE_BYTES_MAX);
        frames.buffer().extend_from_slice(format!("{longest}\r\n{longest}x\n").as_bytes());
        assert_eq!(taken(&mut frames), [Frame::Line(&longest), Frame::TooLong]);

        let mut original = Frames::default();
        original.buffer().extend_from_slice(&[b'x'; 3000]);
        assert_eq!(taken(&mut original), []);
        assert_eq!(original.take_unended(), Some(Frame::TooLong));
        original.buffer().extend_from_slice(b"4");
        assert_eq!(taken(&mut original), []);
        assert_eq!(original.take_unended(), Some(Frame::Line("4")));
    }

    #[test]
    fn what_is_not_text_is_told() {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(b"1 \xff\n4\n");
        assert_eq!(taken(&mut frames), [Frame::NotUtf8, Frame::Line("4")]);
    }

    #[test]
    fn a_secret_is_read_and_not_shown() {
        for (line, secret) in [
            ("token abc", Some("abc")),
            (" TOKEN\tabc ", Some("abc")),
            ("token", Some("")),
            ("token:abc", None),
            ("tokenabc", None),
        ] {
            let frame = Frame::Line(line);
            assert_eq!((frame.token(), &*frame.to_string()), (secret, "token …"), "{line}");
        }
        for line in ["1 token", "4", "toke", "ação"] {
            let frame = Frame::Line(line);
            assert_eq!((frame.token(), &*frame.to_string()), (None, line));
        }
    }

    #[test]
    fn a_name_that_holds_words_of_the_line_reads_back() {
        for name in [
            "Maca: R$3.0, Estoque: 20",
            ": R$1.0",
            ", Estoque: 1",
            "Erro INTERNAL: defeito",
            NO_PRODUCT,
            FAREWELL,
            "Token aceito: escrita.",
            ".",
            "#812",
        ] {
            let line = format!("{name}: R$5.0, Estoque: 7");
            let product = ProductReply {
                name: Name::parse(name).unwrap(),
                price: "5".parse().unwrap(),
                stock: "7".parse().unwrap(),
                unit: None,
            };
            let found = read_reply(&Request::Find { name }, &[&line]).unwrap();
            assert_eq!(found, Ok(Reply::Product(product.clone())), "{name}");
            let listed = read_reply(&Request::List { max_price: None }, &[&line]).unwrap();
            assert_eq!(listed, Ok(Reply::Products(vec![product])), "{name}");
        }
    }

    #[test]
    fn no_new_product_is_called_like_a_reply() {
        let mut refused = String::new();
        write_refusal(&mut refused, &Refusal::invalid("name", "não"));
        for reply in [refused.trim_end(), NO_PRODUCT, FAREWELL, GRPC_ONLY, TLS_ONLY, NO_TLS] {
            let name: String = reply.chars().take(crate::catalog::NAME_CHARS_MAX).collect();
            Name::parse(&name).unwrap().check_new().unwrap_err();
        }
    }

    #[test]
    fn a_product_may_be_called_like_an_error() {
        let request = Request::parse("1 x").unwrap();
        let reply = read_reply(&request, &["Erro INTERNAL: R$3.0, Estoque: 20"]).unwrap().unwrap();
        let Reply::Product(product) = reply else { panic!("{reply:?}") };
        assert_eq!(product.name.as_str(), "Erro INTERNAL");
        let refusal = read_reply(&request, &["Erro INTERNAL: defeito"]).unwrap().unwrap_err();
        assert_eq!((refusal.code, refusal.message.as_str()), (Code::Internal, "defeito"));
        // A list that could not go on is no list, whatever came of it.
        let list = Request::List { max_price: None };
        let lines =
            ["Erro X: y: R$1.0, Estoque: 1", "Maca: R$3.0, Estoque: 20", "Erro RESOURCE_EXHAUSTED: fim"];
        let refusal = read_reply(&list, &lines).unwrap().unwrap_err();
        assert_eq!((refusal.code, refusal.message.as_str()), (Code::ResourceExhausted, "fim"));
        assert!(read_reply(&list, &["qualquer coisa", "Erro RESOURCE_EXHAUSTED: fim"]).is_err());
        let refusal = read_reply(&request, &["Erro INTERNAL: \u{1b}[2J\u{202E}"]).unwrap().unwrap_err();
        assert_eq!(refusal.message, "\\u{1b}[2J\\u{202e}");
        for lines in [&[][..], &["HTTP/1.1 200 OK"], &["Até logo.", "x"], &[""]] {
            assert!(read_reply(&request, lines).is_err(), "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn a_product_line_reads_back(name in "\\PC{1,40}", centavos in 0_i64..1_000_000, thousandths in 0_i64..10_000_000) {
            if let Ok(name) = Name::parse(&name) {
                let product = ProductReply {
                    name,
                    price: Price::from_centavos(centavos).unwrap(),
                    stock: Quantity::from_thousandths(thousandths).unwrap(),
                    unit: None,
                };
                prop_assert_eq!(read_product_line(&product.to_string()), Some(product));
            }
        }

        #[test]
        fn cutting_changes_nothing(text in "[a-c\r\n]{0,60}", cut in 0_usize..60) {
            let mut whole = Frames::default();
            whole.buffer().extend_from_slice(text.as_bytes());
            let mut parts = Frames::default();
            let cut = cut.min(text.len());
            parts.buffer().extend_from_slice(&text.as_bytes()[..cut]);
            let mut lines = all_lines(&mut parts);
            parts.buffer().extend_from_slice(&text.as_bytes()[cut..]);
            lines.extend(all_lines(&mut parts));
            prop_assert_eq!(lines, all_lines(&mut whole));
        }
    }
}
