//! Replies of the text protocol, in both directions.

use std::fmt::Write;

use crate::catalog::{Movement, Name, Price, Product, Quantity, Sentence};
use crate::operation::{
    ChangeReply, FAREWELL, MovementReply, MovementsReply, NO_MOVEMENT, NO_PRODUCT, ProductReply, Reply,
    Request, write_product_line,
};
use crate::refusal::{Code, HOLDER, Refusal};
use crate::wire::NotAReply;

/// The answer of a server that serves only gRPC to text.
pub const GRPC_ONLY: &str = "Erro UNKNOWN_COMMAND: este servidor atende só gRPC. \
    Nada foi feito; use um cliente gRPC, ou inicie o servidor com --socket.";

/// The answer of a server that serves only HTTP to text.
pub const HTTP_ONLY: &str = "Erro UNKNOWN_COMMAND: este servidor atende só HTTP. \
    Nada foi feito; use um navegador, ou inicie o servidor com --socket.";

/// The answer of a server that serves only text to gRPC (see `goaway`).
pub const TEXT_ONLY: &str = "Erro UNKNOWN_COMMAND: este servidor atende só o protocolo de texto. \
    Nada foi feito; use um cliente de texto, ou inicie o servidor com --grpc.";

/// The answer of a server that speaks only TLS to a client that does not.
pub const TLS_ONLY: &str = "Erro UNKNOWN_COMMAND: este servidor atende só por TLS. \
    Nada foi feito; use --tls, e --tls-ca se a autoridade dele é só sua.";

/// The answer of a server without TLS to a client that speaks TLS. The client reads the answer as a record of
/// an unknown type, and so recognises that the server speaks no TLS.
pub const NO_TLS: &str = "Erro UNKNOWN_COMMAND: este servidor atende sem TLS. \
    Nada foi feito; use um cliente sem TLS, ou inicie o servidor com --tls-cert e --tls-key.";

/// The word, at the end of a refusal, before the address of the server that writes for the shop.
const HOLDER_WORD: &str = " holder=";

/// Writes one product as a whole reply.
pub fn write_product(out: &mut String, product: &Product) {
    write_list_line(out, product);
    out.push('\n');
}

/// Writes a product after a change, as a whole reply.
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
    let _ = write!(out, "Erro {}: {}", refusal.code.as_str(), refusal.message);
    if let Some(holder) = refusal.holder() {
        let _ = write!(out, "{HOLDER_WORD}{holder}");
    }
    out.push_str("\n\n");
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

/// Writes the reply to an operation that was called by value.
pub fn write_reply(out: &mut String, reply: &Reply) {
    match reply {
        Reply::Product(product) | Reply::Change(ChangeReply { product, .. }) => {
            let _ = writeln!(out, "{product}\n");
        }
        Reply::Changes(changes) => {
            for ChangeReply { product, .. } in changes {
                let _ = writeln!(out, "{product}");
            }
            out.push('\n');
        }
        Reply::Products(products) => {
            for product in products {
                let _ = writeln!(out, "{product}");
            }
            write_list_end(out, products.is_empty());
        }
        Reply::Movements(MovementsReply { movements, .. }) if movements.is_empty() => {
            write_message(out, NO_MOVEMENT);
        }
        Reply::Movements(MovementsReply { movements, .. }) => {
            for movement in movements {
                let _ = writeln!(out, "{movement}");
            }
            out.push('\n');
        }
        Reply::Farewell => write_message(out, FAREWELL),
        // The requests with these replies have no form in this protocol.
        Reply::Imported(_)
        | Reply::ProductChanges(_)
        | Reply::Summaries(_)
        | Reply::LowStock(_)
        | Reply::Expiring(_)
        | Reply::Traced(_)
        | Reply::Status(_) => {}
    }
}

/// Reads a whole reply, without its empty line, as the answer to this request.
///
/// # Errors
/// If the reply is a refusal (that refusal), or not a reply of this protocol ([`NotAReply`]).
pub fn read_reply(request: &Request<'_>, lines: &[&str]) -> Result<Result<Reply, Refusal>, NotAReply> {
    // A product may be called "Erro INTERNAL", so a product line comes first.
    let products: Option<Vec<ProductReply>> = lines.iter().map(|line| read_product_line(line)).collect();
    let products = products.filter(|products| !products.is_empty());
    let one = |products| <[ProductReply; 1]>::try_from(products).ok().map(|[product]| product);
    let reply = match request {
        Request::GetProduct { .. } => products.and_then(one).map(Reply::Product),
        Request::AdjustStock(_) => products.and_then(one).map(|product| Reply::Change(product.into())),
        Request::ListProducts(_) if lines == [NO_PRODUCT] => Some(Reply::Products(Vec::new())),
        Request::ListProducts(_) => products.map(Reply::Products),
        Request::ListMovements(_) => movements(lines).map(Reply::Movements),
        Request::Leave => (lines == [FAREWELL]).then_some(Reply::Farewell),
        Request::CountStock(_) | Request::UndoMovement(_) => {
            products.map(|products| Reply::Changes(products.into_iter().map(ChangeReply::from).collect()))
        }
        // The requests below have no form in this protocol.
        Request::BatchAdjustStock(_)
        | Request::ImportProducts(_)
        | Request::UpdateProduct(_)
        | Request::ListProductChanges(_)
        | Request::MergeProducts(_)
        | Request::UndoImport(_)
        | Request::ClearExamples { .. }
        | Request::SummarizeMovements(_)
        | Request::ListLowStock(_)
        | Request::ListExpiringStock(_)
        | Request::TracePurchases(_)
        | Request::GetStatus
        // The reply to this one is a stream.
        | Request::WatchMovements(_) => None,
    };
    let refusal = || match lines {
        [line] => read_refusal(line),
        // A list that had to stop ends with the refusal.
        [before @ .., line] if matches!(request, Request::ListProducts(_)) => {
            before.iter().all(|line| read_product_line(line).is_some()).then(|| read_refusal(line))?
        }
        _ => None,
    };
    reply.map(Ok).or_else(|| refusal().map(Err)).ok_or(NotAReply)
}

fn movements(lines: &[&str]) -> Option<MovementsReply> {
    let movements = match lines {
        [] => return None,
        [NO_MOVEMENT] => Vec::new(),
        lines => lines.iter().map(|line| MovementReply::parse(line)).collect::<Option<_>>()?,
    };
    Some(MovementsReply { movements, next_page_token: None })
}

/// Reads the answer to `write_token`.
///
/// # Errors
/// If the server refuses the token.
pub fn read_token_reply(line: &str) -> Result<(), Refusal> {
    read_refusal(line).map_or(Ok(()), Err)
}

pub(super) fn read_refusal(line: &str) -> Option<Refusal> {
    let (code, message) = line.strip_prefix("Erro ")?.split_once(": ")?;
    let code = Code::parse(code)?;
    let (message, holder) = match message.rsplit_once(HOLDER_WORD) {
        Some((message, holder)) if code == Code::Unavailable && !holder.contains(' ') => {
            (message, Some(holder))
        }
        _ => (message, None),
    };
    let metadata = holder.map(|holder| (HOLDER, holder.to_owned()));
    Some(Refusal {
        metadata: metadata.into_iter().collect(),
        ..Refusal::new(code, Sentence(message).to_string())
    })
}

fn read_product_line(line: &str) -> Option<ProductReply> {
    let (rest, stock) = line.rsplit_once(", Estoque: ")?;
    let (name, price) = rest.rsplit_once(": R$")?;
    Some(ProductReply {
        name: Name::parse(name).ok()?,
        price: price.parse::<Price>().ok()?,
        stock: stock.parse::<Quantity>().ok()?,
        unit: None,
        stock_cost: None,
        terms: None,
        is_discontinued: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::operation::ProductsRequest;

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
                stock_cost: None,
                terms: None,
                is_discontinued: false,
            };
            let found = read_reply(&Request::GetProduct { name }, &[&line]).unwrap();
            assert_eq!(found, Ok(Reply::Product(product.clone())), "{name}");
            let listed = read_reply(&Request::ListProducts(ProductsRequest::default()), &[&line]).unwrap();
            assert_eq!(listed, Ok(Reply::Products(vec![product])), "{name}");
        }
    }

    #[test]
    fn a_server_that_stands_by_names_the_one_that_writes() {
        for holder in [Some("loja2.exemplo:8082"), None] {
            let refusal = Refusal::standing_by(holder);
            let mut written = String::new();
            write_refusal(&mut written, &refusal);
            let expected = format!(". holder={}\n\n", holder.unwrap_or_default());
            assert!(written.ends_with(&expected), "{written}");
            let read = read_refusal(written.trim_end_matches('\n')).unwrap();
            assert_eq!((read.code, read.holder()), (Code::Unavailable, Some(holder.unwrap_or_default())));
            assert_eq!(read.message, Sentence(&refusal.message).to_string());
        }
        // The words may be of another message.
        let other = read_refusal("Erro INVALID_ARGUMENT: não há atributo holder=a").unwrap();
        assert_eq!(other.holder(), None);
    }

    #[test]
    fn no_new_product_is_called_like_a_reply() {
        let mut refused = String::new();
        write_refusal(&mut refused, &Refusal::invalid("name", "não"));
        for reply in [refused.trim_end(), NO_PRODUCT, FAREWELL, GRPC_ONLY, HTTP_ONLY, TLS_ONLY, NO_TLS] {
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
        // A list that had to stop is a refusal, even after some products.
        let list = Request::ListProducts(ProductsRequest::default());
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
                    stock_cost: None,
                    terms: None,
                    is_discontinued: false,
                };
                prop_assert_eq!(read_product_line(&product.to_string()), Some(product));
            }
        }
    }
}
