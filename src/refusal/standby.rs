//! The refusals of a server that stands by: another server writes for the shop.

use super::{Code, Refusal};

/// The key, in the metadata, of the address of the server that writes for the shop. The address is empty if no
/// server does.
pub const HOLDER: &str = "holder";

impl Refusal {
    /// Any request to a server that stands by. `holder` is the address of the server that writes for the shop.
    pub fn standing_by(holder: Option<&str>) -> Self {
        let what = match holder {
            Some(holder) => format!(
                "este servidor está de reserva, e quem atende a loja é {holder}. Nada foi feito; envie o pedido para lá."
            ),
            None => "este servidor está de reserva, e nenhum outro atende a loja agora. Nada foi feito; tente de novo \
                     em alguns segundos."
                .to_owned(),
        };
        let metadata = vec![(HOLDER, holder.unwrap_or_default().to_owned())];
        Self { metadata, ..Self::new(Code::Unavailable, what) }
    }

    /// Any request to a server that should write for the shop and cannot, for this reason.
    pub fn closed_standby(why: &str) -> Self {
        let what = format!(
            "{why}. Nada foi feito, e este servidor não atende a loja até ser iniciado de novo. Avise quem cuida do \
             servidor."
        );
        Self { metadata: vec![(HOLDER, String::new())], ..Self::new(Code::Unavailable, what) }
    }

    /// The address of the server that writes for the shop, if a server that stands by refused the request. Empty
    /// if no server writes.
    pub fn holder(&self) -> Option<&str> {
        self.metadata.iter().find(|(key, _)| *key == HOLDER).map(|(_, holder)| holder.as_str())
    }
}
