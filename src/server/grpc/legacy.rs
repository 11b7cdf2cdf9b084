//! The calls of `ProdutoService`, the original's contract.

use tonic::{Request, Response, Status};

use super::Calls;
use super::list_body::List;
use crate::operation::{self, AdjustRequest};
use crate::wire::grpc::original::produto_service_server::ProdutoService;
use crate::wire::grpc::original::{
    AtualizarRequest, AtualizarResponse, Empty, ListaProdutos, PrecoRequest, ProdutoRequest, ProdutoResponse,
};
use crate::wire::grpc::{self, Page, original_status};

impl Calls {
    /// All products up to a price, as the original's contract lists them.
    async fn original_list(&self, page: Page) -> Result<Response<ListaProdutos>, Status> {
        let write = grpc::write_original_product;
        let list = List::new(&self.service, &self.progress, page, write, |_| Vec::new()).await;
        Ok(list.map_err(original_status)?.answer())
    }
}

#[tonic::async_trait]
impl ProdutoService for Calls {
    async fn listar_produtos(&self, _: Request<Empty>) -> Result<Response<ListaProdutos>, Status> {
        self.service.console.command(&operation::Request::List { max_price: None });
        self.original_list(Page::whole(None)).await
    }

    async fn consultar_produto_nome(
        &self,
        request: Request<ProdutoRequest>,
    ) -> Result<Response<ProdutoResponse>, Status> {
        let name = &request.get_ref().nome;
        self.service.console.command(&operation::Request::Find { name });
        let produto =
            self.service.inventory.find(name, grpc::original_product).await.map_err(original_status)?;
        Ok(Response::new(ProdutoResponse { produto: Some(produto) }))
    }

    async fn consultar_produto_preco(
        &self,
        request: Request<PrecoRequest>,
    ) -> Result<Response<ListaProdutos>, Status> {
        let max_price = grpc::price_from_float(request.get_ref().preco_max).map_err(original_status)?;
        self.service.console.command(&operation::Request::List { max_price: Some(max_price) });
        self.original_list(Page::whole(Some(max_price))).await
    }

    async fn atualizar_estoque(
        &self,
        request: Request<AtualizarRequest>,
    ) -> Result<Response<AtualizarResponse>, Status> {
        let AtualizarRequest { nome, quantidade } = request.get_ref();
        let adjust = AdjustRequest::of_units(nome, *quantidade);
        self.service.console.command(&adjust);
        let _waiting = self.wait();
        let adjusted = self.service.inventory.adjust(adjust).await.map_err(original_status)?;
        Ok(Response::new(AtualizarResponse { mensagem: grpc::product_line(&adjusted.product) }))
    }
}
