//! The products that a repeated request means. Since it was made they may have got other names and codes.

use super::commit::{Applied, Change};
use super::query::Reader;
use super::{Session, stopped};
use crate::catalog::{Adjustment, Key, Name, ProductId, RequestId, TermsField};
use crate::operation::AdjustRequest;
use crate::refusal::{Code, Refusal};
use crate::store::ChangesQuery;

/// The changes of a product's terms that are read at a time.
const CHANGES_AT_ONCE_MAX: usize = 1_000;

impl Session {
    /// The change of this product, signed by the session.
    pub(super) fn adjustment_of(&self, product: ProductId, request: AdjustRequest<'_>) -> Adjustment {
        let AdjustRequest { name: _, delta, kind, request_id, details } = request;
        let author = self.author.clone();
        Adjustment { product, delta, kind, request_id, author, details, label: None }
    }

    /// The product that a request means by a name which is of no product now: one that the same request changed
    /// before, and that had the name or code at some time.
    ///
    /// # Errors
    /// If there is none: the refusal of the name, with names that resemble it.
    #[cold]
    pub(super) async fn meant_then(
        &self,
        name: &str,
        request_id: Option<&RequestId>,
        refusal: Refusal,
    ) -> Result<Then, Refusal> {
        if let Some(request_id) = request_id.filter(|_| refusal.code == Code::ProductNotFound) {
            for product in self.changed_by(request_id).await? {
                if let Some(then) = self.then(product, name).await? {
                    return Ok(then);
                }
            }
        }
        Err(self.explain(name, self.inventory.doubts.refusal(request_id, &refusal)).await)
    }

    /// The products that a request has changed; none if it was never made.
    async fn changed_by(&self, request_id: &RequestId) -> Result<Vec<ProductId>, Refusal> {
        let change = Change::Recall { request_id: request_id.clone() };
        match self.write(vec![change]).await.each.pop() {
            Some(Ok(Applied::Recalled(products))) => Ok(products),
            Some(Err(refusal)) => Err(*refusal),
            Some(Ok(_)) | None => Err(stopped()),
        }
    }

    /// A product that had this name or code once.
    async fn then(&self, product: ProductId, name: &str) -> Result<Option<Then>, Refusal> {
        let is_name = |value: &str| Key::fold(value) == Key::fold(name);
        let mut before = self.present().await?.change + 1;
        loop {
            let query =
                ChangesQuery { product: Some(product), lowest: 1, before, count_max: CHANGES_AT_ONCE_MAX };
            let changes = self.read_changes(query).await?;
            for change in &changes {
                match change.field {
                    TermsField::Name if is_name(&change.old) => {
                        return Ok(Some(Then { product, name: Name::parse(&change.old).ok() }));
                    }
                    TermsField::Code if is_name(&change.old) => {
                        return Ok(Some(Then { product, name: None }));
                    }
                    TermsField::Barcodes if change.old.split([',', ' ']).any(is_name) => {
                        return Ok(Some(Then { product, name: None }));
                    }
                    _ => {}
                }
            }
            match changes.last() {
                Some(last) if changes.len() == CHANGES_AT_ONCE_MAX => before = last.number,
                _ => return Ok(None),
            }
        }
    }
}

/// A product by a name of before.
pub(super) struct Then {
    pub(super) product: ProductId,
    /// The name that it had, if it was called by that and not by a code.
    pub(super) name: Option<Name>,
}

impl Reader<'_> {
    /// Whether the request may be a repetition that means a product by a name of then, or is in doubt:
    /// [`Session::adjust`] knows.
    pub fn may_mean_then(&mut self, request: &AdjustRequest<'_>) -> bool {
        request.request_id.is_some()
            && self
                .id_of(request.name)
                .is_err_and(|refusal| matches!(refusal.code, Code::ProductNotFound | Code::Unavailable))
    }
}
