//! Every operation as one call, by value.

use std::ops::ControlFlow;

use super::{Session, Stopped};
use crate::operation::{
    ChangeReply, CountRequest, CountedName, ProductReply, ProductsRequest, Reply, Request,
};
use crate::refusal::Refusal;

/// The products of a list that are copied in one turn, before other connections have theirs.
const PRODUCTS_IN_TURN: usize = 256;

impl Session {
    /// Carries out a request. A change is durable when the call returns.
    ///
    /// The most frequent operations also have functions of their own, which copy nothing: [`Session::find`],
    /// [`Session::list`], [`Session::adjust`] and [`Session::commit`].
    ///
    /// # Errors
    /// If a rule forbids the request, no product has the name, or the store refuses writes.
    pub async fn call(&self, request: Request<'_>) -> Result<Reply, Refusal> {
        match request {
            Request::GetProduct { name } => self.find(name, ProductReply::of).await.map(Reply::Product),
            Request::ListProducts(products) => self.products(products).await.map(Reply::Products),
            Request::AdjustStock(request) => {
                self.adjust(request).await.map(|adjusted| Reply::Change(ChangeReply::from(&adjusted)))
            }
            Request::BatchAdjustStock(request) => {
                let adjusted = self.adjust_together(request).await?;
                Ok(made_together(adjusted.iter().map(ChangeReply::from).collect()))
            }
            Request::ImportProducts(request) => self.import(request).await.map(Reply::Imported),
            Request::CountStock(CountRequest { counts, request_id, is_blind, note }) => {
                let counted = self.count(&counts, request_id, note).await?;
                let changes = counted.iter().map(ChangeReply::from).zip(counts);
                let shown = |(change, count): (ChangeReply, CountedName<'_>)| match is_blind {
                    true => change.as_counted(count.counted),
                    false => change,
                };
                Ok(made_together(changes.map(shown).collect()))
            }
            Request::UndoMovement(request) => {
                let undone = self.undo(request).await?;
                Ok(made_together(undone.iter().map(ChangeReply::from).collect()))
            }
            Request::UpdateProduct(request) => self.update_product(request).await.map(Reply::Product),
            Request::MergeProducts(request) => self.merge(request).await.map(made_together),
            Request::UndoImport(request) => self.undo_import(request).await.map(Reply::Imported),
            Request::ClearExamples { request_id } => {
                self.clear_examples(request_id).await.map(Reply::Changes)
            }
            Request::ListProductChanges(request) => {
                self.product_changes(request).await.map(Reply::ProductChanges)
            }
            Request::ListMovements(request) => self.movements(request).await.map(Reply::Movements),
            // The transports call [`Session::watch`], because the reply is a stream.
            Request::WatchMovements(_) => {
                Err(Refusal::invalid("command", "acompanhar responde com um fluxo, e não com uma resposta"))
            }
            Request::SummarizeMovements(request) => {
                self.reported(self.summarize(request)).await.map(Reply::Summaries)
            }
            Request::ListLowStock(request) => {
                self.reported(self.low_stock(request)).await.map(Reply::LowStock)
            }
            Request::ListExpiringStock(request) => {
                self.reported(self.expiring(request)).await.map(Reply::Expiring)
            }
            Request::TracePurchases(request) => self.reported(self.trace(request)).await.map(Reply::Traced),
            Request::GetStatus => Ok(Reply::Status(Box::new(self.status().await?))),
            Request::Leave => Ok(Reply::Farewell),
        }
    }

    /// Makes a report when its turn comes.
    ///
    /// # Errors
    /// If too many reports wait (`RESOURCE_EXHAUSTED`), or the report fails.
    async fn reported<T>(&self, report: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        let _turn = self.inventory.ledger.report().await?;
        report.await
    }

    async fn products(&self, request: ProductsRequest<'_>) -> Result<Vec<ProductReply>, Refusal> {
        let mut listing = self.list(request.selection()?, None);
        let mut products = Vec::new();
        loop {
            let turn_end = products.len() + PRODUCTS_IN_TURN;
            let stopped = listing.visit(|product| {
                products.push(ProductReply::of(product));
                if products.len() >= turn_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if stopped == Stopped::AtEnd {
                return Ok(products);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The reply to changes that were made together: one document, whose movements follow one another.
fn made_together(changes: Vec<ChangeReply>) -> Reply {
    let sequences =
        changes.iter().filter_map(|change| change.movement.as_ref()).map(|movement| movement.sequence);
    let first = sequences.min().unwrap_or(0);
    Reply::Changes(changes.into_iter().map(|change| change.in_document(first)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::shop;
    use super::*;
    use crate::wire::text;

    #[tokio::test]
    async fn a_call_by_value_answers_as_the_text_protocol_does() {
        let (session, _committer) = shop();
        for (line, expected) in [
            ("1 caju", "Caju: R$2.0, Estoque: 60\n\n"),
            ("2 3", "Maca: R$3.0, Estoque: 20\nCaju: R$2.0, Estoque: 60\n\n"),
            ("2 1", "Nenhum produto encontrado.\n\n"),
            ("3 Caju -20", "Caju: R$2.0, Estoque: 40\n\n"),
            ("3 Caju -41", "Erro INSUFFICIENT_STOCK"),
            ("contar caju 40", "Caju: R$2.0, Estoque: 40\n\n"),
            ("contar Maca 19", "Maca: R$3.0, Estoque: 19\n\n"),
            ("desfazer 5", "Caju: R$2.0, Estoque: 60\n\n"),
            ("5", "Até logo.\n\n"),
        ] {
            let mut written = String::new();
            match session.call(Request::parse(line).unwrap()).await {
                Ok(reply) => text::write_reply(&mut written, &reply),
                Err(refusal) => text::write_refusal(&mut written, &refusal),
            }
            assert!(written.starts_with(expected), "{line}: {written}");
        }
    }
}
