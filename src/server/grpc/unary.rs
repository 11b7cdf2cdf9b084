//! The calls of `InventoryService`.

use prost::Message as _;
use tonic::{Request, Response, Status, Streaming};

use super::Calls;
use super::list_body::List;
use crate::inventory::Adjusted;
use crate::operation;
use crate::wire::grpc::v1::inventory_service_server::InventoryService;
use crate::wire::grpc::v1::{
    AdjustStockRequest, AdjustStockResponse, BatchAdjustStockRequest, BatchAdjustStockResponse,
    GetProductRequest, GetProductResponse, ImportProductsRequest, ImportProductsResponse,
    ListProductsRequest, ListProductsResponse, StreamAdjustStockRequest, StreamAdjustStockResponse,
};
use crate::wire::grpc::{self, Page, status};

fn adjust_response(adjusted: &Adjusted) -> AdjustStockResponse {
    grpc::change_message(&adjusted.into())
}

#[tonic::async_trait]
impl InventoryService for Calls {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<GetProductResponse>, Status> {
        let name = &request.get_ref().name;
        self.service.console.command(&operation::Request::Find { name });
        let product = self
            .service
            .inventory
            .find(name, |product| grpc::product_message(&product.into()))
            .await
            .map_err(status)?;
        Ok(Response::new(GetProductResponse { product: Some(product) }))
    }

    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        let page = Page::from_message(request.get_ref()).map_err(status)?;
        self.service.console.command(&operation::Request::List { max_price: page.max_price });
        let end = |next_page_token: Option<String>| {
            let next_page_token = next_page_token.unwrap_or_default();
            ListProductsResponse { products: Vec::new(), next_page_token }.encode_to_vec()
        };
        let list = List::new(&self.service, &self.progress, page, grpc::write_product, end).await;
        Ok(list.map_err(status)?.answer())
    }

    async fn adjust_stock(
        &self,
        request: Request<AdjustStockRequest>,
    ) -> Result<Response<AdjustStockResponse>, Status> {
        let adjust = grpc::adjust_request(request.get_ref()).map_err(status)?;
        self.service.console.command(&adjust);
        let _waiting = self.wait();
        let adjusted = self.service.inventory.adjust(adjust).await.map_err(status)?;
        Ok(Response::new(adjust_response(&adjusted)))
    }

    async fn batch_adjust_stock(
        &self,
        request: Request<BatchAdjustStockRequest>,
    ) -> Result<Response<BatchAdjustStockResponse>, Status> {
        let batch = grpc::batch_request(request.get_ref()).map_err(status)?;
        for adjust in &batch.adjustments {
            self.service.console.command(adjust);
        }
        let _waiting = self.wait();
        let adjusted = self.service.inventory.adjust_together(batch).await.map_err(status)?;
        let results = adjusted.iter().map(adjust_response).collect();
        Ok(Response::new(BatchAdjustStockResponse { results }))
    }

    type StreamAdjustStockStream = tokio_stream::Empty<Result<StreamAdjustStockResponse, Status>>;

    async fn stream_adjust_stock(
        &self,
        request: Request<Streaming<StreamAdjustStockRequest>>,
    ) -> Result<Response<Self::StreamAdjustStockStream>, Status> {
        let identity =
            request.extensions().get().copied().unwrap_or_else(|| self.service.authenticator.anonymous());
        let answers = self.begin_adjust_stream(identity, request.into_inner());
        let mut response = Response::new(tokio_stream::empty());
        response.extensions_mut().insert(answers);
        Ok(response)
    }

    async fn import_products(
        &self,
        request: Request<ImportProductsRequest>,
    ) -> Result<Response<ImportProductsResponse>, Status> {
        let import = grpc::import_request(request.into_inner()).map_err(status)?;
        self.service.console.command(&import);
        let _waiting = self.wait();
        let counts = self.service.inventory.import(import).await.map_err(status)?;
        Ok(Response::new(grpc::import_response(counts)))
    }
}
