//! Labels of scales in the place of names.

use super::Session;
use crate::catalog::{
    Adjustment, Catalog, Key, Kind, Label, LabelContent, ProductId, ProductView, Quantity, check_misread,
};
use crate::operation::AdjustRequest;
use crate::refusal::Refusal;

impl Session {
    /// The product of a label, if a text that is no name and no code is one, and what the label says.
    ///
    /// # Errors
    /// If the text is no label (`PRODUCT_NOT_FOUND`, or `INVALID_ARGUMENT` if it can be no name either), the
    /// label was misread or fits no mask (`INVALID_ARGUMENT`), or no product has its code
    /// (`PRODUCT_NOT_FOUND`).
    #[cold]
    pub(super) fn by_label<'c>(
        &self,
        catalog: &'c Catalog,
        text: &str,
    ) -> Result<(ProductView<'c>, Label), Refusal> {
        let label = self.inventory.labels.read(text).map_err(|error| Refusal::label(&error))?;
        let label = label.ok_or_else(|| no_product(text))?;
        let product = catalog.id_of_label(&label).and_then(|id| catalog.products().get(id));
        let product = product.ok_or_else(|| Refusal::label_of_no_product(text, &label))?;
        Ok((catalog.products().view(product), label))
    }

    /// The change of the product of a label.
    ///
    /// # Errors
    /// If the label cannot be read (`INVALID_ARGUMENT`), or says something else than the request.
    #[cold]
    pub(super) fn by_label_changed(
        &self,
        catalog: &Catalog,
        request: AdjustRequest<'_>,
    ) -> Result<Adjustment, Refusal> {
        let (product, label) = self.by_label(catalog, request.name)?;
        self.labelled(product.id, label.content, request)
    }

    /// The change of a product by a label that says this. The rules find its quantity, because that follows from the
    /// price in force, and a repeated request is the same at another price. The money of a label of a total is booked
    /// as it stands if it is sold.
    ///
    /// # Errors
    /// If the kind has no sign, or the request has another total than the label (`INVALID_ARGUMENT`).
    pub(super) fn labelled(
        &self,
        product: ProductId,
        label: LabelContent,
        request: AdjustRequest<'_>,
    ) -> Result<Adjustment, Refusal> {
        let AdjustRequest { name: _, delta, kind, request_id, mut details } = request;
        if delta == Quantity::ZERO && !kind.takes() && !kind.brings() {
            return Err(Refusal::label_without_sign());
        }
        if let LabelContent::Total(total) = label
            && kind == Kind::Sale
        {
            let asked = details.get_or_insert_default().amount.replace(total);
            if let Some(asked) = asked.filter(|asked| *asked != total) {
                return Err(Refusal::other_total_than_label(total, asked));
            }
        }
        let author = self.author.clone();
        Ok(Adjustment { product, delta, kind, request_id, author, details, label: Some(label) })
    }

    /// Whether the text is a label, of whatever product.
    pub(super) fn is_label(&self, text: &str) -> bool {
        matches!(self.inventory.labels.read(text), Ok(Some(_)))
    }
}

/// The refusal of a text that is no name, no code and no label.
fn no_product(text: &str) -> Refusal {
    if let Err(error) = check_misread(text) {
        return Refusal::invalid("name", error);
    }
    match Key::with(text, |_| ()) {
        Ok(()) => Refusal::product_not_found(text),
        Err(error) => Refusal::name(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, open, stock};
    use super::*;
    use crate::catalog::{
        Amount, LabelMasks, Name, Price, ProductDraft, ShopCode, TermsUpdate, Unit, check_digit,
        original_products,
    };
    use crate::inventory::Committer;
    use crate::operation::{BatchRequest, ImportRequest, UpdateProductRequest};
    use crate::refusal::Code;
    use crate::store::sqlite::SqliteStore;

    /// The original's products, of which Banana is sold by kg for R$ 10,00, under these masks. Caju's name is
    /// the code of Banana.
    fn shop(masks: &[&str]) -> (Session, Committer) {
        let mut products = original_products();
        let banana: &mut ProductDraft = &mut products[2];
        banana.unit = Some(Unit::parse("kg").unwrap());
        banana.terms.code = Some(ShopCode::parse("2126").unwrap());
        products[3].name = Name::parse("2126").unwrap();
        let (mut session, committer) = open(SqliteStore::in_memory().unwrap(), &products);
        let masks = LabelMasks::new(masks.iter().map(|mask| mask.parse().unwrap()).collect()).unwrap();
        session.inventory = session.inventory.reading_labels(masks);
        (session, committer)
    }

    #[tokio::test]
    async fn a_label_is_read_after_names_and_codes() {
        let (session, _committer) = shop(&["2CCCCCCPPPPPD"]);
        let name = async |text: &str| session.find(text, |product| product.name.to_string()).await;
        assert_eq!(name("2002126012507").await.unwrap(), "Banana");
        for (text, code, told) in [
            (
                "2002126012508",
                Code::InvalidArgument,
                "dígito verificador errado: termina em 8, e deveria terminar em 7",
            ),
            ("2000149012504", Code::ProductNotFound, "nenhum produto tem o código 149, o da etiqueta"),
            ("7891000100104", Code::InvalidArgument, "dígito verificador errado"),
            ("7891000100103", Code::ProductNotFound, "nenhum produto se chama"),
        ] {
            let refusal = name(text).await.unwrap_err();
            assert!(refusal.code == code && refusal.message.contains(told), "{text}: {refusal}");
        }
        // Without masks a shop has no labels.
        let (session, _committer) = shop(&[]);
        let refusal = session.find("2002126012507", |_| ()).await.unwrap_err();
        assert!(refusal.message.contains("nenhum produto se chama"), "{refusal}");
    }

    /// The label that a scale prints.
    fn printed(start: &str) -> String {
        let digits: Vec<u8> = start.bytes().map(|byte| byte - b'0').collect();
        format!("{start}{}", check_digit(&digits))
    }

    #[tokio::test]
    async fn a_change_of_zero_is_what_the_label_says() {
        let (session, _committer) = shop(&["21CCCCCPPPPPD", "23CCCCCTTTTTD"]);
        let (weight, total) = (printed("210212601250"), printed("230212600999"));
        let change = async |line: String| {
            session.adjust(asked(&line)).await.map(|adjusted| {
                let movement = adjusted.movement;
                let amount = movement.details.and_then(|details| details.amount);
                (movement.delta.to_string(), amount.map(Amount::centavos))
            })
        };
        // R$ 10,00 a kilogram.
        for (line, delta, amount) in [
            (format!("{weight} 0 motivo=venda"), "-1.25", None),
            (format!("{weight} 0 motivo=perda"), "-1.25", None),
            (format!("{weight} 0 motivo=compra"), "1.25", None),
            (format!("{weight} -1.25"), "-1.25", None),
            (format!("{weight} 0 motivo=venda total=12,00"), "-1.25", Some(1_200)),
            (format!("{total} 0 motivo=venda"), "-0.999", Some(999)),
            (format!("{total} 0 motivo=venda total=9,99"), "-0.999", Some(999)),
            (format!("{total} -0.999 motivo=venda"), "-0.999", Some(999)),
            (format!("{total} 0 motivo=perda"), "-0.999", None),
        ] {
            assert_eq!(change(line.clone()).await, Ok((delta.to_owned(), amount)), "{line}");
        }
        let before = stock(&session, "banana");
        let (nothing, unknown) = (printed("210212600000"), printed("210014901250"));
        for (line, code, told) in [
            (format!("{weight} 0"), Code::InvalidArgument, "o motivo diz se entra ou sai"),
            (
                format!("{weight} -2 motivo=venda"),
                Code::InvalidArgument,
                "a etiqueta diz 1.25 kg, e foram pedidos -2",
            ),
            (format!("{weight} 1.25 motivo=venda"), Code::InvalidArgument, "venda"),
            (
                format!("{total} 0 motivo=venda total=9,98"),
                Code::InvalidArgument,
                "foi pedido o total R$9.98",
            ),
            (format!("{nothing} 0 motivo=venda"), Code::InvalidArgument, "não diz quantidade nenhuma"),
            (format!("{unknown} 0 motivo=venda"), Code::ProductNotFound, "nenhum produto tem o código 149"),
            (
                format!("{}9 0 motivo=venda", &weight[..12]),
                Code::InvalidArgument,
                "dígito verificador errado",
            ),
            ("banana 0 motivo=venda".to_owned(), Code::InvalidArgument, "não muda o estoque"),
        ] {
            let refusal = change(line.clone()).await.unwrap_err();
            assert!(refusal.code == code && refusal.message.contains(told), "{line}: {refusal}");
        }
        assert_eq!(stock(&session, "banana"), before);
    }

    #[tokio::test]
    async fn a_label_of_a_weight_is_for_what_is_weighed_and_one_of_a_total_for_what_has_a_price() {
        let mut products = original_products();
        products[0].terms.code = Some(ShopCode::parse("1").unwrap());
        products[1].terms.code = Some(ShopCode::parse("2").unwrap());
        products[1].price = Price::from_centavos(0).unwrap();
        let (mut session, _committer) = open(SqliteStore::in_memory().unwrap(), &products);
        let masks = ["21CCCCCPPPPPD", "23CCCCCTTTTTD"].map(|mask| mask.parse().unwrap());
        session.inventory = session.inventory.reading_labels(LabelMasks::new(masks.to_vec()).unwrap());
        for (start, told) in [
            ("210000101000", Some("é vendido por un, não por kg")),
            ("230000200500", Some("está sem preço")),
            ("230000100500", Some("só kg e l aceitam frações")),
            ("230000100600", None),
        ] {
            let line = format!("{} 0 motivo=venda", printed(start));
            match (session.adjust(asked(&line)).await, told) {
                (Ok(adjusted), None) => assert_eq!(adjusted.movement.delta, Quantity::from_units(-2)),
                (Err(refusal), Some(told)) => assert!(refusal.message.contains(told), "{refusal}"),
                (answer, told) => panic!("{told:?}: {answer:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_sale_by_a_total_is_repeated_under_its_id_also_at_another_price() {
        let (session, _committer) = shop(&["2CCCCCCTTTTTD"]);
        let label = printed("200212600999");
        let one = format!("{label} 0 motivo=venda id=a");
        let together = || BatchRequest {
            adjustments: vec![
                asked("Maca -1 motivo=venda"),
                AdjustRequest { request_id: None, ..asked(&one) },
            ],
            request_id: Some("b".parse().unwrap()),
        };
        let first = session.adjust(asked(&one)).await.unwrap();
        let both = session.adjust_together(together()).await.unwrap();
        let row = ProductDraft {
            price: Price::from_centavos(2_000).unwrap(),
            ..original_products().swap_remove(2)
        };
        let import = ImportRequest::of_rows(vec![row], None);
        session.import(import).await.unwrap();
        let before = stock(&session, "banana");
        assert_eq!(session.adjust(asked(&one)).await.unwrap().movement, first.movement);
        let again = session.adjust_together(together()).await.unwrap();
        assert_eq!(again[1].movement, both[1].movement);
        assert_eq!(stock(&session, "banana"), before);
        // Another total is another sale, and so is another product.
        let other = format!("{} 0 motivo=venda id=a", printed("200212601000"));
        assert_eq!(session.adjust(asked(&other)).await.unwrap_err().code, Code::RequestIdReused);
        // A new sale is made at the new price.
        let new = session.adjust(asked(&one.replace("id=a", "id=c"))).await.unwrap();
        assert_eq!(
            (first.movement.delta.to_string(), new.movement.delta.to_string()),
            ("-0.999".into(), "-0.5".into())
        );
        // The label has the code of then.
        let code = Some(ShopCode::parse("77").ok());
        let changed = TermsUpdate { code, ..TermsUpdate::default() };
        let update = UpdateProductRequest { name: "Banana", update: Box::new(changed), request_id: None };
        session.update_product(update).await.unwrap();
        assert_eq!(session.adjust(asked(&one)).await.unwrap().movement, first.movement);
        let again = session.adjust_together(together()).await.unwrap();
        assert_eq!(again[1].movement, both[1].movement);
    }
}
