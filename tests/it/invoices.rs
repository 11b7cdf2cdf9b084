//! `buy --nfe`: the invoice of a supplier is read, matched, booked once for ever, and undone as one document.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::support::{Ended, Server};
use crate::terminal::Terminal;

const SHOP: &str = "11222333000181";
const SUPPLIER: &str = "12345678000195";

/// A key of an invoice of [`SUPPLIER`].
fn key(number: u32) -> String {
    let start = format!("352611{SUPPLIER}55001{number:09}100000123");
    let weights = (2..=9_u32).cycle();
    let sum: u32 =
        start.bytes().rev().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let digit = if sum % 11 < 2 { 0 } else { 11 - sum % 11 };
    format!("{start}{digit}")
}

/// A line of an invoice: its code, barcode, name, unit, quantity, value and what else its product has.
pub(crate) type Line<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

const TOMATO: Line<'_> = (
    "01",
    "SEM GTIN",
    "TOMATE COMUM",
    "CX",
    "30.0000",
    "4200.00",
    "<uTrib>KG</uTrib><qTrib>600.0000</qTrib><vFrete>120.00</vFrete><vDesc>20.00</vDesc>\
     <rastro><nLote>T1</nLote><qLote>30.000</qLote><dFab>2026-11-23</dFab><dVal>2099-11-30</dVal></rastro>",
);
const BANANA: Line<'_> = ("07", "", "BANANA &amp; PRATA", "KG", "35.5000", "149.10", "");
const COCONUT: Line<'_> = (
    "12",
    "17891000100100",
    "AGUA DE COCO 200ML CX 24",
    "CX",
    "2.0000",
    "144.00",
    "<cEANTrib>7891000100103</cEANTrib><uTrib>UN</uTrib><qTrib>48.0000</qTrib>",
);

pub(crate) fn xml(number: u32, lines: &[Line<'_>]) -> String {
    let key = key(number);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<nfeProc xmlns=\"http://www.portalfiscal.inf.br/nfe\" \
         versao=\"4.00\"><NFe><infNFe Id=\"NFe{key}\" versao=\"4.00\"><ide><natOp>VENDA</natOp><mod>55</mod>\
         <serie>1</serie><nNF>{number}</nNF><dhEmi>2026-11-24T04:30:00-03:00</dhEmi><tpNF>1</tpNF>\
         <finNFe>1</finNFe></ide><emit><CNPJ>{SUPPLIER}</CNPJ><xNome>PRODUTOR EXEMPLO</xNome></emit>\
         <dest><CNPJ>{SHOP}</CNPJ><xNome>HORTIFRUTI EXEMPLO</xNome></dest>"
    );
    for (index, (code, barcode, name, unit, quantity, value, more)) in lines.iter().enumerate() {
        let item = index + 1;
        write!(
            xml,
            "<det nItem=\"{item}\"><prod><cProd>{code}</cProd><cEAN>{barcode}</cEAN><xProd>{name}</xProd>\
             <uCom>{unit}</uCom><qCom>{quantity}</qCom><vProd>{value}</vProd>{more}<indTot>1</indTot></prod></det>"
        )
        .unwrap();
    }
    xml + &format!(
        "</infNFe></NFe><protNFe versao=\"4.00\"><infProt><chNFe>{key}</chNFe><cStat>100</cStat></infProt></protNFe>\
         </nfeProc>"
    )
}

/// A shop with what the invoices bring.
struct Shop {
    server: Server,
}

impl Shop {
    fn open() -> Self {
        let server = Server::start(&["--empty"]);
        let list = server.path().join("lista.csv");
        let rows = "nome;preco;unidade;codigos_de_barras\nTomate;8,90;kg;\nBanana;6,99;kg;\n\
                    Água de coco;4,50;un;7891000100103\nAlface;3,50;un;\n";
        std::fs::write(&list, rows).unwrap();
        assert_eq!(server.run(&["import", list.to_str().unwrap()]).code, 0);
        Self { server }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.server.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn book(&self, xml: impl AsRef<[u8]>, options: &[&str]) -> Ended {
        let file = self.file("nota.xml", xml);
        self.server.run(&[&["buy", "--nfe", file.to_str().unwrap()], options].concat())
    }

    fn stock(&self, name: &str) -> String {
        let one = self.server.run(&["query", name]).out;
        one.trim().rsplit(' ').next().unwrap().to_owned()
    }
}

#[test]
fn an_invoice_is_matched_and_booked_once_and_what_a_person_said_is_known_the_next_time() {
    let shop = Shop::open();
    let first = xml(123, &[TOMATO, BANANA, COCONUT]);
    let refused = shop.book(&first, &[]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    for told in [
        "2 itens da nota não se sabem lançar",
        "item 1: TOMATE COMUM, 30 CX, R$ 4.300,00: de que produto é?",
        "item 2: BANANA & PRATA, 35,5 KG, R$ 149,10",
        "\n1;01;;;;TOMATE COMUM\n2;07;;;;BANANA & PRATA\n",
    ] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
    assert_eq!(shop.stock("Água de coco"), "0");

    let map = shop.file("mapa.csv", "codigo;produto;conteudo\n01;Tomate;20kg\n07;banana;\n");
    let map = ["--map", map.to_str().unwrap()];
    let rehearsed = shop.book(&first, &[&map[..], &["--dry-run"]].concat());
    let expected = format!(
        "Nota 123, série 1, de PRODUTOR EXEMPLO ({SUPPLIER}), de 24/11/2026: R$ 4.593,10\n\
         item 1: TOMATE COMUM, 30 CX, R$ 4.300,00 → 600 kg de Tomate, R$ 7,17 por kg, lote T1, até 30/11/2099\n\
         item 2: BANANA & PRATA, 35,5 KG, R$ 149,10 → 35,5 kg de Banana, R$ 4,20 por kg\n\
         item 3: AGUA DE COCO 200ML CX 24, 2 CX, R$ 144,00 → 48 un de Água de coco, R$ 3,00 por un (pelo código de barras)\n"
    );
    assert_eq!((rehearsed.code, rehearsed.out), (0, expected), "{}", rehearsed.err);
    assert_eq!(shop.stock("Tomate"), "0");

    let booked = shop.book(&first, &[&map[..], &["--cnpj", "11.222.333/0001-81"]].concat());
    assert_eq!(booked.code, 0, "{booked:?}");
    assert!(booked.out.contains("Tomate: +600 kg · R$ 4.300,00 · restam 600 kg"), "{}", booked.out);
    assert!(booked.out.ends_with("Total: R$ 4.593,10\n"), "{}", booked.out);
    let again = shop.book(&first, &[]);
    assert_eq!((again.code, again.out.as_str()), (0, ""), "{again:?}");
    assert!(again.err.contains("já está lançada, no documento #5,"), "{}", again.err);
    assert_eq!(shop.stock("Tomate"), "600");

    // The next invoice of the supplier needs nobody, but for a unit that nobody has seen.
    let next = xml(124, &[(TOMATO.0, "", TOMATO.2, "CX", "2.5000", "300.00", ""), BANANA]);
    let booked = shop.book(&next, &[]);
    assert_eq!(booked.code, 0, "{booked:?}");
    assert_eq!(shop.stock("Tomate"), "650");
    let other_unit = xml(125, &[("01", "", "TOMATE COMUM", "SC", "1.0000", "300.00", "")]);
    let refused = shop.book(&other_unit, &[]);
    assert!(refused.code == 2 && refused.err.contains("de que produto é?"), "{refused:?}");
    // The ledger knows the invoice and the box, and what to buy goes by the box.
    let history = shop.server.run(&["history", "Tomate", "--format", "csv"]).out;
    assert!(
        history.contains(&format!("30cx=600kg,PRODUTOR EXEMPLO,T1,2099-11-30,{}", key(123))),
        "{history}"
    );
    let json = shop.server.run(&["history", "Tomate", "--format", "json"]).out;
    assert!(json.contains(&format!("\"invoice\":\"{}\"", key(124))), "{json}");
    let table = shop.server.run(&["history", "--format", "table"]).out;
    assert!(
        table.ends_with(&format!("NF-e {}: #9, #8\nNF-e {}: #7, #6, #5\n", key(124), key(123))),
        "{table}"
    );
}

#[test]
fn an_invoice_that_was_undone_is_booked_again_only_if_a_person_says_so() {
    let shop = Shop::open();
    let note = xml(7, &[COCONUT, ("99", "7891000100103", "AVULSO", "UN", "1.0000", "3.00", "")]);
    assert_eq!(shop.book(&note, &[]).code, 0);
    assert_eq!(shop.stock("Água de coco"), "49");
    // One document, with one undo.
    assert_eq!(shop.server.run(&["undo", "5"]).code, 0);
    assert_eq!(shop.stock("Água de coco"), "0");
    for _ in 0..2 {
        let refused = shop.book(&note, &[]);
        assert_eq!((refused.code, shop.stock("Água de coco").as_str()), (4, "0"), "{refused:?}");
        assert!(refused.err.contains("já foi lançada uma vez, e desfeita"), "{}", refused.err);
    }
    assert_eq!(shop.book(&note, &["--again"]).code, 0);
    assert_eq!(shop.stock("Água de coco"), "49");
    let again = shop.book(&note, &["--again"]);
    assert!(again.code == 0 && again.err.contains("já está lançada, no documento #9"), "{again:?}");
    assert_eq!(shop.server.run(&["undo", "9"]).code, 0);
    assert_eq!(shop.book(&note, &["--again"]).code, 0);
    assert_eq!(shop.stock("Água de coco"), "49");
}

#[test]
fn an_invoice_that_is_booked_again_knows_what_was_said_of_it() {
    let shop = Shop::open();
    let note = xml(8, &[TOMATO, BANANA]);
    let map = shop.file("mapa.csv", "item;produto;conteudo\n1;Tomate;20kg\n2;Banana;\n");
    assert_eq!(shop.book(&note, &["--map", map.to_str().unwrap()]).code, 0);
    assert_eq!(shop.server.run(&["undo", "5"]).code, 0);
    // Another invoice does not learn from it: the product may have been the slip.
    let other = shop.book(xml(9, &[BANANA]), &[]);
    assert!(other.code == 2 && other.err.contains("de que produto é?"), "{other:?}");

    let again = shop.book(&note, &["--again", "--dry-run"]);
    assert!(
        again.out.contains("600 kg de Tomate") && again.out.contains("(como na nota desfeita)"),
        "{again:?}"
    );
    let again = shop.book(&note, &["--again"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.err.contains("item 2: é Banana, como na nota que foi desfeita"), "{}", again.err);
    assert_eq!((shop.stock("Tomate"), shop.stock("Banana")), ("600".to_owned(), "35.5".to_owned()));
}

#[test]
fn a_product_that_was_retired_is_asked_for_again() {
    let shop = Shop::open();
    let map = shop.file("mapa.csv", "item;produto;conteudo\n1;Tomate;20kg\n");
    let map = ["--map", map.to_str().unwrap()];
    assert_eq!(shop.book(xml(1, &[TOMATO, COCONUT]), &map).code, 0);
    assert_eq!(shop.server.run(&["product", "merge", "Tomate", "Banana"]).code, 0);
    assert_eq!(shop.server.run(&["product", "retire", "Água de coco"]).code, 0);
    let asked = shop.book(xml(2, &[TOMATO, COCONUT]), &[]);
    assert_eq!(asked.code, 2, "{asked:?}");
    for item in ["item 1: TOMATE COMUM, 30 CX, R$ 4.300,00: de que", "item 2: AGUA DE COCO"] {
        assert!(asked.err.contains(item), "{item}: {}", asked.err);
    }
    let map = shop.file("mapa.csv", "item;produto;conteudo\n1;Banana;20kg\n2;-;\n");
    let booked = shop.book(xml(2, &[TOMATO, COCONUT]), &["--map", map.to_str().unwrap()]);
    assert_eq!((booked.code, shop.stock("Banana").as_str()), (0, "1200"), "{booked:?}");
}

#[test]
fn bad_invoices_change_nothing() {
    let shop = Shop::open();
    let before = shop.server.run(&["history"]).out;
    let good = xml(1, &[COCONUT]);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let line = |quantity: &'static str, value: &'static str, more: &'static str| {
        xml(1, &[(COCONUT.0, COCONUT.1, COCONUT.2, "UN", quantity, value, more)])
    };
    let event = "<procEventoNFe><evento><infEvento><chNFe>KEY</chNFe><tpEvento>110111</tpEvento></infEvento></evento></procEventoNFe>";
    let key_of = |number| key(number);
    for (bytes, told) in [
        (with(&key_of(1), &key_of(2)).into_bytes(), "a chave não confere com o número"),
        (with("NFe3526", "NFe3527").into_bytes(), "o dígito verificador não confere"),
        (
            with(&format!("<chNFe>{}", key_of(1)), &format!("<chNFe>{}", key_of(2))).into(),
            "com a autorização",
        ),
        (with(&format!("<CNPJ>{SUPPLIER}"), "<CNPJ>99345678000195").into(), "com o CNPJ"),
        (with("<cStat>100", "<cStat>101").into(), "não foi autorizada"),
        (with("<mod>55", "<mod>65").into(), "NFC-e"),
        (with("<finNFe>1", "<finNFe>4").into(), "de devolução"),
        (with("<finNFe>1", "<finNFe>5").into(), "de crédito"),
        (with("<finNFe>1", "<finNFe>6").into(), "de débito"),
        (with("<tpNF>1", "<tpNF>0").into(), "de entrada"),
        (event.replace("KEY", &key_of(1)).into(), "cancelamento da nota 3526"),
        (line("-2.0000", "144.00", "").into(), "item 1: a quantidade é \"-2.0000\", abaixo de zero"),
        (line("0.0000", "144.00", "").into(), "item 1: a quantidade é zero"),
        (line("2,5", "144.00", "").into(), "não é um número (casas decimais: até 4)"),
        (line("2.00001", "144.00", "").into(), "não é um número (casas decimais: até 4)"),
        (line("2.0000", "1.00", "<vDesc>2.00</vDesc>").into(), "abaixo de zero"),
        (line("2.0000", "99999999999999.00", "").into(), "item 1: vProd"),
        (line("1.5000", "1.00", "<cEANTrib>7891000100103</cEANTrib>").into(), "item 1 da nota: "),
        (line("1.2345", "1.00", "<cEANTrib>7891000100103</cEANTrib>").into(), "tem quatro casas"),
        (
            with(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
                "<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/passwd\">]>",
            )
            .into(),
            "DTD",
        ),
        (with("PRODUTOR", "&lol;").into(), "entidade própria"),
        (good.as_bytes()[..good.len() - 10].to_vec(), "não é um XML inteiro (acaba antes do fim)"),
        (good.as_bytes()[..good.len() - 13].to_vec(), "não é um XML inteiro (acaba antes do fim)"),
        (with("</nNF>", "</nNX>").into(), "não é um XML inteiro (há um erro na linha 2)"),
        (with("<mod>", "\n<mod a=>").into(), "não é um XML inteiro (há um erro na linha 3)"),
        (with("PRODUTOR", "&#xFFFFFF;").into(), "não é um XML inteiro (há um erro na linha "),
        (with("</prod>", "").into(), "não é um XML inteiro"),
        (b"%PDF-1.7".to_vec(), "não é um XML inteiro"),
        (b"<html><body/></html>".to_vec(), "\"<html>\", e não uma NF-e"),
        ("<a>".repeat(100).into(), "\"<a>\""),
        (format!("<NFe>{}", "<a>".repeat(100)).into(), "além de 32 níveis"),
        (xml(1, &[COCONUT; 991]).into(), "mais de 990 itens"),
        (vec![b' '; 5 << 20], "mais de 4194304 bytes"),
        (
            format!(
                "<nfeProc>{}{}</nfeProc>",
                &good[good.find("<NFe>").unwrap()..good.find("<protNFe").unwrap()],
                &good[good.find("<NFe>").unwrap()..good.find("<protNFe").unwrap()]
            )
            .into(),
            "mais de uma nota",
        ),
    ] {
        let refused = shop.book(&bytes, &["--yes"]);
        assert!(refused.code == 2 && refused.err.contains(told), "{told}: {refused:?}");
        assert!(refused.err.starts_with("Erro: ") && refused.out.is_empty(), "{refused:?}");
    }
    let other = shop.book(&good, &["--cnpj", "99.999.999/0001-91"]);
    assert!(other.code == 2 && other.err.contains("e não para 99.999.999/0001-91"), "{other:?}");
    for wrong in [
        "item;produto\n9;Maca\n",
        "item;produto\n1;Kiwi\n",
        "item;produto;conteudo\n1;Alface;1,5kg\n",
        "a;b\n",
    ] {
        let map = shop.file("mapa.csv", wrong);
        assert_ne!(shop.book(&good, &["--map", map.to_str().unwrap()]).code, 0, "{wrong}");
    }
    assert_eq!(shop.server.run(&["history"]).out, before);
}

#[test]
fn a_line_of_several_lots_is_one_purchase_for_each_and_costs_what_it_costs() {
    for (taxed, of_a, of_b) in
        [("", "10.000", "20.000"), ("<uTrib>KG</uTrib><qTrib>600.0000</qTrib>", "200.000", "400.000")]
    {
        let shop = Shop::open();
        let lots = format!(
            "{taxed}<vFrete>0.01</vFrete><rastro><nLote>A</nLote><qLote>{of_a}</qLote><dVal>2099-01-01</dVal></rastro>\
             <rastro><nLote>B</nLote><qLote>{of_b}</qLote><dVal>2099-01-02</dVal></rastro>"
        );
        let note = xml(9, &[("01", "", "TOMATE", "CX", "30.0000", "100.00", &lots)]);
        let map = shop.file("mapa.csv", "item,produto,conteudo\n1,Tomate,20kg\n");
        assert_eq!(shop.book(&note, &["--map", map.to_str().unwrap(), "--yes"]).code, 0);
        let rows = shop.server.run(&["history", "--format", "ndjson"]).out;
        let rows: Vec<serde_json::Value> =
            rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shown = |row: &serde_json::Value| {
            (
                row["lot"].clone(),
                row["expires_on"].clone(),
                row["delta_thousandths"].clone(),
                row["amount_centavos"].clone(),
            )
        };
        assert_eq!(shown(&rows[1]), ("A".into(), "2099-01-01".into(), 200_000.into(), 3333.into()));
        assert_eq!(shown(&rows[0]), ("B".into(), "2099-01-02".into(), 400_000.into(), 6668.into()));
    }
}

#[test]
fn lots_that_do_not_fit_together_are_said() {
    let shop = Shop::open();
    let lot = |name| format!("<rastro><nLote>LOTE-DE-NOVEMBRO-{name}</nLote></rastro>");
    let lots = ["A", "B", "C"].map(lot).concat();
    let note = xml(9, &[("01", "", "TOMATE", "KG", "30.0000", "100.00", &lots)]);
    let map = shop.file("mapa.csv", "item,produto\n1,Tomate\n");
    let refused = shop.book(&note, &["--map", map.to_str().unwrap()]);
    let told = "item 1: os lotes não cabem juntos, e só LOTE-DE-NOVEMBRO-A é guardado";
    assert!(refused.code == 2 && refused.err.contains(told), "{refused:?}");
    assert_eq!(shop.stock("Tomate"), "0");
}

#[test]
fn an_office_that_issues_the_invoice_of_a_grower_has_its_registration_in_the_key() {
    let shop = Shop::open();
    let grower = format!("<emit><CNPJ>{SUPPLIER}</CNPJ>");
    let note = xml(9, &[COCONUT]).replace(&grower, "<emit><CPF>12345678909</CPF>");
    let other = shop.book(&note, &[]);
    assert!(other.err.contains("a chave não confere com o CNPJ"), "{other:?}");
    let office = format!("</emit><avulsa><CNPJ>{SUPPLIER}</CNPJ><xOrgao>SEFAZ</xOrgao></avulsa>");
    let booked = shop.book(note.replace("</emit>", &office), &[]);
    assert_eq!((booked.code, shop.stock("Água de coco").as_str()), (0, "48"), "{booked:?}");
}

#[test]
fn what_was_received_wins_over_the_content_of_a_box() {
    let shop = Shop::open();
    // Of the box nothing is learned.
    let note = xml(10, &[("02", "", "TOMATE", "CX", "3.0000", "100.00", "")]);
    let map = shop.file("mapa.csv", "item,produto,recebido\n1,Tomate,\"58,5\"\n");
    assert_eq!(shop.book(&note, &["--map", map.to_str().unwrap(), "--yes"]).code, 0);
    assert_eq!(shop.stock("Tomate"), "58.5");
    let note = xml(11, &[("02", "", "TOMATE", "CX", "3.0000", "100.00", "")]);
    let refused = shop.book(&note, &[]);
    assert!(refused.err.contains("falta dizer quanto vem em 1 CX"), "{refused:?}");
    assert!(refused.err.contains("\n1;02;Tomate;;;TOMATE\n"), "{refused:?}");
}

#[test]
fn what_looks_like_a_slip_needs_a_word() {
    let shop = Shop::open();
    let dear = xml(1, &[("5", "7891000100103", "AGUA", "UN", "1.0000", "144.00", "")]);
    let refused = shop.book(&dear, &[]);
    assert!(refused.code == 2 && refused.err.contains("repita com --yes"), "{refused:?}");
    assert_eq!(shop.book(&dear, &["--yes"]).code, 0);
    // The box learned before is not the box of this invoice.
    let map = shop.file("mapa.csv", "codigo;produto;conteudo\n01;Tomate;20\n");
    assert_eq!(shop.book(xml(2, &[TOMATO]), &["--map", map.to_str().unwrap()]).code, 0);
    let lighter =
        (TOMATO.0, "", TOMATO.2, "CX", "30.0000", "4300.00", "<uTrib>KG</uTrib><qTrib>540.0000</qTrib>");
    let refused = shop.book(xml(3, &[lighter]), &[]);
    assert!(
        refused.err.contains("são 600 de Tomate pelo que se sabe de antes, e a nota diz 540"),
        "{refused:?}"
    );
}

#[test]
fn a_person_is_asked_for_what_the_shop_does_not_know() {
    let shop = Shop::open();
    let file = shop.file("nota.xml", xml(1, &[TOMATO, BANANA, COCONUT]));
    let mut terminal = Terminal::run(shop.server.path(), 120, &["buy", "--nfe", file.to_str().unwrap()]);
    terminal.wait_for_text("item 1: TOMATE COMUM, 30 CX");
    terminal.send("tomatt\r");
    terminal.wait_for_text("nenhum produto se chama");
    terminal.send("tomate\r");
    terminal.wait_for_text("Quanto vem em 1 CX? (Enter: 20 kg)");
    terminal.send("\r");
    terminal.wait_for_text("item 2: BANANA & PRATA");
    terminal.send("-\r");
    terminal.wait_for_end();
    assert!(terminal.screen().contains("Tomate: +600 kg"), "{}", terminal.screen());
    assert_eq!((shop.stock("Tomate").as_str(), shop.stock("Banana").as_str()), ("600", "0"));
}
