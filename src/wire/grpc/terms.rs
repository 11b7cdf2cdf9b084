//! Terms of products: updates, merges, cleared examples, and the changes of the past.

use prost_types::{FieldMask, Timestamp};

use super::fields::optional_request_id;
use super::products::{code_number, days_number};
use super::v1;
use crate::catalog::{
    Author, BARCODES_MAX, Barcode, Category, CategoryError, CodeError, Name, Price, Quantity, Quoted,
    RequestId, SHELF_LIFE_DAYS_MAX, ShopCode, TermsField, TermsUpdate, Unit,
};
use crate::operation::{
    MergeRequest, PAGE_CHANGES_DEFAULT, PAGE_CHANGES_MAX, ProductChangeReply, ProductChangesReply,
    ProductChangesRequest, UpdateProductRequest,
};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// The fields of a product that no update changes.
const STOCK_FIELDS: [&str; 2] = ["stock_thousandths", "stock_cost_centavos"];

pub(super) fn shop_code(number: i32) -> Result<Option<ShopCode>, CodeError> {
    match number {
        0 => Ok(None),
        number => ShopCode::from_number(number.into()).map(Some),
    }
}

pub(super) fn barcodes(texts: &[String]) -> Result<Vec<Barcode>, String> {
    if texts.len() > BARCODES_MAX {
        return Err(format!("são {} códigos de barras; o limite é {BARCODES_MAX}", texts.len()));
    }
    let mut barcodes = Vec::with_capacity(texts.len());
    for text in texts {
        let barcode = Barcode::parse(text).map_err(|error| error.to_string())?;
        if !barcodes.contains(&barcode) {
            barcodes.push(barcode);
        }
    }
    Ok(barcodes)
}

pub(super) fn category(text: &str) -> Result<Option<Category>, CategoryError> {
    match text {
        "" => Ok(None),
        text => Category::parse(text).map(Some),
    }
}

/// Reads a minimum or a target.
pub(super) fn limit(thousandths: i64) -> Result<Quantity, String> {
    let quantity = Quantity::from_thousandths(thousandths).map_err(|error| error.to_string())?;
    match quantity < Quantity::ZERO {
        true => Err(format!("o mínimo e o alvo do estoque não podem ser negativos, e veio {quantity}")),
        false => Ok(quantity),
    }
}

pub(super) fn shelf_life(days: i32) -> Result<u32, String> {
    let wrong = || format!("a validade de {days} dias não serve; o limite é de 0 a {SHELF_LIFE_DAYS_MAX}");
    u32::try_from(days).ok().filter(|days| *days <= SHELF_LIFE_DAYS_MAX).ok_or_else(wrong)
}

/// Reads an update from its message.
///
/// # Errors
/// If an argument is missing or wrong (`INVALID_ARGUMENT`, with the field).
pub fn update_request(message: &v1::UpdateProductRequest) -> Result<UpdateProductRequest<'_>, Refusal> {
    let paths = message.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        let what = "update_mask não nomeia nenhum campo, e nada mudaria";
        return Err(Refusal::invalid("update_mask", what));
    }
    let none = v1::Product::default();
    let product = message.product.as_ref().unwrap_or(&none);
    let mut update = Box::<TermsUpdate>::default();
    for path in paths {
        let field = TermsField::by_name(path).ok_or_else(|| unknown_field(path))?;
        read_field(&mut update, field, product).map_err(|what| Refusal::invalid(field.name(), what))?;
    }
    Ok(UpdateProductRequest {
        name: &message.name,
        update,
        request_id: optional_request_id(&message.request_id)?,
    })
}

fn unknown_field(path: &str) -> Refusal {
    let what = if STOCK_FIELDS.contains(&path) {
        format!(
            "{} não se muda pelo cadastro; use uma venda, uma compra, uma perda ou uma contagem",
            Quoted(path)
        )
    } else {
        format!("update_mask nomeia {}, que não é um campo do cadastro", Quoted(path))
    };
    Refusal::invalid("update_mask", what)
}

fn read_field(update: &mut TermsUpdate, field: TermsField, product: &v1::Product) -> Result<(), String> {
    fn told<T>(result: Result<T, impl ToString>) -> Result<Option<T>, String> {
        result.map(Some).map_err(|error| error.to_string())
    }
    match field {
        TermsField::Name => update.name = told(Name::parse(&product.name))?,
        TermsField::Price => update.price = told(Price::from_centavos(product.price_centavos))?,
        TermsField::Unit => update.unit = told(Unit::parse(&product.unit))?,
        TermsField::Code => update.code = told(shop_code(product.code))?,
        TermsField::Barcodes => update.barcodes = told(barcodes(&product.barcodes))?,
        TermsField::Category => update.category = told(category(&product.category))?,
        TermsField::Minimum => update.minimum = told(limit(product.minimum_thousandths))?,
        TermsField::Target => update.target = told(limit(product.target_thousandths))?,
        TermsField::ShelfLife => update.shelf_life_days = told(shelf_life(product.shelf_life_days))?,
        TermsField::Discontinued => update.is_discontinued = Some(product.discontinued),
    }
    Ok(())
}

/// The message of an update.
pub fn update_message(request: &UpdateProductRequest<'_>) -> v1::UpdateProductRequest {
    let TermsUpdate {
        name,
        price,
        unit,
        code,
        barcodes,
        category,
        minimum,
        target,
        shelf_life_days,
        is_discontinued,
    } = &*request.update;
    let mut paths = Vec::new();
    let mut has = |field: TermsField, is_there: bool| {
        if is_there {
            paths.push(field.name().to_owned());
        }
    };
    has(TermsField::Name, name.is_some());
    has(TermsField::Price, price.is_some());
    has(TermsField::Unit, unit.is_some());
    has(TermsField::Code, code.is_some());
    has(TermsField::Barcodes, barcodes.is_some());
    has(TermsField::Category, category.is_some());
    has(TermsField::Minimum, minimum.is_some());
    has(TermsField::Target, target.is_some());
    has(TermsField::ShelfLife, shelf_life_days.is_some());
    has(TermsField::Discontinued, is_discontinued.is_some());
    let category = category.as_ref().and_then(Option::as_ref);
    v1::UpdateProductRequest {
        name: request.name.to_owned(),
        product: Some(v1::Product {
            name: name.as_ref().map_or(String::new(), Name::to_string),
            price_centavos: price.map_or(0, |price| price.centavos()),
            stock_thousandths: 0,
            unit: unit.as_ref().map_or(String::new(), Unit::to_string),
            code: code.flatten().map_or(0, code_number),
            barcodes: barcodes.iter().flatten().map(Barcode::to_string).collect(),
            category: category.map_or(String::new(), Category::to_string),
            minimum_thousandths: minimum.map_or(0, Quantity::thousandths),
            target_thousandths: target.map_or(0, Quantity::thousandths),
            shelf_life_days: shelf_life_days.map_or(0, days_number),
            discontinued: is_discontinued.unwrap_or(false),
            stock_cost_centavos: None,
        }),
        update_mask: Some(FieldMask { paths }),
        request_id: id_text(request.request_id.as_ref()),
    }
}

fn id_text(request_id: Option<&RequestId>) -> String {
    request_id.map_or(String::new(), RequestId::to_string)
}

/// Reads a merge from its message.
///
/// # Errors
/// If the request id cannot be one (`INVALID_ARGUMENT`).
pub fn merge_request(message: &v1::MergeProductsRequest) -> Result<MergeRequest<'_>, Refusal> {
    let request_id = optional_request_id(&message.request_id)?;
    Ok(MergeRequest { from: &message.from_name, into: &message.into_name, request_id })
}

/// The message of a merge.
pub fn merge_message(request: &MergeRequest<'_>) -> v1::MergeProductsRequest {
    v1::MergeProductsRequest {
        from_name: request.from.to_owned(),
        into_name: request.into.to_owned(),
        request_id: id_text(request.request_id.as_ref()),
    }
}

/// Reads the id of a request to clear the examples.
///
/// # Errors
/// If the request id cannot be one (`INVALID_ARGUMENT`).
pub fn clear_examples_request(message: &v1::ClearExamplesRequest) -> Result<Option<RequestId>, Refusal> {
    optional_request_id(&message.request_id)
}

/// The message of a request to clear the examples.
pub fn clear_examples_message(request_id: Option<&RequestId>) -> v1::ClearExamplesRequest {
    v1::ClearExamplesRequest { request_id: id_text(request_id) }
}

/// Reads which changes are asked for from their message.
///
/// # Errors
/// If an argument is missing or wrong (`INVALID_ARGUMENT`, with the field).
pub fn product_changes_request(
    message: &v1::ListProductChangesRequest,
) -> Result<ProductChangesRequest<'_>, Refusal> {
    let count_max = match usize::try_from(message.page_size) {
        Ok(0) => PAGE_CHANGES_DEFAULT,
        Ok(size) => size.min(PAGE_CHANGES_MAX),
        Err(_) => {
            let what = format!("page_size é {}; use de 1 a {PAGE_CHANGES_MAX}", message.page_size);
            return Err(Refusal::invalid("page_size", what));
        }
    };
    let name = Some(message.name.as_str()).filter(|name| !name.is_empty());
    let request = ProductChangesRequest { name, before: None, count_max };
    if message.page_token.is_empty() { Ok(request) } else { request.at_page(&message.page_token) }
}

/// The message that asks for changes: a page of at most this many.
pub fn product_changes_message(
    request: &ProductChangesRequest<'_>,
    page_size: usize,
) -> v1::ListProductChangesRequest {
    v1::ListProductChangesRequest {
        name: request.name.unwrap_or("").to_owned(),
        page_size: i32::try_from(page_size.min(PAGE_CHANGES_MAX)).unwrap_or(i32::MAX),
        page_token: request.before.map_or(String::new(), |before| request.page_token(before)),
    }
}

/// The message of a page of changes.
pub(super) fn product_changes_response(reply: &ProductChangesReply) -> v1::ListProductChangesResponse {
    v1::ListProductChangesResponse {
        changes: reply.changes.iter().map(change_message).collect(),
        next_page_token: reply.next_page_token.clone().unwrap_or_default(),
    }
}

/// The message of a change of terms.
pub(super) fn change_message(change: &ProductChangeReply) -> v1::ProductChange {
    v1::ProductChange {
        product_name: change.product_name.to_string(),
        field: change.field.name().to_owned(),
        old_value: change.old.clone(),
        new_value: change.new.clone(),
        recorded_at: change.recorded_at.map(Timestamp::from),
        author: change.author.as_ref().map_or(String::new(), |author| author.as_str().to_owned()),
    }
}

/// Reads a change of terms that the server sent.
///
/// # Errors
/// If no server of ours would send the message.
pub fn product_change(message: v1::ProductChange) -> Result<ProductChangeReply, NotAReply> {
    let recorded_at = message.recorded_at.map(|time| time.try_into().map_err(|_| NotAReply)).transpose()?;
    Ok(ProductChangeReply {
        product_name: Name::parse(&message.product_name).map_err(|_| NotAReply)?,
        field: TermsField::by_name(&message.field).ok_or(NotAReply)?,
        old: message.old_value,
        new: message.new_value,
        recorded_at,
        author: author(&message.author)?,
    })
}

fn author(name: &str) -> Result<Option<Author>, NotAReply> {
    match name {
        "" => Ok(None),
        name => name.parse().map(Some).map_err(|_| NotAReply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update() -> TermsUpdate {
        TermsUpdate {
            name: Name::parse("Cajá").ok(),
            price: Price::from_centavos(350).ok(),
            unit: Unit::parse("kg").ok(),
            code: Some(ShopCode::from_number(12).ok()),
            barcodes: Some(vec![Barcode::parse("4011").unwrap()]),
            category: Some(Category::parse("frutas").ok()),
            minimum: Some(Quantity::from_units(3)),
            target: Some(Quantity::from_units(9)),
            shelf_life_days: Some(4),
            is_discontinued: Some(true),
        }
    }

    #[test]
    fn an_update_crosses_the_wire() {
        let taken_away = TermsUpdate {
            code: Some(None),
            barcodes: Some(Vec::new()),
            category: Some(None),
            ..TermsUpdate::default()
        };
        for update in [update(), taken_away, TermsUpdate { price: update().price, ..TermsUpdate::default() }]
        {
            let update = Box::new(update);
            let request = UpdateProductRequest { name: "Caju", update, request_id: "a".parse().ok() };
            assert_eq!(update_request(&update_message(&request)).unwrap(), request);
        }
    }

    #[test]
    fn what_cannot_be_names_its_field() {
        let request = UpdateProductRequest { name: "Caju", update: Box::new(update()), request_id: None };
        type Spoil = fn(&mut v1::UpdateProductRequest);
        let spoils: [(Spoil, &str); 12] = [
            (|message| message.update_mask = None, "update_mask"),
            (
                |message| message.update_mask.as_mut().unwrap().paths.push("stock_thousandths".into()),
                "update_mask",
            ),
            (|message| message.update_mask.as_mut().unwrap().paths.push("cor".into()), "update_mask"),
            (|message| message.product = None, "name"),
            (|message| message.product.as_mut().unwrap().price_centavos = -1, "price_centavos"),
            (|message| message.product.as_mut().unwrap().unit = "x".repeat(13), "unit"),
            (|message| message.product.as_mut().unwrap().code = 1_000_000, "code"),
            (|message| message.product.as_mut().unwrap().barcodes = vec!["7891000100104".into()], "barcodes"),
            (|message| message.product.as_mut().unwrap().barcodes = vec!["4011".into(); 33], "barcodes"),
            (|message| message.product.as_mut().unwrap().category = "x".repeat(300), "category"),
            (|message| message.product.as_mut().unwrap().target_thousandths = -1, "target_thousandths"),
            (|message| message.product.as_mut().unwrap().shelf_life_days = 3651, "shelf_life_days"),
        ];
        for (spoil, field) in spoils {
            let mut message = update_message(&request);
            spoil(&mut message);
            assert_eq!(update_request(&message).unwrap_err().metadata, [("field", field.to_owned())]);
        }
    }
}
