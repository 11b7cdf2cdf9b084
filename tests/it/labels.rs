//! Labels of scales, which `serve --label` reads in the place of names. The rules are tested beside their code.

use crate::support::{Server, hortifruti, run};

#[test]
fn masks_that_cannot_be_start_no_server() {
    let folder = tempfile::tempdir().unwrap();
    for (masks, told) in [
        (
            &["2CCCCCCPPPPD"][..],
            "a máscara \"2CCCCCCPPPPD\" tem 12 caracteres, e uma etiqueta tem 13 dígitos",
        ),
        (&["2CCCCCCPPPPPX"], "não tem o dígito verificador D no fim"),
        (&["2CCCCCCXXXXXD"], "não tem o peso (P) nem o total (T)"),
        (
            &["2CCCCCCPPPPPD", "2CCCCCCTTTTTD"],
            "as máscaras 2CCCCCCPPPPPD e 2CCCCCCTTTTTD leem as mesmas etiquetas",
        ),
        (&["2CCCCCCPPPPPD,23CCCCCTTTTTD"], "leem as mesmas etiquetas"),
    ] {
        let labels = masks.iter().flat_map(|mask| ["--label", mask]);
        let ended = run(hortifruti(folder.path()).args(["serve", "--port", "0"]).args(labels), "");
        assert!(ended.code == 2 && ended.err.contains(told), "{masks:?}: {ended:?}");
        assert!(ended.err.ends_with(". O servidor não foi iniciado\n"), "{ended:?}");
    }
    let mut command = hortifruti(folder.path());
    let ended = run(command.args(["serve", "--port", "0"]).env("HORTIFRUTI_LABEL", "2CCCCCCPPPPD"), "");
    assert!(ended.code == 2 && ended.err.contains("tem 12 caracteres"), "{ended:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_server_without_masks_has_no_labels() {
    let server = Server::start(&[]);
    let reply = server.connect().ask("1 2002126012507");
    assert!(reply.starts_with("Erro PRODUCT_NOT_FOUND: nenhum produto se chama"), "{reply}");
    let reply = server.connect().ask("1 2002126012508");
    assert!(
        reply.starts_with("Erro INVALID_ARGUMENT") && reply.contains("dígito verificador errado"),
        "{reply}"
    );
}

#[test]
fn a_label_of_a_code_that_no_product_has_is_told_on_every_way() {
    let server = Server::start(&["--label", "21CCCCCPPPPPD", "--label", "23CCCCCTTTTTD"]);
    let told = "nenhum produto tem o código 2126, o da etiqueta \"2102126012504\".";
    for line in ["1 2102126012504", "3 2102126012504 0 motivo=venda", "contar 2102126012504 5"] {
        let reply = server.connect().ask(line);
        assert!(reply.starts_with("Erro PRODUCT_NOT_FOUND") && reply.contains(told), "{line}: {reply}");
    }
    for protocol in ["--socket", "--grpc"] {
        let ended = server.run(&["query", "2102126012504", protocol]);
        assert!(ended.code == 3 && ended.err.contains(told), "{ended:?}");
        let ended = server.run(&["query", "2202126012501", protocol]);
        assert!(ended.code == 2 && ended.err.contains("nenhuma máscara de --label do servidor"), "{ended:?}");
    }
}
