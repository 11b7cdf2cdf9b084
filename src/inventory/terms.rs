//! Other terms of products: updates, merges, cleared examples, and the changes of the past.

use std::sync::RwLock;

use super::commit::{Applied, Change};
use super::names_then::NamesThen;
use super::published::NAMED_AT_ONCE_MAX;
use super::{Session, read, stopped};
use crate::catalog::{Catalog, IMPORT_CHANGES_MAX, ProductChange, ProductId, ProductView, RequestId};
use crate::operation::{
    ChangeReply, MergeRequest, ProductChangeReply, ProductChangesReply, ProductChangesRequest, ProductReply,
    UpdateProductRequest,
};
use crate::refusal::Refusal;
use crate::store::ChangesQuery;

impl Session {
    /// Gives a product other terms. Returns the product with them after they are durable.
    ///
    /// # Errors
    /// If a rule forbids the change, or the store refuses writes.
    pub(super) async fn update_product(
        &self,
        request: UpdateProductRequest<'_>,
    ) -> Result<ProductReply, Refusal> {
        let UpdateProductRequest { name, update, request_id } = request;
        let product = self.id_of(name, "name", request_id.as_ref()).await?;
        let change =
            Change::Update { product, update: update.clone(), request_id, author: self.author.clone() };
        let [changed] = &self.change_terms(change).await?[..] else { return Err(stopped()) };
        let catalog = read(&self.inventory.catalog);
        let product = catalog.products().get(product).ok_or_else(stopped)?;
        // A retry is answered with the terms that it asks for, whatever came later.
        let terms = catalog.products().view(product).terms.clone();
        let (product, terms) = update.applied(product.clone(), terms);
        let reply = ProductReply::of(ProductView { product: &product, terms: &terms });
        Ok(ProductReply { stock: changed.product.stock, stock_cost: None, ..reply })
    }

    /// Moves a product's stock and codes to another one, and retires it. Returns both after that is durable.
    ///
    /// # Errors
    /// If a rule forbids the merge, or the store refuses writes.
    pub(super) async fn merge(&self, request: MergeRequest<'_>) -> Result<Vec<ChangeReply>, Refusal> {
        let MergeRequest { from, into, request_id } = request;
        let from = self.id_of(from, "from_name", request_id.as_ref()).await?;
        let into = self.id_of(into, "into_name", request_id.as_ref()).await?;
        self.change_terms(Change::Merge { from, into, request_id, author: self.author.clone() }).await
    }

    /// Clears the examples that never moved. Returns them after that is durable.
    ///
    /// # Errors
    /// If the store refuses writes.
    pub(super) async fn clear_examples(
        &self,
        request_id: Option<RequestId>,
    ) -> Result<Vec<ChangeReply>, Refusal> {
        self.change_terms(Change::ClearExamples { request_id, author: self.author.clone() }).await
    }

    /// A page of changes of terms, newest first.
    ///
    /// # Errors
    /// If no product has the name, or the store cannot be read.
    pub(super) async fn product_changes(
        &self,
        request: ProductChangesRequest<'_>,
    ) -> Result<ProductChangesReply, Refusal> {
        self.note_read();
        let product = match request.name {
            Some(name) => Some(self.find_at_present(name, |product| product.id).await?),
            None => None,
        };
        let end = self.present().await?.change + 1;
        let before = request.before.map_or(end, |before| before.min(end));
        let query = ChangesQuery { product, lowest: 1, before, count_max: request.count_max + 1 };
        let mut found = self.read_changes(query).await?;
        let has_more = found.len() > request.count_max;
        found.truncate(request.count_max);
        let last = found.last().filter(|_| has_more).map(|change| change.number);
        Ok(ProductChangesReply {
            changes: named(&self.inventory.catalog, found),
            next_page_token: last.map(|last| request.page_token(last)),
        })
    }

    /// The first of so many changes of terms from this one on, as the answer to an import reports them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) async fn imported_changes(
        &self,
        first: i64,
        count: i64,
    ) -> Result<Vec<ProductChangeReply>, Refusal> {
        let count = count.min(IMPORT_CHANGES_MAX as i64);
        if count == 0 {
            return Ok(Vec::new());
        }
        let query = ChangesQuery {
            product: None,
            lowest: first,
            before: first + count,
            count_max: IMPORT_CHANGES_MAX,
        };
        let mut found = self.read_changes(query).await?;
        found.reverse();
        Ok(named(&self.inventory.catalog, found))
    }

    pub(super) async fn read_changes(&self, query: ChangesQuery) -> Result<Vec<ProductChange>, Refusal> {
        self.inventory.ledger.read(move |ledger| ledger.product_changes(&query)).await
    }

    async fn id_of(
        &self,
        name: &str,
        field: &'static str,
        request_id: Option<&RequestId>,
    ) -> Result<ProductId, Refusal> {
        NamesThen::of(request_id).product(self, name).await.map_err(|mut refusal| {
            let is_name = |it: &&mut (&str, String)| it.0 == "field" && it.1 == "name";
            refusal.metadata.iter_mut().filter(is_name).for_each(|it| it.1 = field.into());
            refusal
        })
    }

    async fn change_terms(&self, change: Change) -> Result<Vec<ChangeReply>, Refusal> {
        let applied = self.write(vec![change]).await.each.pop().ok_or_else(stopped)?;
        let Applied::Counted(changed) = applied.map_err(|refusal| *refusal)? else { return Err(stopped()) };
        let changed: Vec<_> = self.counted(changed);
        Ok(changed.iter().map(ChangeReply::from).collect())
    }
}

/// Changes as replies carry them, with today's names of the products.
fn named(catalog: &RwLock<Catalog>, changes: Vec<ProductChange>) -> Vec<ProductChangeReply> {
    let mut named = Vec::with_capacity(changes.len());
    let mut changes = changes.into_iter().peekable();
    while changes.peek().is_some() {
        let catalog = read(catalog);
        named.extend(changes.by_ref().take(NAMED_AT_ONCE_MAX).filter_map(|change| {
            let ProductChange { product, field, old, new, recorded_at, author, .. } = change;
            let product_name = catalog.products().get(product)?.name.clone();
            Some(ProductChangeReply { product_name, field, old, new, recorded_at: Some(recorded_at), author })
        }));
    }
    named
}
