//! `label print`: labels for shelves, whose bars another program reads back.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::{Ended, Need, Server, try_run};

fn shop() -> Server {
    let server = Server::start(&["--empty"]);
    let list = server.path().join("lista.csv");
    let rows = "nome;preco;unidade;codigo;codigos_de_barras;categoria\nPinhão açucarado;12,90;kg;2126;;frutas\n\
                Água de coco;4,50;un;;7891000100103;bebidas\nSuco;1234,56;un;7;96385074;bebidas\n\
                Caixa;9,00;cx;;17891000100100;bebidas\nBroto de feijão;3,00;bandeja;;;verduras\n";
    std::fs::write(&list, rows).unwrap();
    assert_eq!(server.run(&["import", list.to_str().unwrap()]).code, 0);
    server
}

#[test]
fn labels_are_written_to_a_pdf_and_no_other_file_is_replaced() {
    let server = shop();
    let print = |args: &[&str]| server.run(&[&["label", "print"], args].concat());
    let one = print(&["agua de coco", "2126", "--pdf", "a.pdf"]);
    assert_eq!((one.code, one.out.as_str()), (0, "2 etiquetas escritas em a.pdf.\n"), "{one:?}");
    let bytes = std::fs::read(server.path().join("a.pdf")).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
    assert!(bytes.len() < 8_000, "{} bytes", bytes.len());
    std::fs::write(server.path().join("texto.pdf"), "meu").unwrap();
    for (args, code, told) in [
        (&["Suco", "--pdf", "a.pdf"][..], 1, "já existe. Nada foi escrito"),
        (&["Suco", "--pdf", "texto.pdf", "--force"], 1, "só um PDF pode ser substituído"),
        (&["Kiwi", "--pdf", "b.pdf"], 3, "Kiwi"),
        (&["--category", "nada", "--pdf", "b.pdf"], 3, "nenhum produto à venda é dessa categoria"),
        (&["Suco", "--copies", "10001", "--pdf", "b.pdf"], 2, "no máximo 10000"),
        (&["Suco", "--paper", "a3", "--pdf", "b.pdf"], 2, "a3"),
        (&["--pdf", "b.pdf"], 2, "NOME"),
    ] {
        let refused = print(args);
        assert!(refused.code == code && refused.err.contains(told), "{args:?}: {refused:?}");
    }
    assert!(!server.path().join("b.pdf").exists());
    assert_eq!(print(&["Suco", "--pdf", "a.pdf", "--force"]).code, 0);
}

#[test]
fn a_label_that_nobody_may_want_is_written_and_named() {
    let server = shop();
    for (name, price) in [("Brinde", "0"), ("Amostra", "0"), ("Chá Ağaç", "5")] {
        assert_eq!(server.run(&["product", "new", name, price]).code, 0);
    }
    assert_eq!(server.run(&["product", "retire", "Caixa"]).code, 0);
    let made =
        server.run(&["label", "print", "Suco", "Brinde", "Amostra", "Chá Ağaç", "Caixa", "--pdf", "a.pdf"]);
    assert_eq!((made.code, made.out.as_str()), (0, "5 etiquetas escritas em a.pdf.\n"), "{made:?}");
    for said in [
        "Aviso: 2 produtos estão sem preço, e as etiquetas deles mostram R$ 0,00; o primeiro é \"Brinde\".\n",
        "Aviso: 1 produto está aposentado, e não se vende mais: \"Caixa\".\n",
        "no lugar dele há ?: \"Chá Ağaç\".\n",
    ] {
        assert!(made.err.contains(said), "{said}: {}", made.err);
    }
    assert_eq!(server.run(&["label", "print", "Suco", "--pdf", "b.pdf"]).err, "");
}

#[test]
fn another_program_reads_the_codes_back() {
    let server = shop();
    let expected: BTreeSet<&str> =
        ["CODE-128:2126", "EAN-13:7891000100103", "EAN-8:96385074", "CODE-128:17891000100100"].into();
    for paper in ["a4", "50x30"] {
        let names = ["pinhao acucarado", "agua de coco", "suco", "caixa", "broto de feijao"];
        let made = server.run(
            &[&["label", "print"], &names[..], &["--pdf", "e.pdf", "--force", "--paper", paper]].concat(),
        );
        assert_eq!(made.code, 0, "{made:?}");
        let mut draw = Command::new("pdftoppm");
        draw.current_dir(server.path()).args(["-r", "203", "-gray", "-png", "e.pdf", paper]);
        let mut words = Command::new("pdftotext");
        words.current_dir(server.path()).args(["e.pdf", "-"]);
        let (Ok(drawn), Ok(words)) = (try_run(&mut draw), try_run(&mut words)) else {
            return Need::Zbar.skip("poppler-utils is not installed");
        };
        assert_eq!(drawn.code, 0, "{drawn:?}");
        let text = words.out;
        for told in ["Pinhão açucarado", "R$ 12,90", "/kg", "R$ 1.234,56", "/bandeja", "7891000100103"] {
            assert!(text.contains(told), "{paper}: {told} in {text}");
        }
        let mut pages: Vec<_> = std::fs::read_dir(server.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
            .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(paper))
            .collect();
        pages.sort();
        assert_eq!(pages.len(), if paper == "a4" { 1 } else { names.len() });
        let mut zbar = Command::new("zbarimg");
        zbar.args(["--quiet", "-Sdisable", "-Sean13.enable", "-Sean8.enable", "-Scode128.enable"])
            .args(&pages);
        let Ok(Ended { out: read, .. }) = try_run(&mut zbar) else {
            return Need::Zbar.skip("zbar-tools is not installed");
        };
        let read: BTreeSet<&str> = read.lines().collect();
        assert_eq!(read, expected, "{paper}");
    }
}
