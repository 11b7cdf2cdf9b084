//! The original's clients, unchanged: its socket client's way of talking, and Python
//! classes generated from its contract.

use std::path::Path;
use std::process::Command;

use crate::support::{FOUR_PRODUCTS, Need, Server, project, run, try_run};

/// One send without a line end, one receive of 2048 bytes.
fn ask_as_the_original(server: &Server, commands: &[(&str, &str)]) {
    let mut connection = server.connect();
    for (command, expected) in commands {
        connection.send(command);
        assert_eq!(connection.receive(2048), format!("{expected}\n\n"), "{command}");
    }
}

#[test]
fn the_socket_client_ends_no_line() {
    let server = Server::start(&[]);
    ask_as_the_original(
        &server,
        &[
            ("4", FOUR_PRODUCTS),
            ("1 Maca", "Maca: R$3.0, Estoque: 20"),
            ("2 2.5", "Caju: R$2.0, Estoque: 60"),
            ("3 Caju -20", "Caju: R$2.0, Estoque: 40"),
            ("2 1", "Nenhum produto encontrado."),
        ],
    );
    // Each command of a client that goes at once is still a command.
    let mut connection = server.connect();
    connection.send("3 Caju -10");
    connection.finish();
    assert_eq!(String::from_utf8(connection.rest()).unwrap(), "Caju: R$2.0, Estoque: 30\n\n");
}

#[test]
fn the_originals_transcript() {
    let mut server = Server::start(&["--socket", "--exit-after", "3"]);
    let conversations: [&[(&str, &str)]; 3] = [
        &[
            ("2 8", "Maca: R$3.0, Estoque: 20\nPera: R$5.0, Estoque: 15\nCaju: R$2.0, Estoque: 60"),
            ("4", FOUR_PRODUCTS),
        ],
        &[("3 Caju -20", "Caju: R$2.0, Estoque: 40")],
        &[(
            "4",
            "Maca: R$3.0, Estoque: 20\nPera: R$5.0, Estoque: 15\nBanana: R$10.0, Estoque: 30\nCaju: R$2.0, Estoque: 40",
        )],
    ];
    for (index, conversation) in conversations.into_iter().enumerate() {
        ask_as_the_original(&server, conversation);
        let connected = server.console_line();
        let peer = connected.strip_prefix("Conexão estabelecida com ('127.0.0.1', ").unwrap_or_default();
        assert!(peer.strip_suffix(')').is_some_and(|port| port.parse::<u16>().is_ok()), "{connected}");
        for (command, _) in conversation {
            assert_eq!(server.console_line(), format!("Comando recebido: {command}"));
        }
        let after = if index < 2 { "Aguardando conexão..." } else { "Numero max de conexoes atingidas." };
        assert_eq!(server.console_line(), after);
    }
    assert_eq!(server.wait_for_end().0, Some(0));
    assert!(!server.path().join("server_port.txt").exists());
}

/// Generates the original's classes in a folder, and returns whether Python has what that
/// takes; says so where it has not.
pub(crate) fn generate_python_classes(folder: &Path) -> bool {
    let probe = try_run(Command::new("python3").args(["-c", "import grpc, grpc_tools"]));
    if !probe.is_ok_and(|ended| ended.code == 0) {
        Need::Python.skip("python3 has no grpcio and grpcio-tools (pip install grpcio grpcio-tools)");
        return false;
    }
    let contracts = format!("-I{}", project().join("proto").display());
    let mut command = Command::new("python3");
    command.current_dir(folder).args(["-m", "grpc_tools.protoc", &contracts]);
    let generated = run(command.args(["--python_out=.", "--grpc_python_out=.", "produtos.proto"]), "");
    assert_eq!(generated.code, 0, "{}", generated.err);
    true
}

#[test]
fn the_grpc_client_in_python() {
    let server = Server::start(&["--grpc"]);
    if !generate_python_classes(server.path()) {
        return;
    }
    let script = r#"
import grpc, produtos_pb2 as pb, produtos_pb2_grpc as rpc
port = open("server_port.txt").read()
assert port.isdigit(), port
stub = rpc.ProdutoServiceStub(grpc.insecure_channel("localhost:" + port))
def show(produtos):
    for p in produtos: print(f"{p.nome}: R${p.preco}, Estoque: {p.quantidade}")
show(stub.ListarProdutos(pb.Empty()).produtos)
show([stub.ConsultarProdutoNome(pb.ProdutoRequest(nome="MAÇÃ")).produto])
show(stub.ConsultarProdutoPreco(pb.PrecoRequest(preco_max=2.5)).produtos)
print(stub.AtualizarEstoque(pb.AtualizarRequest(nome="Caju", quantidade=-20)).mensagem)
for call, request in [
    (stub.ConsultarProdutoNome, pb.ProdutoRequest(nome="Kiwi")),
    (stub.AtualizarEstoque, pb.AtualizarRequest(nome="Caju", quantidade=-41)),
    (stub.AtualizarEstoque, pb.AtualizarRequest(nome="Caju", quantidade=0)),
    (stub.ConsultarProdutoPreco, pb.PrecoRequest(preco_max=float("nan"))),
]:
    try: call(request)
    except grpc.RpcError as error: print(error.code().name, error.details()[:12])
"#;
    let talked = run(Command::new("python3").current_dir(server.path()).args(["-c", script]), "");
    assert_eq!(talked.code, 0, "{}", talked.err);
    let expected = format!(
        "{FOUR_PRODUCTS}\n\
         Maca: R$3.0, Estoque: 20\n\
         Caju: R$2.0, Estoque: 60\n\
         Caju: R$2.0, Estoque: 40\n\
         NOT_FOUND nenhum produ\n\
         FAILED_PRECONDITION estoque insu\n\
         INVALID_ARGUMENT quantidade i\n\
         INVALID_ARGUMENT preço inváli\n"
    );
    assert_eq!(talked.out, expected);
}
