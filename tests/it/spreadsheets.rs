//! Price lists as shops keep them: layouts of tables, workbooks, and files that are made to do harm.

use std::fs;
use std::io::{Cursor, Write as _};

use hortifruti::catalog::ShopCode;
use hortifruti::price_list::{self, Field, PriceList, Reading};
use zip::write::SimpleFileOptions;

use crate::support::{Server, project};

/// A row of a list as `tests/data/planilhas/esperado.txt` has it.
fn rows(list: &PriceList) -> Vec<String> {
    let row = |row: &hortifruti::catalog::ProductDraft| {
        let unit = row.unit.as_ref().map_or("-".to_owned(), ToString::to_string);
        let code = row.terms.code.map_or("-".to_owned(), |code: ShopCode| code.to_string());
        let category = row.terms.category.as_ref().map_or("-".to_owned(), ToString::to_string);
        format!("{}|{}|{}|{unit}|{code}|{category}", row.name, row.price, row.opening_stock)
    };
    list.rows.iter().map(row).collect()
}

#[test]
fn layouts_of_shops_are_read_at_the_first_try() {
    let folder = project().join("tests/data/planilhas");
    let expected = fs::read_to_string(folder.join("esperado.txt")).unwrap();
    let mut lists: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in expected.lines() {
        if line.contains('|') {
            lists.last_mut().unwrap().1.push(line);
        } else {
            lists.push((line, Vec::new()));
        }
    }
    assert_eq!(lists.len(), 28);
    for (name, expected) in lists {
        let list = price_list::read(&fs::read(folder.join(name)).unwrap());
        let list = list.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (&list.bad, rows(&list)),
            (&Vec::new(), expected.iter().map(|it| (*it).to_owned()).collect()),
            "{name}: {:?}",
            list.notes
        );
    }
}

/// The table of the wholesale market of São Paulo, as its own page exports it.
const MARKET: &str = "Produto;Classificação;Uni/Peso;Menor;Comum;Maior;Quilo\n\
    ALHO NACIONAL;TIPO 5;KG;15,00;15,87;16,90;15,87\n\
    ABACATE BREDA;A;CX 20;60,00;70,00;80,00;3,50\n\
    MELANCIA;-;KG;1,00;1,20;1,40;1,20\n\
    CAJU;-;CX 2;s/c;s/c;s/c;s/c\n";

#[test]
fn the_markets_own_table_gives_prices_by_the_kilo() {
    let list = price_list::read(MARKET.as_bytes()).unwrap();
    let expected =
        ["ALHO NACIONAL TIPO 5|15.87|0|kg|-|-", "ABACATE BREDA A|3.5|0|kg|-|-", "MELANCIA|1.2|0|kg|-|-"];
    assert_eq!((rows(&list), list.bad), (expected.map(str::to_owned).to_vec(), Vec::new()));
    let columns: Vec<_> = list.columns.iter().map(|(field, heading)| (*field, heading.as_str())).collect();
    assert_eq!(columns, [(Field::Name, "Produto"), (Field::Price, "Quilo")]);
    assert!(list.notes.iter().any(|note| note.contains("1 sem preço")), "{:?}", list.notes);
}

#[test]
fn columns_may_be_named_and_bad_rows_left_out() {
    let server = Server::start(&["--empty"]);
    let write = |text: &str| fs::write(server.path().join("lista.csv"), text).unwrap();
    write("Artigo 1;Custo;Tabela B\nUva;3,00;9,90\nFigo;2,00;x1\nUva;3,00;9,90\nPera;1;8,00\n");
    let refused = server.run(&["import", "lista.csv"]);
    assert!(refused.code == 2 && refused.err.contains("--column"), "{refused:?}");
    let named = ["import", "lista.csv", "--column", "nome=artigo 1", "--column", "preço=Tabela B"];
    let refused = server.run(&named);
    assert!(refused.code == 2 && refused.err.contains("linha 3: "), "{refused:?}");
    let imported = server.run(&[&named[..], &["--skip-bad"]].concat());
    assert_eq!((imported.code, imported.out.as_str()), (0, "2 criados, 0 atualizados, 0 sem mudança.\n"));
    for said in [
        "Colunas lidas: nome = \"Artigo 1\", preco = \"Tabela B\".",
        "a coluna \"Custo\" não foi lida",
        "1 repetida e igual",
        "ficaram de fora, e o resto é importado: 1 linha com erro:\nlinha 3: ",
    ] {
        assert!(imported.err.contains(said), "{said}: {}", imported.err);
    }
    let wrong = server.run(&["import", "lista.csv", "--column", "nome=Mercadoria"]);
    assert!(wrong.code == 2 && wrong.err.contains("nenhuma coluna se chama"), "{wrong:?}");
    let wrong = server.run(&["import", "lista.csv", "--column", "cor=Mercadoria"]);
    assert!(wrong.code == 2 && wrong.err.contains("os campos são nome, preco"), "{wrong:?}");
}

/// The rows of a list, and its bad rows.
fn read(text: &str) -> (Vec<String>, Vec<(u64, String)>) {
    let list = price_list::read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
    (rows(&list), list.bad)
}

#[test]
fn a_weight_is_no_price() {
    for (text, expected) in [
        ("Produto;Kg;Preço\nTomate;20;8,90\n", "Tomate|8.9|0|-|-|-"),
        ("Fruta;Preço;Quilos\nMamão;5,90;40\n", "Mamão|5.9|0|-|-|Fruta"),
        ("Produto;Valor;Kilo;Qtd\nMamão;5,90;40;3\n", "Mamão|5.9|3|-|-|-"),
        ("Produto;Valor;Preço por\nCaqui;5,00;kg\n", "Caqui|5.0|0|kg|-|-"),
        ("Produto;Valor;Vendido por\nCaqui;5,00;Quilo\n", "Caqui|5.0|0|kg|-|-"),
        ("Produto;Atacado;Varejo\nCaqui;5,00;8,00\n", "Caqui|8.0|0|-|-|-"),
        ("Produto;Preço;R$/kg\nCaqui;80,00;8,00\n", "Caqui|8.0|0|kg|-|-"),
        ("Produto;Variedade;Preço\nBanana;Prata;5,00\n", "Banana Prata|5.0|0|-|-|-"),
        ("Produto;Unid;Preço\nBatata;1 kg;5,00\n", "Batata|5.0|0|kg|-|-"),
        ("Produto;Menor;Comum;Maior;Quilo\nCaqui;60,00;70,00;80,00;3,50\n", "Caqui|3.5|0|kg|-|-"),
    ] {
        assert_eq!(read(text), (vec![expected.to_owned()], Vec::new()), "{text}");
    }
    // What may be a weight is no price of its own, nor is one of something else than a unit.
    for header in [
        "Produto;Kg",
        "Produto;Quilos",
        "Produto;Preço (100 g)",
        "Produto;R$ 20 kg",
        "Produto;R$/100g",
        "Produto;Preço (US$)",
    ] {
        let refused = price_list::read(format!("{header}\nTomate;20\n").as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("falta a coluna preco"), "{header}: {refused}");
    }
    let (read, bad) = read("Produto;Preço;Estoque (g)\nAlho;30,00;500\n");
    assert_eq!((read, bad), (vec!["Alho|30.0|0|-|-|-".to_owned()], Vec::new()));
}

#[test]
fn a_heading_says_of_what_a_number_is() {
    for (text, expected) in [
        ("Descrição;Emb;R$ Cx;R$ Un\nAbacaxi;CX;48,00;6,00\n", &["Abacaxi|48.0|0|cx|-|-"][..]),
        ("Produto;R$ Unid.\nUva;9,90\n", &["Uva|9.9|0|-|-|-"]),
        ("Produto;Preço;Preço (US$);Preço (100 g)\nUva;9,90;2,00;1\n", &["Uva|9.9|0|-|-|-"]),
        ("Produto;Estoque (R$);Preço\nUva;100;9,90\n", &["Uva|9.9|0|-|-|-"]),
        ("Produto;Estoque (kg);Preço\nUva;3;9,90\nKiwi;;5\n", &["Uva|9.9|3|kg|-|-", "Kiwi|5.0|0|kg|-|-"]),
        ("Produto;Estoque (kg/un);Preço\nUva;3;9,90\n", &["Uva|9.9|3|-|-|-"]),
        // Beside a market's price of the kilo, units are packings, and one with a number is so everywhere.
        (
            "Produto;Unidade;Menor;Comum;Maior;Quilo\nAbacate;Cx 20 kg;60;70;80;3,50\nAlface;Dz;10;12;15;2,00\n",
            &["Abacate|3.5|0|kg|-|-", "Alface|2.0|0|kg|-|-"],
        ),
        ("Produto;Unidade;Preço/Kg\nAbacate;Cx 20 kg;3,50\n", &["Abacate|3.5|0|kg|-|-"]),
        ("Produto;Emb.;Preço\nAbacate;Cx 20 kg;3,50/kg\n", &["Abacate|3.5|0|kg|-|-"]),
    ] {
        let expected: Vec<String> = expected.iter().map(|row| (*row).to_owned()).collect();
        assert_eq!(read(text), (expected, Vec::new()), "{text}");
    }
    for (text, what) in [
        ("Produto;Un;Preço (R$/kg)\nAbacaxi;un;5,00\n", "é por kg, e a unidade é un: "),
        ("Produto;Un;Preço (R$/kg)\nAbacaxi;un;5,00\n", "--column unidade=-"),
        ("Produto;Un;Estoque (cx);Preço\nUva;kg;3;9,90\n", "está em cx, e a unidade é kg"),
        ("Produto;Preço;Qtd\nUva;9,90/kg;3 cx\n", "está em cx, e a unidade é kg"),
    ] {
        let (rows, bad) = read(text);
        assert!(rows.is_empty() && bad.len() == 1 && bad[0].1.contains(what), "{text}: {bad:?}");
    }
}

#[test]
fn a_number_is_no_name() {
    let (rows, bad) = read("Item;Insumo;Valor\n1;Uva;9,90\n2;Kiwi;5,00\n");
    assert!(rows.is_empty() && bad.len() == 2 && bad[0].1.contains("--column nome="), "{bad:?}");
    // Only where the list or a person says that it is one.
    assert_eq!(read("nome;preco\n51;30\n"), (vec!["51|30.0|0|-|-|-".to_owned()], Vec::new()));
    let named = Reading { columns: vec![(Field::Name, "Produto".to_owned())], ..Reading::default() };
    assert_eq!(price_list::read_as(b"Produto;Valor\n51;30\n", &named).unwrap().rows.len(), 1);
    let counted = "Cód;Produto;Un;Preço\n1;Uva;kg;3\nTOTAL DE ITENS;1;;\n";
    assert_eq!(read(counted), (vec!["Uva|3.0|0|kg|1|-".to_owned()], Vec::new()));
}

#[test]
fn codes_filled_up_with_zeros_are_the_shops() {
    let (rows, bad) = read(
        "Código;Produto;Preço;EAN\n00000017;Uva;3;0000000000000\n0000102;Kiwi;4;\n00000000000103;Figo;5;0\n\
         7891000100103;Água;2;\n",
    );
    let expected = ["Uva|3.0|0|-|17|-", "Kiwi|4.0|0|-|102|-", "Figo|5.0|0|-|103|-", "Água|2.0|0|-|-|-"];
    assert_eq!((rows, bad), (expected.map(str::to_owned).to_vec(), Vec::new()));
    let (_, bad) = read("Código;Produto;Preço\n00000000;Uva;3\n");
    assert!(bad.len() == 1 && bad[0].1.contains("não pode ser 0"), "{bad:?}");
}

#[test]
fn lists_side_by_side_have_the_same_headings() {
    for (text, expected) in [
        (
            "Produto;Preço;Código;Produto;Preço;Código\nMaçã;9,90;101;Couve;3,50;201\nPera;12,90;102;;;\n",
            &["Maçã|9.9|0|-|101|-", "Couve|3.5|0|-|201|-", "Pera|12.9|0|-|102|-"][..],
        ),
        (
            "Preço;Produto;Preço;Produto;Preço;Produto\n1,11;Um;2,22;Dois;3,33;Três\n",
            &["Um|1.11|0|-|-|-", "Dois|2.22|0|-|-|-", "Três|3.33|0|-|-|-"],
        ),
        (
            ";FRUTAS;Preço;;LEGUMES;Preço;;;Folhas;Preço;\n;Uva;9,00;;Jiló;7,00;;;Couve;3,00;\n",
            &["Uva|9.0|0|-|-|FRUTAS", "Jiló|7.0|0|-|-|LEGUMES", "Couve|3.0|0|-|-|Folhas"],
        ),
    ] {
        let expected: Vec<String> = expected.iter().map(|row| (*row).to_owned()).collect();
        assert_eq!(read(text), (expected, Vec::new()), "{text}");
    }
    for header in [
        "Produto;Preço;Código;Produto;Preço",
        "Código;Produto;Preço;Produto;Preço",
        "Produto;Preço;Preço;Produto",
        "Produto;Preço;Produto;Preço;Produto",
        "Produto;Preço;Descrição;Preço",
        "Produto;Preço;Produto;Preço;Obs",
    ] {
        let text = format!("{header}\nMaçã;1;2;3;4;5\n");
        let refused = price_list::read(text.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("em listas lado a lado"), "{header}: {refused}");
    }
    let (_, bad) = read("Produto;Preço;Produto;Preço\nMaçã;9,90;Couve;3,50;sobra\n");
    assert!(bad.len() == 1 && bad[0].0 == 2 && bad[0].1.contains("colunas"), "{bad:?}");
}

#[test]
fn a_bad_row_beside_a_good_one_is_left_out_alone() {
    let server = Server::start(&["--empty"]);
    // The server refuses half a piece of figo, and nobody can read the price of the kiwi.
    let list =
        "Produto;Preço;Estoque;Produto;Preço;Estoque\nUva;9,90;1;Figo;2,00;0,5\nPera;8,00;1;Kiwi;x1;1\n";
    fs::write(server.path().join("lista.csv"), list).unwrap();
    let imported = server.run(&["import", "lista.csv", "--skip-bad"]);
    assert_eq!((imported.code, imported.out.as_str()), (0, "2 criados, 0 atualizados, 0 sem mudança.\n"));
    assert!(
        imported.err.contains("2 linhas com erro:\nlinha 2: \"Figo\"")
            && imported.err.contains("\nlinha 3: "),
        "{imported:?}"
    );
    assert_eq!(server.run(&["query"]).out, "Uva: R$9.9, Estoque: 1\nPera: R$8.0, Estoque: 1\n");
}

#[test]
fn a_name_without_a_price_is_a_section_only_where_nothing_else_is_meant() {
    // Among products, only the words of sections alone and a colon say that.
    let (read_rows, bad) = read(
        "Produto;Preço;Un\nMaçã;9,90;kg\nSalada de frutas;;\nPera;12,90;kg\nUVA NIAGARA;;\nKiwi;19,90;kg\n\
         Ovos caipira;;\nManga;4,90;kg\nLegumes e verduras;;\nJiló;7,00;kg\nPromoção:;;\nNabo;3,00;kg\n\
         2 - HORTALIÇAS FRUTO;;\nTomate;5,00;kg\n",
    );
    assert_eq!(
        read_rows,
        [
            "Maçã|9.9|0|kg|-|-",
            "Pera|12.9|0|kg|-|-",
            "Kiwi|19.9|0|kg|-|-",
            "Manga|4.9|0|kg|-|-",
            "Jiló|7.0|0|kg|-|Legumes e verduras",
            "Nabo|3.0|0|kg|-|Promoção",
            "Tomate|5.0|0|kg|-|HORTALIÇAS FRUTO",
        ]
    );
    let lines: Vec<u64> = bad.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 5, 7], "{bad:?}");
    assert!(bad.iter().all(|(_, what)| what.contains("está sem preço (se for uma seção, ")), "{bad:?}");
    // At the beginning and below an empty row, so do capitals, and one word of several.
    let (read_rows, bad) = read(
        "Produto;Preço\nPROMOÇÕES;\nMaçã;9,90\n;\nFrutas da época;\nCaqui;5,00\nHORTALIÇAS FOLHA, FLOR E HASTE;\nCouve;3,00\n",
    );
    assert_eq!(
        (read_rows, bad),
        (
            [
                "Maçã|9.9|0|-|-|PROMOÇÕES",
                "Caqui|5.0|0|-|-|Frutas da época",
                "Couve|3.0|0|-|-|HORTALIÇAS FOLHA, FLOR E HASTE"
            ]
            .map(str::to_owned)
            .to_vec(),
            Vec::new()
        )
    );
}

#[test]
fn each_kind_of_bad_row_is_one_line() {
    for (row, what) in [
        ("01/02/2026;3,50;kg;1", "é uma data"),
        ("12/fev;3,50;kg;1", "é uma data"),
        ("Uva;3,505;kg;1", "3,505"),
        ("Uva;3,50/un;kg;1", "por un"),
        ("Uva;3,50/g;kg;1", "não é por kg"),
        ("Uva;3,50;kg;2 cx", "está em cx"),
        ("Uva;;kg;1", "sem preço"),
        ("Uva;três;kg;1", "preço"),
    ] {
        let list =
            price_list::read(format!("Nome;Preço;Un;Qtd\nPera;1,50;kg;2\n{row}\n").as_bytes()).unwrap();
        assert_eq!((list.rows.len(), list.bad.len()), (1, 1), "{row}: {list:?}");
        assert!(list.bad[0].0 == 3 && list.bad[0].1.contains(what), "{row}: {:?}", list.bad);
    }
    let columns = format!("nome;preco{}\nUva;1\n", ";x".repeat(1_000_000));
    let refused = price_list::read(columns.as_bytes()).unwrap_err().to_string();
    assert!(refused.contains("colunas"), "{refused}");
}

/// An archive of these parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A workbook of Excel with these rows of cells as XML.
fn xlsx(rows: &str) -> Vec<u8> {
    let sheet = format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
    );
    archive(&[
        (
            "_rels/.rels",
            b"<Relationships><Relationship Id=\"r\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
              Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        (
            "xl/workbook.xml",
            b"<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
              xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
              <sheets><sheet name=\"Tabela\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
              <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
              Target=\"worksheets/sheet1.xml\"/></Relationships>",
        ),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

/// A cell with a text.
fn text(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn header() -> String {
    format!("<row r=\"1\">{}{}</row>", text("A1", "Produto"), text("B1", "Preço (R$)"))
}

/// A workbook of LibreOffice with this table.
fn ods(table: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\">\
         <office:body><office:spreadsheet><table:table table:name=\"A\">{table}</table:table></office:spreadsheet>\
         </office:body></office:document-content>"
    );
    archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", content.as_bytes()),
    ])
}

#[test]
fn numbers_of_workbooks_have_one_reading() {
    let rows = format!(
        "{}<row r=\"2\">{}<c r=\"B2\"><v>1.5</v></c></row><row r=\"3\">{}<c r=\"B3\"><v>0.30000000000000004</v></c></row>\
         <row r=\"4\">{}<c r=\"B4\"><f>B2*2</f><v>3</v></c></row>",
        header(),
        text("A2", "Uva"),
        text("A3", "Figo"),
        text("A4", "Pera")
    );
    let list = price_list::read(&xlsx(&rows)).unwrap();
    let expected = ["Uva|1.5|0|-|-|-", "Figo|0.3|0|-|-|-", "Pera|3.0|0|-|-|-"].map(str::to_owned);
    assert_eq!((self::rows(&list), list.bad), (expected.to_vec(), Vec::new()));
    let table = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>Nome</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\"><text:p>Preço</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated=\"16382\"/></table:table-row>\
        <table:table-row><table:table-cell office:value-type=\"string\"><text:p>Uva</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"currency\" office:value=\"9.9\"><text:p>R$ 9,90</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048574\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
    let list = price_list::read(&ods(table)).unwrap();
    assert_eq!((self::rows(&list), list.bad), (vec!["Uva|9.9|0|-|-|-".to_owned()], Vec::new()));
}

#[test]
fn harmful_workbooks_are_one_line_each() {
    let uva = text("A2", "Uva");
    let row = |cells: &str| xlsx(&format!("{}<row r=\"2\">{cells}</row>", header()));
    let bomb = archive(&[("xl/workbook.xml", b"<a/>"), ("xl/b.xml", &vec![b'a'; 3 * 1024 * 1024])]);
    let small = Reading { inflated_bytes_max: 1024 * 1024, ..Reading::default() };
    let refused = price_list::read_as(&bomb, &small).unwrap_err().to_string();
    assert!(bomb.len() < 10_000 && refused.contains("passa de 1 MiB"), "{refused}");
    let cell = |repeats: &str| {
        format!(
            "<table:table-row {repeats}><table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"16384\"><text:p>Uva</text:p></table:table-cell></table:table-row>"
        )
    };
    for (bytes, what) in [
        (row(&format!("{uva}<c r=\"XFD2\"><v>1</v></c>")), "coluna 16384"),
        (row(&format!("{uva}<c r=\"AAAA2\"><v>1</v></c>")), "coluna 18279"),
        (xlsx("<row r=\"1\""), "danificada"),
        (ods("<table:table-row>"), "danificada"),
        (ods("<table:table-row></table:table></table:table-row>"), "danificada"),
        (archive(&[("xl/workbook.bin", b"")]), "xlsb"),
        (archive(&[("lista.csv", b"nome;preco")]), "zip"),
        (ods(&cell("table:number-rows-repeated=\"1000000\"")), "passa de 128 MiB"),
        (ods(&cell("").repeat(2000)), "passa de 128 MiB"),
        (
            ods(
                "<table:table-row><table:table-cell office:value-type=\"string\"><text:p><text:s text:c=\"4000000000\"/></text:p></table:table-cell></table:table-row>",
            ),
            "passa de",
        ),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 e mais nada".to_vec(), "danificada"),
    ] {
        let refused = price_list::read(&bytes).unwrap_err().to_string();
        assert!(refused.contains(what) && refused.contains("Nada foi importado"), "{what}: {refused}");
    }
    // What a single row has wrong is said of its line.
    for (cells, what) in [
        (format!("{uva}<c r=\"B2\"><f>A9*2</f></c>"), "fórmula sem valor"),
        (format!("{uva}<c r=\"B2\" t=\"e\"><v>#REF!</v></c>"), "é um erro da planilha"),
        ("<c r=\"A2\" t=\"d\"><v>2026-02-01</v></c><c r=\"B2\"><v>1</v></c>".to_owned(), "é uma data"),
        (
            format!("{uva}<c r=\"B2\"><v>3.505</v></c>"),
            "é 3,505, com decimais demais: arredonde na planilha, com =ARRED(…;2)",
        ),
        ("<c r=\"B2\"><v>3</v></c>".to_owned(), "nome"),
    ] {
        let list = price_list::read(&row(&cells)).unwrap();
        assert_eq!((list.rows.len(), list.bad.len()), (0, 1), "{what}: {list:?}");
        assert!(list.bad[0].0 == 2 && list.bad[0].1.contains(what), "{what}: {:?}", list.bad);
    }
}

/// A workbook of Excel with a header of many fields and a row of these cells.
fn row_of_many(cells: &str) -> Vec<u8> {
    let headings = [
        "Produto",
        "Classificação",
        "Preço",
        "Unidade",
        "Código",
        "EAN",
        "Categoria",
        "Validade (dias)",
        "Qtd",
        "Obs",
    ];
    let header: String =
        headings.iter().zip('A'..).map(|(heading, column)| text(&format!("{column}1"), heading)).collect();
    let good = format!("{}<c r=\"C3\"><v>5</v></c>", text("A3", "Pera"));
    xlsx(&format!("<row r=\"1\">{header}</row><row r=\"2\">{cells}</row><row r=\"3\">{good}</row>"))
}

#[test]
fn a_cell_that_nobody_wrote_is_a_bad_row_in_every_column() {
    let base = format!("{}<c r=\"C2\"><v>7.9</v></c>", text("A2", "Uva"));
    for (cell, what) in [
        ("<f>1+1</f><v></v></c>", "é uma fórmula sem valor"),
        (" t=\"e\"><f>NA()</f><v>#N/A</v></c>", "é um erro da planilha"),
        (" t=\"d\"><v>2026-12-10</v></c>", "é uma data"),
    ] {
        for (column, called) in [
            ("B", "a classificação"),
            ("D", "a unidade"),
            ("E", "o código"),
            ("F", "o código de barras"),
            ("G", "a categoria"),
            ("H", "a validade"),
            ("I", "o estoque"),
        ] {
            let end = if cell.starts_with(' ') { "" } else { ">" };
            let cells = match column {
                // Cells stand in order.
                "B" => base.replace("<c r=\"C2\">", &format!("<c r=\"B2\"{end}{cell}<c r=\"C2\">")),
                _ => format!("{base}<c r=\"{column}2\"{end}{cell}"),
            };
            let list = price_list::read(&row_of_many(&cells)).unwrap();
            assert_eq!(rows(&list), ["Pera|5.0|0|-|-|-"], "{column} {what}: {list:?}");
            let expected = format!("{called} de \"Uva\" {what}");
            assert!(list.bad.len() == 1 && list.bad[0].0 == 2, "{column} {what}: {list:?}");
            assert!(list.bad[0].1.starts_with(&expected), "{expected}: {:?}", list.bad);
        }
        // A column that is not read may have anything.
        let end = if cell.starts_with(' ') { "" } else { ">" };
        let list = price_list::read(&row_of_many(&format!("{base}<c r=\"J2\"{end}{cell}"))).unwrap();
        assert_eq!((list.rows.len(), list.bad), (2, Vec::new()), "{what}");
    }
    // So it is in a text that was saved from such a sheet, and in the other kinds of workbooks.
    for (row, called) in [
        ("Uva;A;7,90;#N/D;;;;;", "a unidade"),
        ("Uva;A;7,90;kg;;;#DIV/0!;;", "a categoria"),
        ("Uva;#REF!;7,90;kg;;;;;", "a classificação"),
        ("Uva;10/12/2026;7,90;kg;;;;;", "a classificação"),
        ("Uva;10/dez;7,90;kg;;;;;", "a classificação"),
        ("Uva;A;#VALOR!;kg;;;;;", "o preço"),
        ("Uva;A;7,90;kg;;;;;Err:502", "o estoque"),
        ("#NOME?;A;7,90;kg;;;;;", "o nome"),
    ] {
        let header = "Produto;Classificação;Preço;Un;Código;EAN;Categoria;Validade (dias);Qtd";
        let (_, bad) = read(&format!("{header}\nUva;10/12;5,00;kg;;;;;\n{row}\n"));
        assert!(bad.len() == 1 && bad[0].0 == 3 && bad[0].1.starts_with(called), "{row}: {bad:?}");
    }
    let string = |text: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\" calcext:value-type=\"error\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let row = |cells: [&str; 3]| format!("<table:table-row>{}</table:table-row>", cells.map(string).concat());
    let list = ods(&[row(["Nome", "Preço", "Un"]), row(["Uva", "5", "#N/A"])].concat());
    let bad = price_list::read(&list).unwrap().bad;
    assert!(bad.len() == 1 && bad[0].1.starts_with("a unidade de \"Uva\" é um erro"), "{bad:?}");
}

#[test]
fn a_text_merged_over_rows_stands_in_each() {
    let number = |place: &str, number: &str| format!("<c r=\"{place}\"><v>{number}</v></c>");
    let row = |row: usize, name: &str, price: &str, rest: &str| {
        format!(
            "<row r=\"{row}\">{rest}{}{}</row>",
            text(&format!("B{row}"), name),
            number(&format!("C{row}"), price)
        )
    };
    let header = format!(
        "<row r=\"1\">{}{}{}</row>",
        text("A1", "Categoria"),
        text("B1", "Produto"),
        text("C1", "Preço")
    );
    let body = [
        header,
        row(2, "Banana", "5", &text("A2", "Frutas")),
        row(3, "Uva", "9", ""),
        row(4, "Couve", "3", &text("A4", "Verduras")),
        row(5, "Nabo", "4", ""),
    ]
    .concat();
    let merges = "</sheetData><mergeCells count=\"3\"><mergeCell ref=\"A2:A3\"/><mergeCell ref=\"A3:A9\"/>\
                  <mergeCell ref=\"A4:B4\"/></mergeCells><sheetData>";
    let list = price_list::read(&xlsx(&format!("{body}{merges}"))).unwrap();
    let expected =
        ["Banana|5.0|0|-|-|Frutas", "Uva|9.0|0|-|-|Frutas", "Couve|3.0|0|-|-|Verduras", "Nabo|4.0|0|-|-|-"];
    assert_eq!((rows(&list), list.bad), (expected.map(str::to_owned).to_vec(), Vec::new()));
    // A price of two products together is nobody's.
    let body = format!(
        "{}<row r=\"2\">{}{}</row><row r=\"3\">{}</row>",
        self::header(),
        text("A2", "Uva"),
        number("B2", "9"),
        text("A3", "Pera")
    );
    let merges = "</sheetData><mergeCells count=\"1\"><mergeCell ref=\"B2:B3\"/></mergeCells><sheetData>";
    let list = price_list::read(&xlsx(&format!("{body}{merges}"))).unwrap();
    assert_eq!(rows(&list), ["Uva|9.0|0|-|-|-"]);
    assert!(list.bad.len() == 1 && list.bad[0].1.contains("sem preço"), "{:?}", list.bad);
}

#[test]
fn what_is_hidden_in_a_workbook_is_said() {
    let folder = project().join("tests/data/planilhas");
    for name in ["ocultas.xlsx", "ocultas.ods", "ocultas.xls"] {
        let file = fs::read(folder.join(name)).unwrap();
        let told = "1 linha oculta foi lida, 1 coluna oculta foi lida, 1 aba oculta não foi lida";
        let list = price_list::read(&file).unwrap();
        assert_eq!((list.rows.len(), list.notes.last().unwrap().as_str()), (2, told), "{name}");
        let count = price_list::read_counts(&file).unwrap();
        assert_eq!((count.rows.len(), count.notes), (2, vec![told.to_owned()]), "{name}");
    }
    // A count says as well which sheet it has read: the first with a header.
    let count = price_list::read_counts(&fs::read(folder.join("contagem.xlsx")).unwrap()).unwrap();
    let told = "só a aba \"Contagem\" foi lida; as outras são \"Instruções\"";
    assert_eq!((count.rows.len(), count.notes), (2, vec![told.to_owned()]));
}
