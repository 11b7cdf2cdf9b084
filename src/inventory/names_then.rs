//! The products that a repeated request means. Since it was made they may have got other names and codes.

use std::collections::HashMap;

use super::commit::{Applied, Change};
use super::{Session, stopped};
use crate::catalog::{Adjustment, Key, LabelContent, Name, ProductId, RequestId, TermsField};
use crate::operation::AdjustRequest;
use crate::refusal::{Code, Refusal};
use crate::store::ChangesQuery;

/// The changes of a product's terms that are read at a time.
const CHANGES_AT_ONCE_MAX: usize = 1_000;

/// The products that a request has changed, if it was made before, by their former names and codes.
pub(super) struct NamesThen<'r> {
    request_id: Option<&'r RequestId>,
    found: Found,
}

/// The knowledge of a request so far.
enum Found {
    /// None, because all names were of products.
    Nothing,
    /// The request was never made.
    NeverMade,
    /// The request was made, and changed these products.
    Made(HashMap<Key, Then>),
}

/// A product by a name or a code of before.
#[derive(Clone)]
pub(super) struct Then {
    pub(super) product: ProductId,
    /// The name that it had, if it was called by that and not by a code.
    pub(super) name: Option<Name>,
    /// The content of the label that it was called by, if it was by one.
    pub(super) label: Option<LabelContent>,
}

impl<'r> NamesThen<'r> {
    pub(super) fn of(request_id: Option<&'r RequestId>) -> Self {
        Self { request_id, found: Found::Nothing }
    }

    /// Whether the request may be a repetition.
    pub(super) fn may_be(&self) -> bool {
        self.request_id.is_some()
    }

    /// The product of this name or, if there is none now, the one that the request means by it.
    ///
    /// # Errors
    /// If [`meant`](Self::meant) fails.
    pub(super) async fn product(&mut self, session: &Session, name: &str) -> Result<ProductId, Refusal> {
        let found = session.reader().id_of(name);
        match found {
            Ok(product) => Ok(product),
            Err(refusal) => Ok(self.meant(session, name, refusal).await?.product),
        }
    }

    /// The product that the request means by a name which is of no product now.
    ///
    /// # Errors
    /// If there is none: the refusal of the name, with names that resemble it. Of a request that is in doubt, or was
    /// made, nobody hears that nothing was changed.
    #[cold]
    pub(super) async fn meant(
        &mut self,
        session: &Session,
        name: &str,
        refusal: Refusal,
    ) -> Result<Then, Refusal> {
        if let Some(request_id) = self.request_id.filter(|_| refusal.code == Code::ProductNotFound) {
            if matches!(self.found, Found::Nothing) {
                self.found = session.names_then(request_id).await?;
            }
            if let Found::Made(names) = &self.found {
                let then =
                    names.get(&Key::fold(name)).cloned().or_else(|| session.of_label_then(name, names));
                return then.ok_or_else(|| Refusal::request_id_reused(request_id));
            }
        }
        let refusal = session.inventory.doubts.refusal(self.request_id, &refusal);
        Err(session.explain(name, refusal).await)
    }
}

impl Session {
    /// The change of this product, signed by the session.
    pub(super) fn adjustment_of(&self, product: ProductId, request: AdjustRequest<'_>) -> Adjustment {
        let AdjustRequest { name: _, delta, kind, request_id, details } = request;
        let author = self.author.clone();
        Adjustment { product, delta, kind, request_id, author, details, label: None }
    }

    async fn names_then(&self, request_id: &RequestId) -> Result<Found, Refusal> {
        let change = Change::Recall { request_id: request_id.clone() };
        let mut products = match self.write(vec![change]).await.each.pop() {
            Some(Ok(Applied::Recalled(Some(products)))) => products,
            Some(Ok(Applied::Recalled(None))) => return Ok(Found::NeverMade),
            Some(Err(refusal)) => return Err(*refusal),
            Some(Ok(_)) | None => return Err(stopped()),
        };
        products.sort_unstable();
        products.dedup();
        let before = self.present().await?.change + 1;
        let mut names = HashMap::new();
        for product in products {
            self.add_names_then(product, before, &mut names).await?;
        }
        Ok(Found::Made(names))
    }

    /// The product that had the code of this label.
    fn of_label_then(&self, text: &str, names: &HashMap<Key, Then>) -> Option<Then> {
        let label = self.inventory.labels.read(text).ok()??;
        let has_code = |(key, then): &(&Key, &Then)| {
            then.name.is_none() && key.as_str().parse().is_ok_and(|code: u64| code == label.code)
        };
        let (_, then) = names.iter().find(has_code)?;
        Some(Then { label: Some(label.content), ..then.clone() })
    }

    /// Adds the names and codes that a product had before this change of terms.
    async fn add_names_then(
        &self,
        product: ProductId,
        mut before: i64,
        names: &mut HashMap<Key, Then>,
    ) -> Result<(), Refusal> {
        loop {
            let query =
                ChangesQuery { product: Some(product), lowest: 1, before, count_max: CHANGES_AT_ONCE_MAX };
            let changes = self.read_changes(query).await?;
            for change in &changes {
                let mut add = |text: &str, name: Option<Name>| {
                    names.entry(Key::fold(text)).or_insert(Then { product, name, label: None });
                };
                match change.field {
                    TermsField::Name => add(&change.old, Name::parse(&change.old).ok()),
                    TermsField::Code => add(&change.old, None),
                    TermsField::Barcodes => change.old.split([',', ' ']).for_each(|code| add(code, None)),
                    _ => {}
                }
            }
            match changes.last() {
                Some(last) if changes.len() == CHANGES_AT_ONCE_MAX => before = last.number,
                _ => return Ok(()),
            }
        }
    }
}

/// Whether a lone change that was refused so may be a repetition which [`Session::adjust`] knows: of a product with
/// another name since, or in doubt.
pub fn may_be_made(request: &AdjustRequest<'_>, refusal: &Refusal) -> bool {
    request.request_id.is_some() && matches!(refusal.code, Code::ProductNotFound | Code::Unavailable)
}
