//! Who asks over the network is told what it needs, and nothing of the machine that the server
//! runs on.

use std::fs;

use hortifruti::wire::grpc::original::AtualizarRequest;
use hortifruti::wire::grpc::original::produto_service_client::ProdutoServiceClient;
use hortifruti::wire::grpc::v1::AdjustStockRequest;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;

use crate::support::Server;

/// Damage to the files of a database under a server, and what clients are told of it.
type Damage = fn(&std::path::Path);
const DAMAGES: [(Damage, &str); 4] = [
    (|folder| fs::rename(folder.join("hortifruti.db"), folder.join("longe")).unwrap(), "apagado, movido"),
    (|folder| fs::remove_file(folder.join("hortifruti.db-wal")).unwrap(), "apagado, movido"),
    (|folder| fs::write(folder.join("hortifruti.db-wal"), "").unwrap(), "foi cortado"),
    (|folder| fs::remove_file(folder.join("hortifruti.db.lock")).unwrap(), "trava"),
];

#[tokio::test]
async fn refusals_of_a_broken_store_name_no_path_and_no_process() {
    for (damage, told) in DAMAGES {
        let server = Server::start_logged_in(tempfile::tempdir().unwrap(), &[]);
        let mut text = server.connect();
        text.ask("3 Caju -1");
        damage(server.path());
        let address = format!("http://127.0.0.1:{}", server.port);
        let change = AdjustStockRequest {
            name: "caju".to_owned(),
            delta_thousandths: -1000,
            ..AdjustStockRequest::default()
        };
        let original = AtualizarRequest { nome: "caju".to_owned(), quantidade: -1 };
        let mut client = InventoryServiceClient::connect(address.clone()).await.unwrap();
        let exact = client.adjust_stock(change).await.unwrap_err();
        let mut client = ProdutoServiceClient::connect(address).await.unwrap();
        let original = client.atualizar_estoque(original).await.unwrap_err();
        let by_text = text.ask("3 Caju -1");
        assert!(
            by_text.starts_with("Erro UNAVAILABLE: ") && by_text.contains("Nada foi alterado"),
            "{by_text}"
        );
        let folder = server.path().to_str().unwrap();
        for said in [by_text, format!("{exact:?}"), format!("{original:?}")] {
            assert!(said.contains(told), "{said}");
            for secret in [folder, "hortifruti.db", ".lock", "-wal", "processo"] {
                assert!(!said.contains(secret), "{said} tells {secret}");
            }
        }
        // Whoever runs the server is told where.
        server.log(folder);
    }
}
