//! `grpc.health.v1.Health`: whether the server takes changes. Needs no token, because probes have none.

use std::sync::Arc;

use hyper::body::Bytes;
use prost::Message;
use tokio::sync::mpsc;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::Response;

use super::arriving::Arriving;
use super::calls::Calls;
use super::one_message::{answer, answer_with, read, written};
use super::watch_stream::WatchBody;
use crate::refusal::Refusal;
use crate::wire::grpc::health::health_check_response::ServingStatus;
use crate::wire::grpc::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use crate::wire::grpc::{HEALTH_SERVICE, INVENTORY_SERVICE, PRODUTO_SERVICE, status};

/// The most bytes of a message: the name of a service.
pub(super) const MESSAGE_BYTES_MAX: usize = 1024;

/// The services that have a status. The empty name is that of the whole server.
const SERVICES: [&str; 3] = ["", INVENTORY_SERVICE, PRODUTO_SERVICE];

/// A call of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HealthCall {
    Check,
    List,
    Watch,
}

impl HealthCall {
    /// The call that a path names, if it names one.
    pub(super) fn of(path: &str) -> Option<Self> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        match method {
            _ if service != HEALTH_SERVICE => None,
            "Check" => Some(Self::Check),
            "List" => Some(Self::List),
            "Watch" => Some(Self::Watch),
            _ => None,
        }
    }
}

impl Calls {
    /// Answers a call of the service.
    pub(super) async fn answer_health(self: Arc<Self>, call: HealthCall, body: Arriving) -> Response<Body> {
        let answer = match call {
            HealthCall::Check => self.check_health(body).await,
            HealthCall::List => self.list_health(body).await,
            HealthCall::Watch => self.watch_health(body).await,
        };
        answer.unwrap_or_else(Status::into_http)
    }

    async fn check_health(&self, body: Arriving) -> Result<Response<Body>, Status> {
        let request: HealthCheckRequest = read(body, MESSAGE_BYTES_MAX).await?;
        match self.health_of(&request.service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("este servidor não tem esse serviço")),
            health => Ok(answer(|out| write(health, out))),
        }
    }

    async fn list_health(&self, body: Arriving) -> Result<Response<Body>, Status> {
        let HealthListRequest {} = read(body, MESSAGE_BYTES_MAX).await?;
        let health = |name: &str| (name.to_owned(), response(self.health_of(name)));
        let list = HealthListResponse { statuses: SERVICES.map(health).into() };
        Ok(answer(|out| {
            // Writing to a vector cannot fail.
            let _ = list.encode(out);
        }))
    }

    /// Begins a stream with the status of a service, now and after each change.
    async fn watch_health(self: Arc<Self>, body: Arriving) -> Result<Response<Body>, Status> {
        let request: HealthCheckRequest = read(body, MESSAGE_BYTES_MAX).await?;
        let (statuses, receiver) = mpsc::channel(1);
        let stream = WatchBody::new(self.progress.clone(), receiver);
        tokio::spawn(self.send_health(request.service, statuses));
        Ok(answer_with(stream))
    }

    /// Sends the status of a service until the client is gone or the server stops.
    async fn send_health(self: Arc<Self>, service: String, statuses: mpsc::Sender<Result<Bytes, Status>>) {
        let mut changes = self.service.inventory.metrics().store.changes();
        let mut last = None;
        loop {
            changes.mark_unchanged();
            let health = self.health_of(&service);
            if last != Some(health) {
                last = Some(health);
                let message = written(|out| write(health, out));
                if statuses.send(Ok(message.into())).await.is_err() {
                    return;
                }
            }
            if self.service.is_stopping() {
                let _ = statuses.send(Err(status(Refusal::watch_stopping()))).await;
                return;
            }
            tokio::select! {
                // An error means that the server ends.
                _ = changes.changed() => {}
                () = self.service.stopping() => {}
                () = statuses.closed() => return,
            }
        }
    }

    /// The status of a service now.
    fn health_of(&self, service: &str) -> ServingStatus {
        if !SERVICES.contains(&service) {
            ServingStatus::ServiceUnknown
        } else if self.service.why_not_ready().is_none() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    }
}

fn response(health: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: health.into() }
}

fn write(health: ServingStatus, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = response(health).encode(out);
}
