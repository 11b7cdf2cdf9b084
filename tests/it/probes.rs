//! `grpc.health.v1.Health` and server reflection, as Kubernetes and grpcurl ask for them.

use std::process::Command;

use hortifruti::wire::grpc::health::health_check_response::ServingStatus;
use hortifruti::wire::grpc::health::health_client::HealthClient;
use hortifruti::wire::grpc::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest};
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::support::{Need, PATIENCE, Server, make_token, run, try_run};

fn asked(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

/// The word of a status.
fn word(response: &HealthCheckResponse) -> &'static str {
    ServingStatus::try_from(response.status).unwrap().as_str_name()
}

#[tokio::test]
async fn a_probe_of_health_hears_whether_the_server_takes_changes() {
    let folder = tempfile::tempdir().unwrap();
    make_token(folder.path(), "escrita", "escrita");
    // A probe has no token.
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = HealthClient::connect(address).await.unwrap();
    for service in ["", "hortifruti.v1.InventoryService", "ProdutoService"] {
        let response = client.check(asked(service)).await.unwrap().into_inner();
        assert_eq!(word(&response), "SERVING", "{service}");
    }
    assert_eq!(client.check(asked("Kiwi")).await.unwrap_err().code(), Code::NotFound);
    let list = client.list(HealthListRequest {}).await.unwrap().into_inner().statuses;
    assert!(list.len() == 3 && list.values().all(|it| word(it) == "SERVING"), "{list:?}");

    let mut unknown = client.watch(asked("Kiwi")).await.unwrap().into_inner();
    assert_eq!(word(&unknown.message().await.unwrap().unwrap()), "SERVICE_UNKNOWN");
    let mut watch = client.watch(asked("")).await.unwrap().into_inner();
    let mut next = async || {
        let message = tokio::time::timeout(PATIENCE, watch.message()).await.expect("there is no status");
        message.map(|message| message.map(|message| word(&message)))
    };
    assert_eq!(next().await.unwrap(), Some("SERVING"));
    let (database, away) = (server.path().join("hortifruti.db"), server.path().join("fora.db"));
    std::fs::rename(&database, &away).unwrap();
    assert_eq!(server.run(&["update", "Caju", "-1", "--token-file", "escrita"]).code, 5);
    assert_eq!(next().await.unwrap(), Some("NOT_SERVING"));
    std::fs::rename(&away, &database).unwrap();
    assert_eq!(next().await.unwrap(), Some("SERVING"));
    server.signal("TERM");
    assert_eq!(next().await.unwrap(), Some("NOT_SERVING"));
    assert_eq!(next().await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn the_contracts_are_there_without_files() {
    let server = Server::start(&[]);
    let address = format!("http://127.0.0.1:{}", server.port);
    let channel = tonic::transport::Endpoint::new(address).unwrap().connect().await.unwrap();
    let mut client = ServerReflectionClient::new(channel);
    let asked = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol("hortifruti.v1.InventoryService".to_owned()),
        // The details of errors.
        MessageRequest::FileContainingSymbol("google.rpc.ErrorInfo".to_owned()),
    ];
    let asked =
        asked.map(|asked| ServerReflectionRequest { host: String::new(), message_request: Some(asked) });
    let answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap().message_response.unwrap()).collect().await;
    let [
        MessageResponse::ListServicesResponse(services),
        MessageResponse::FileDescriptorResponse(files),
        MessageResponse::FileDescriptorResponse(details),
    ] = &answers[..]
    else {
        panic!("{answers:?}");
    };
    let names: Vec<_> = services.service.iter().map(|service| service.name.as_str()).collect();
    for name in [
        "hortifruti.v1.InventoryService",
        "ProdutoService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!((files.file_descriptor_proto.len(), details.file_descriptor_proto.len()), (1, 1));
}

#[test]
fn a_client_in_python_finds_its_way_with_the_port_alone() {
    let probe = "import grpc, grpc_health, grpc_reflection";
    if !try_run(Command::new("python3").args(["-c", probe])).is_ok_and(|ended| ended.code == 0) {
        return Need::Python.skip(
            "python3 has no grpcio, grpcio-health-checking and grpcio-reflection \
             (pip install grpcio grpcio-health-checking grpcio-reflection)",
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = make_token(folder.path(), "leitura", "leitura");
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let script = r#"
import grpc, sys
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
channel = grpc.insecure_channel("localhost:" + open("server_port.txt").read())
health = health_pb2_grpc.HealthStub(channel)
print(health_pb2.HealthCheckResponse.ServingStatus.Name(health.Check(health_pb2.HealthCheckRequest()).status))
try: ProtoReflectionDescriptorDatabase(channel).get_services()
except grpc.RpcError as error: print(error.code().name)
class Token(grpc.UnaryUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    def add(self, call, details, request):
        details = details._replace(metadata=[("authorization", "Bearer " + sys.argv[1])])
        return call(details, request)
    intercept_unary_unary = intercept_stream_stream = add
channel = grpc.intercept_channel(channel, Token())
contracts = ProtoReflectionDescriptorDatabase(channel)
print(sorted(name for name in contracts.get_services() if not name.startswith("grpc.reflection")))
pool = descriptor_pool.DescriptorPool(contracts)
call = pool.FindServiceByName("hortifruti.v1.InventoryService").FindMethodByName("GetProduct")
request, response = (message_factory.GetMessageClass(type) for type in (call.input_type, call.output_type))
get = channel.unary_unary("/hortifruti.v1.InventoryService/GetProduct", request.SerializeToString, response.FromString)
print(get(request(name="caju")).product.price_centavos)
"#;
    let mut command = Command::new("python3");
    let talked = run(command.current_dir(server.path()).args(["-c", script, &secret]), "");
    let expected = "SERVING\nUNAUTHENTICATED\n\
                    ['ProdutoService', 'grpc.health.v1.Health', 'hortifruti.v1.InventoryService']\n200\n";
    assert_eq!((talked.code, &*talked.out), (0, expected), "{}", talked.err);
}
