//! The ceiling for gRPC: a bare tonic server on tokio's default runtime with two workers.
//! It keeps its stock in memory, promises nothing and checks only that no stock falls below
//! zero.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use clap::Parser;
use peers::read_names;
use shop::shop_server::{Shop, ShopServer};
use shop::{AdjustStockRequest, AdjustStockResponse, GetProductRequest, Product};
use tonic::{Request, Response, Status};

#[allow(clippy::all)]
mod shop {
    tonic::include_proto!("shop");
}

#[derive(Parser)]
struct Options {
    #[arg(long)]
    port: u16,
    /// The products, one name a line
    #[arg(long)]
    names: PathBuf,
}

struct InMemory(Arc<HashMap<String, AtomicI64>>);

impl InMemory {
    #[allow(clippy::result_large_err)]
    fn stock(&self, name: &str) -> Result<&AtomicI64, Status> {
        self.0.get(name).ok_or_else(|| Status::not_found("no such product"))
    }
}

#[tonic::async_trait]
impl Shop for InMemory {
    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<Product>, Status> {
        let name = request.into_inner().name;
        let stock = self.stock(&name)?.load(Ordering::Relaxed);
        Ok(Response::new(Product { name, price: 3.5, stock }))
    }

    async fn adjust_stock(
        &self,
        request: Request<AdjustStockRequest>,
    ) -> Result<Response<AdjustStockResponse>, Status> {
        let AdjustStockRequest { name, delta } = request.into_inner();
        let guarded = |stock: i64| Some(stock + delta).filter(|stock| *stock >= 0);
        let before = self.stock(&name)?.fetch_update(Ordering::AcqRel, Ordering::Acquire, guarded);
        let (ok, stock) = match before {
            Ok(before) => (true, before + delta),
            Err(stock) => (false, stock),
        };
        Ok(Response::new(AdjustStockResponse { ok, stock }))
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let Options { port, names } = Options::parse();
    let stocks = read_names(&names)?.into_iter().map(|name| (name, AtomicI64::new(1_000_000_000)));
    let shop = InMemory(Arc::new(stocks.collect()));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // `serve` sets TCP_NODELAY by itself.
    tonic::transport::Server::builder().add_service(ShopServer::new(shop)).serve(address).await?;
    Ok(())
}
