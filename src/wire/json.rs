//! Messages of `InventoryService` as JSON, in the canonical mapping of proto3, in both directions.

mod strict;

use std::sync::LazyLock;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor};
use serde::Serialize as _;

use crate::catalog::{Quoted, Shown};
use crate::operation::{OPERATIONS, Operation};
use crate::refusal::{Code, Refusal};
use crate::wire::grpc::{FILE_DESCRIPTOR_SET, INVENTORY_SERVICE};
pub use strict::VALUE_BYTES_MIN;

/// The types of a call's messages.
#[derive(Debug, Clone)]
pub struct Call {
    request: MessageDescriptor,
    response: MessageDescriptor,
    /// Whether either side sends a stream of messages.
    pub is_stream: bool,
}

/// The types of each operation that has a call, in the order of [`Operation`].
static CALLS: LazyLock<Vec<Option<Call>>> = LazyLock::new(|| {
    // The build wrote the descriptors, so a test sees if they cannot be read.
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).ok();
    let service = pool.and_then(|pool| pool.get_service_by_name(INVENTORY_SERVICE));
    let call = |name: &str| {
        let method = service.as_ref()?.methods().find(|method| method.name() == name)?;
        let is_stream = method.is_client_streaming() || method.is_server_streaming();
        Some(Call { request: method.input(), response: method.output(), is_stream })
    };
    OPERATIONS.iter().map(|spec| call(spec.name)).collect()
});

impl Call {
    /// The types of an operation's call, if it has one.
    pub fn of(operation: Operation) -> Option<&'static Self> {
        CALLS.get(operation as usize)?.as_ref()
    }

    /// Reads a request, and returns it as protobuf. `bytes_max` is the limit of the message.
    ///
    /// # Errors
    /// If the text is not the JSON of such a request: it has a field that the request has not, or one twice,
    /// or a value of another type (`INVALID_ARGUMENT`, with the field).
    pub fn read_request(&self, json: &[u8], bytes_max: usize) -> Result<Vec<u8>, Refusal> {
        let json = simdutf8::basic::from_utf8(json)
            .map_err(|_| Refusal::invalid("message", "o JSON não é UTF-8 válido"))?;
        strict::check(json, bytes_max)?;
        let json = strict::with_plain_fraction(json);
        let mut text = serde_json::Deserializer::from_str(&json);
        let mut track = serde_path_to_error::Track::new();
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        let read = DynamicMessage::deserialize_with_options(
            self.request.clone(),
            serde_path_to_error::Deserializer::new(&mut text, &mut track),
            &options,
        );
        let message = read.map_err(|error| wrong_field(&track.path().to_string(), &error))?;
        Ok(message.encode_to_vec())
    }

    /// A request of ours as JSON.
    ///
    /// # Errors
    /// If the bytes are no such request, which is a defect.
    pub fn request_json(&self, request: &[u8]) -> Result<serde_json::Value, Refusal> {
        let message =
            DynamicMessage::decode(self.request.clone(), request).map_err(|error| error.to_string());
        let value =
            message.and_then(|message| serde_json::to_value(message).map_err(|error| error.to_string()));
        value.map_err(|_| {
            let what =
                "o pedido não pôde ser escrito em JSON. Nada foi feito; avise o responsável pelo servidor.";
            Refusal::new(Code::Internal, what)
        })
    }

    /// Writes a response of ours as JSON.
    ///
    /// # Errors
    /// If the bytes are no such response, which is a defect.
    pub fn write_response(&self, response: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let written = DynamicMessage::decode(self.response.clone(), response)
            .map_err(|error| error.to_string())
            .and_then(|message| {
                let mut serializer = serde_json::Serializer::new(out);
                message.serialize(&mut serializer).map_err(|error| error.to_string())
            });
        written.map_err(|_| {
            let what = "a resposta não pôde ser escrita em JSON. O pedido foi atendido; avise o responsável pelo \
                        servidor.";
            Refusal::new(Code::Internal, what)
        })
    }
}

/// The refusal of a field that cannot be read.
fn wrong_field(path: &str, error: &serde_json::Error) -> Refusal {
    let said = error.to_string();
    let quoted = |before: &str| said.strip_prefix(before)?.split('\'').next();
    let (path, within) = match path {
        "." => ("message", String::new()),
        path => (path, format!(" em {}", Quoted(path))),
    };
    let (field, what) = if let Some(name) = quoted("unrecognized field name '") {
        (name, format!("não há o campo {}{within} nesta mensagem", Quoted(name)))
    } else if let Some(name) = quoted("unrecognized enum value '") {
        (path, format!("não há o valor {}{within}", Quoted(name)))
    } else {
        (
            path,
            format!(
                "o valor{within} não é do tipo do campo (linha {}, coluna {})",
                error.line(),
                error.column()
            ),
        )
    };
    let metadata = vec![("field", Shown(field).to_string())];
    Refusal { metadata, ..Refusal::invalid("message", what) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::grpc::v1;

    const BYTES_MAX: usize = 16 * 1024;

    fn read(json: &str) -> Result<v1::AdjustStockRequest, Refusal> {
        let call = Call::of(Operation::AdjustStock).unwrap();
        let bytes = call.read_request(json.as_bytes(), BYTES_MAX)?;
        Ok(v1::AdjustStockRequest::decode(&bytes[..]).unwrap())
    }

    #[test]
    fn every_call_has_its_types() {
        for spec in &OPERATIONS {
            assert_eq!(Call::of(spec.operation).is_some(), spec.message.is_some(), "{}", spec.name);
        }
    }

    #[test]
    fn numbers_may_be_texts_and_names_may_be_those_of_the_contract() {
        for json in [
            r#"{"name":"Caju","deltaThousandths":"-1000","requestId":"a"}"#,
            r#"{"name":"Caju","deltaThousandths":-1000,"requestId":"a"}"#,
            r#"{"name":"Caju","delta_thousandths":-1e3,"request_id":"a","kind":null}"#,
            r#"{"name":"Caju","deltaThousandths":-1000000e-3,"requestId":"a","amountCentavos":0.0e-9}"#,
            r#"{"name":"Caju","deltaThousandths":-1.00E+3,"requestId":"a","note":"1.5 \"e\" 1e-9"}"#,
            "\n{ \"request_id\" : \"a\", \"name\":\"\\u0043aju\",\"deltaThousandths\":-1000.0}\n",
        ] {
            let message = read(json).unwrap();
            assert_eq!((message.name.as_str(), message.delta_thousandths), ("Caju", -1000), "{json}");
            assert_eq!(message.request_id, "a");
        }
    }

    #[test]
    fn what_is_no_such_message_is_refused_and_the_field_named() {
        for (json, field, said) in [
            (r#"{"nome":"Caju"}"#, "nome", r#"não há o campo "nome" nesta mensagem"#),
            (r#"{"name":"a","name":"b"}"#, "name", r#"o campo "name" está duas vezes"#),
            (r#"{"requestId":"a","request_id":"a"}"#, "request_id", "duas vezes"),
            (r#"{"name":7}"#, "name", r#"o valor em "name" não é do tipo do campo"#),
            (r#"{"deltaThousandths":"x"}"#, "deltaThousandths", "não é do tipo"),
            (r#"{"deltaThousandths":1.5}"#, "deltaThousandths", "não é do tipo"),
            (r#"{"deltaThousandths":1000.0000000000001}"#, "deltaThousandths", "não é do tipo"),
            (r#"{"deltaThousandths":-1.0000000000000000000000001e3}"#, "deltaThousandths", "não é do tipo"),
            (r#"{"amountCentavos":1e-400}"#, "amountCentavos", "não é do tipo"),
            (
                r#"{"note":"\"1.5","amountCentavos":1e-99999999999999999999}"#,
                "amountCentavos",
                "não é do tipo",
            ),
            (r#"{"kind":4.00000000000000000001}"#, "kind", "não é do tipo"),
            (r#"{"deltaThousandths":9223372036854775808}"#, "deltaThousandths", "não é do tipo"),
            (r#"{"kind":"MOVEMENT_KIND_GIFT"}"#, "kind", r#"não há o valor "MOVEMENT_KIND_GIFT""#),
            ("", "message", "não é JSON"),
            ("{", "message", "não é JSON"),
            ("{} {}", "message", "não é JSON"),
            ("[]", "message", "não é do tipo"),
            ("null", "message", "não é do tipo"),
            (r#"{"name":NaN}"#, "message", "não é JSON"),
        ] {
            let refusal = read(json).unwrap_err();
            assert_eq!(refusal.code, Code::InvalidArgument, "{json}");
            assert!(refusal.message.contains(said), "{json}: {}", refusal.message);
            assert_eq!(refusal.metadata, [("field", field.to_owned())], "{json}");
        }
        let deep = format!("{{\"name\":{}", "[".repeat(10_000));
        assert!(read(&deep).unwrap_err().message.contains("fundo demais"));
        let wide = format!("{{\"name\":[{}]}}", "1,".repeat(BYTES_MAX / 2));
        assert_eq!(read(&wide).unwrap_err().code, Code::ResourceExhausted);
        let call = Call::of(Operation::AdjustStock).unwrap();
        let refusal = call.read_request(b"{\"name\":\"\xff\"}", BYTES_MAX).unwrap_err();
        assert!(refusal.message.contains("UTF-8"), "{}", refusal.message);
    }

    #[test]
    fn a_response_has_numbers_as_texts() {
        let call = Call::of(Operation::GetProduct).unwrap();
        let product = v1::Product { name: "Caju".to_owned(), price_centavos: 200, ..Default::default() };
        let response = v1::GetProductResponse { product: Some(product) }.encode_to_vec();
        let mut out = Vec::new();
        call.write_response(&response, &mut out).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert!(json.starts_with(r#"{"product":{"#) && json.contains(r#""priceCentavos":"200""#), "{json}");
        assert_eq!(call.write_response(b"\xff", &mut Vec::new()).unwrap_err().code, Code::Internal);
    }
}
