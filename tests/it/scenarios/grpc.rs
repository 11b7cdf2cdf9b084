//! Calls of `InventoryService`, by the client that is generated from the contract.

use prost_types::FieldMask;
use tokio::runtime::{Builder, Runtime};
use tokio_stream::StreamExt;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::stream_adjust_stock_response::Result as Streamed;
use hortifruti::wire::grpc::v1::watch_movements_response::Event;

use super::Transport;
use super::shop::{Change, Client, Counts, Draft, Kind, Movement, Product, Refused, Terms, UndoneImport};
use crate::support::{PATIENCE, Server};

pub(super) static TRANSPORT: Transport =
    Transport { name: "gRPC", cannot: &[], is_slow: false, open: |server| Box::new(Grpc::open(server)) };

/// The products of a page: few, so that lists have several pages.
const PAGE_SIZE: i32 = 3;

struct Grpc {
    runtime: Runtime,
    channel: Channel,
    service: InventoryServiceClient<InterceptedService<Channel, Token>>,
}

/// The token that goes with each call.
#[derive(Clone)]
struct Token(Option<MetadataValue<Ascii>>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.0 {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        Ok(request)
    }
}

impl Grpc {
    fn open(server: &Server) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap();
        let channel = runtime.block_on(endpoint.timeout(PATIENCE).connect()).unwrap();
        let service = InventoryServiceClient::with_interceptor(channel.clone(), Token(None));
        Self { runtime, channel, service }
    }
}

impl Client for Grpc {
    fn get_product(&mut self, name: &str) -> Result<Product, Refused> {
        let request = v1::GetProductRequest { name: name.to_owned() };
        let answer = answer(self.runtime.block_on(self.service.get_product(request)))?;
        Ok(product(answer.product))
    }

    fn list_products(&mut self, max_price_centavos: Option<i64>) -> Result<Vec<Product>, Refused> {
        let mut products = Vec::new();
        let mut page_token = String::new();
        loop {
            // Large pages once a list is known to be long.
            let page_size = if products.len() < 10 { PAGE_SIZE } else { 1000 };
            let request =
                v1::ListProductsRequest { max_price_centavos, page_size, page_token, ..Default::default() };
            let page = answer(self.runtime.block_on(self.service.list_products(request)))?;
            products.extend(page.products.into_iter().map(|it| product(Some(it))));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(products);
            }
        }
    }

    fn adjust_stock(&mut self, change: &Change) -> Result<Product, Refused> {
        let answer = answer(self.runtime.block_on(self.service.adjust_stock(adjustment(change))))?;
        Ok(adjusted(change, answer))
    }

    fn list_movements(&mut self, name: &str, limit: usize) -> Result<Vec<Movement>, Refused> {
        let mut movements = Vec::new();
        let mut page_token = String::new();
        while movements.len() < limit {
            let page_size = (limit - movements.len()).min(usize::try_from(PAGE_SIZE).unwrap());
            let request = v1::ListMovementsRequest {
                product_name: name.to_owned(),
                page_size: i32::try_from(page_size).unwrap(),
                page_token,
                ..v1::ListMovementsRequest::default()
            };
            let page = answer(self.runtime.block_on(self.service.list_movements(request)))?;
            movements.extend(page.movements.iter().map(movement));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok(movements)
    }

    fn watch_movements(&mut self, name: &str, after: i64, count: usize) -> Result<Vec<Movement>, Refused> {
        let request =
            v1::WatchMovementsRequest { after_sequence: Some(after), product_name: name.to_owned() };
        self.runtime.block_on(async {
            let mut stream = answer(self.service.watch_movements(request).await)?;
            let mut movements = Vec::new();
            while movements.len() < count {
                let event = stream.message().await.unwrap().expect("another event").event.unwrap();
                if let Event::Movement(watched) = event {
                    movements.push(movement(&watched));
                }
            }
            Ok(movements)
        })
    }

    fn stream_adjust_stock(&mut self, changes: &[Change]) -> Vec<Result<Product, Refused>> {
        let requests: Vec<_> = changes
            .iter()
            .map(|change| v1::StreamAdjustStockRequest { adjustment: Some(adjustment(change)) })
            .collect();
        let answers = self.runtime.block_on(async {
            let answers = self.service.stream_adjust_stock(tokio_stream::iter(requests)).await.unwrap();
            answers.into_inner().collect::<Vec<_>>().await
        });
        assert_eq!(answers.len(), changes.len());
        let result = |(change, answer): (&Change, Result<v1::StreamAdjustStockResponse, Status>)| match answer
            .unwrap()
            .result
            .unwrap()
        {
            Streamed::Adjusted(answer) => Ok(adjusted(change, answer)),
            Streamed::Refused(refused) => {
                Err(Refused { codes: vec![refused.reason], message: refused.message, rows: Vec::new() })
            }
        };
        changes.iter().zip(answers).map(result).collect()
    }

    fn batch_adjust_stock(&mut self, changes: &[Change], request_id: &str) -> Result<Vec<Product>, Refused> {
        let adjustments = changes.iter().map(adjustment).collect();
        let request = v1::BatchAdjustStockRequest { adjustments, request_id: request_id.to_owned() };
        let answer = answer(self.runtime.block_on(self.service.batch_adjust_stock(request)))?;
        assert_eq!(answer.results.len(), changes.len());
        Ok(changes.iter().zip(answer.results).map(|(change, answer)| adjusted(change, answer)).collect())
    }

    fn import_products(
        &mut self,
        drafts: &[Draft],
        dry_run: bool,
        request_id: &str,
    ) -> Result<Counts, Refused> {
        let draft = |draft: &Draft| v1::ProductDraft {
            name: draft.name.clone(),
            price_centavos: draft.price_centavos,
            unit: draft.unit.to_owned(),
            opening_stock_thousandths: draft.stock_thousandths,
            code: draft.terms.code,
            barcodes: draft.terms.barcodes.iter().map(ToString::to_string).collect(),
            category: draft.terms.category.to_owned(),
            minimum_thousandths: draft.terms.minimum_thousandths,
            target_thousandths: draft.terms.target_thousandths,
            shelf_life_days: draft.terms.shelf_life_days,
        };
        let products = drafts.iter().map(draft).collect();
        let request = v1::ImportProductsRequest {
            products,
            dry_run,
            request_id: request_id.to_owned(),
            ..Default::default()
        };
        let counts = answer(self.runtime.block_on(self.service.import_products(request)))?;
        let count = |count: i32| usize::try_from(count).unwrap();
        Ok(Counts {
            created: count(counts.created_count),
            updated: count(counts.updated_count),
            unchanged: count(counts.unchanged_count),
        })
    }

    fn count_stock(
        &mut self,
        name: &str,
        counted_thousandths: i64,
        request_id: &str,
    ) -> Result<Product, Refused> {
        let counts =
            vec![v1::StockCount { name: name.to_owned(), counted_thousandths, ..v1::StockCount::default() }];
        let request =
            v1::CountStockRequest { counts, request_id: request_id.to_owned(), note: String::new() };
        let mut answer = answer(self.runtime.block_on(self.service.count_stock(request)))?;
        assert_eq!(answer.results.len(), 1);
        Ok(product(answer.results.remove(0).product))
    }

    fn undo_movement(&mut self, sequence: i64, request_id: &str) -> Result<Vec<Product>, Refused> {
        let request = v1::UndoMovementRequest {
            sequence,
            single: false,
            request_id: request_id.to_owned(),
            note: String::new(),
        };
        let answer = answer(self.runtime.block_on(self.service.undo_movement(request)))?;
        Ok(products(answer.results))
    }

    fn present_token(&mut self, secret: &str) {
        let token = Token(Some(format!("Bearer {secret}").parse().unwrap()));
        self.service = InventoryServiceClient::with_interceptor(self.channel.clone(), token);
    }

    fn update_product(&mut self, name: &str, terms: &Terms, request_id: &str) -> Result<Product, Refused> {
        let paths = [
            ("name", terms.name.is_some()),
            ("price_centavos", terms.price_centavos.is_some()),
            ("code", terms.code.is_some()),
            ("minimum_thousandths", terms.minimum_thousandths.is_some()),
            ("target_thousandths", terms.target_thousandths.is_some()),
            ("shelf_life_days", terms.shelf_life_days.is_some()),
            ("discontinued", terms.is_discontinued.is_some()),
        ];
        let paths = paths.iter().filter(|(_, is_named)| *is_named).map(|(path, _)| (*path).to_owned());
        let new = v1::Product {
            name: terms.name.unwrap_or_default().to_owned(),
            price_centavos: terms.price_centavos.unwrap_or_default(),
            code: terms.code.unwrap_or_default(),
            minimum_thousandths: terms.minimum_thousandths.unwrap_or_default(),
            target_thousandths: terms.target_thousandths.unwrap_or_default(),
            shelf_life_days: terms.shelf_life_days.unwrap_or_default(),
            discontinued: terms.is_discontinued.unwrap_or_default(),
            ..v1::Product::default()
        };
        let request = v1::UpdateProductRequest {
            name: name.to_owned(),
            product: Some(new),
            update_mask: Some(FieldMask { paths: paths.collect() }),
            request_id: request_id.to_owned(),
        };
        let answer = answer(self.runtime.block_on(self.service.update_product(request)))?;
        Ok(product(answer.product))
    }

    fn list_product_changes(&mut self, name: &str) -> Result<Vec<(String, String, String)>, Refused> {
        let request = v1::ListProductChangesRequest { name: name.to_owned(), ..Default::default() };
        let answer = answer(self.runtime.block_on(self.service.list_product_changes(request)))?;
        let change = |it: v1::ProductChange| (it.field, it.old_value, it.new_value);
        Ok(answer.changes.into_iter().map(change).collect())
    }

    fn merge_products(&mut self, from: &str, into: &str, request_id: &str) -> Result<Vec<Product>, Refused> {
        let request = v1::MergeProductsRequest {
            from_name: from.to_owned(),
            into_name: into.to_owned(),
            request_id: request_id.to_owned(),
        };
        Ok(products(answer(self.runtime.block_on(self.service.merge_products(request)))?.results))
    }

    fn undo_import(&mut self, request_id: &str) -> Result<UndoneImport, Refused> {
        let request = v1::UndoImportRequest { import_time: None, request_id: request_id.to_owned() };
        let undone = answer(self.runtime.block_on(self.service.undo_import(request)))?;
        let count = |count: i32| usize::try_from(count).unwrap();
        Ok(UndoneImport {
            restored: count(undone.restored_count),
            retired: count(undone.retired_count),
            kept: count(undone.kept_count),
        })
    }

    fn clear_examples(&mut self, request_id: &str) -> Result<Vec<Product>, Refused> {
        let request = v1::ClearExamplesRequest { request_id: request_id.to_owned() };
        Ok(products(answer(self.runtime.block_on(self.service.clear_examples(request)))?.results))
    }

    fn summarize_sales(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        let request = v1::SummarizeMovementsRequest {
            group_by: v1::SummaryGroup::Product.into(),
            kind: v1::MovementKind::Sale.into(),
            ..Default::default()
        };
        let answer = answer(self.runtime.block_on(self.service.summarize_movements(request)))?;
        Ok(answer.summaries.into_iter().map(|it| (it.group, it.amount_centavos)).collect())
    }

    fn list_low_stock(&mut self) -> Result<Vec<(String, i64)>, Refused> {
        let request = v1::ListLowStockRequest { days: 0 };
        let answer = answer(self.runtime.block_on(self.service.list_low_stock(request)))?;
        Ok(answer.products.into_iter().map(|it| (it.product_name, it.to_buy_thousandths)).collect())
    }

    fn list_expiring_stock(&mut self, days: i32) -> Result<Vec<(String, i64)>, Refused> {
        let request = v1::ListExpiringStockRequest { days, time_zone: String::new() };
        let answer = answer(self.runtime.block_on(self.service.list_expiring_stock(request)))?;
        Ok(answer.stocks.into_iter().map(|it| (it.product_name, it.left_thousandths)).collect())
    }

    fn trace_purchases(&mut self, words: &str) -> Result<Vec<(i64, i64)>, Refused> {
        let request = v1::TracePurchasesRequest { words: words.to_owned(), ..Default::default() };
        let answer = answer(self.runtime.block_on(self.service.trace_purchases(request)))?;
        Ok(answer.purchases.into_iter().map(|it| (it.sequence, it.left_thousandths)).collect())
    }
}

fn products(results: Vec<v1::AdjustStockResponse>) -> Vec<Product> {
    results.into_iter().map(|result| product(result.product)).collect()
}

fn answer<T>(answer: Result<Response<T>, Status>) -> Result<T, Refused> {
    answer.map(Response::into_inner).map_err(|status| {
        let info = status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
        let bad = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        let row = |field: &str| field.strip_prefix("products[")?.strip_suffix(']')?.parse().ok();
        let rows = bad.iter().filter_map(|violation| row(&violation.field)).collect();
        Refused { codes: vec![info.reason], message: status.message().to_owned(), rows }
    })
}

fn product(product: Option<v1::Product>) -> Product {
    let product = product.expect("a product");
    Product::new(&product.name, product.price_centavos, product.stock_thousandths)
}

fn movement(movement: &v1::Movement) -> Movement {
    let kind = match movement.kind() {
        v1::MovementKind::Unspecified => panic!("{movement:?}"),
        v1::MovementKind::Adjustment => "ajuste",
        v1::MovementKind::Opening => "abertura",
        v1::MovementKind::Purchase => "compra",
        v1::MovementKind::Sale => "venda",
        v1::MovementKind::Waste => "perda",
        v1::MovementKind::Count => "contagem",
    };
    Movement {
        sequence: movement.sequence,
        kind: kind.to_owned(),
        product_name: movement.product_name.clone(),
        delta_thousandths: movement.delta_thousandths,
        balance_thousandths: movement.balance_thousandths,
        amount_centavos: movement.amount_centavos,
    }
}

/// The product as a change left it, which the movement must agree with.
fn adjusted(change: &Change, answer: v1::AdjustStockResponse) -> Product {
    let (product, movement) = (product(answer.product), answer.movement.expect("a movement"));
    assert_eq!(movement.product_name, product.name);
    assert_eq!(movement.balance_thousandths, product.stock_thousandths);
    // A label says the quantity.
    if change.delta_thousandths != 0 {
        assert_eq!(movement.delta_thousandths, change.delta_thousandths);
    }
    assert_eq!(movement.kind, kind(change.kind) as i32);
    product
}

fn adjustment(change: &Change) -> v1::AdjustStockRequest {
    v1::AdjustStockRequest {
        name: change.name.clone(),
        delta_thousandths: change.delta_thousandths,
        request_id: change.request_id.clone(),
        kind: kind(change.kind).into(),
        amount_centavos: change.total_centavos,
        loss_reason: change.cause.map_or(0, loss_reason),
        ..Default::default()
    }
}

fn kind(kind: Kind) -> v1::MovementKind {
    match kind {
        Kind::Adjustment => v1::MovementKind::Adjustment,
        Kind::Purchase => v1::MovementKind::Purchase,
        Kind::Sale => v1::MovementKind::Sale,
        Kind::Waste => v1::MovementKind::Waste,
    }
}

/// The number of the reason with this word, or one of no reason.
fn loss_reason(word: &str) -> i32 {
    let words =
        ["vencido", "maduro", "avaria", "peso", "furto", "consumo", "doacao", "degustacao", "devolucao"];
    words.iter().position(|other| *other == word).map_or(99, |index| index as i32 + 1)
}
