//! The load files of scales, in and out: the golden records of the makers' tables, what does not fit, and a folder
//! that follows the prices.

use std::fs;
use std::path::Path;

use hortifruti::price_list;

use crate::support::waiting::wait_until;
use crate::support::{Server, hortifruti, project, run};

/// The golden record of each format, and what `export` is asked for it.
const GOLDEN: [(&str, &[&str]); 5] = [
    ("golden-itensmgv-v2.txt", &["--format", "itensmgv", "--department", "6"]),
    ("golden-itensmgv-v4.txt", &["--format", "itensmgv4", "--department", "6"]),
    ("golden-txitens.txt", &["--format", "txitens", "--department", "6"]),
    ("golden-cadtxt.txt", &["--format", "filizola"]),
    ("golden-urano-urf32.txt", &["--format", "urano"]),
];

fn golden(name: &str) -> Vec<u8> {
    fs::read(project().join("tests/data/scales").join(name)).unwrap()
}

/// A shop that sells nothing but the product of the golden records.
fn banana_shop() -> Server {
    let server = Server::start(&["--empty"]);
    let made = server.run(&[
        "product",
        "new",
        "Banana Nanica kg",
        "6,99",
        "--unit",
        "kg",
        "--code",
        "2126",
        "--shelf-life",
        "3",
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    server
}

#[test]
fn golden_records_are_written_byte_for_byte_and_read() {
    let server = banana_shop();
    for (name, options) in GOLDEN {
        let exported = server.run(&[&["export"][..], options].concat());
        assert_eq!((exported.code, exported.out.as_bytes()), (0, &golden(name)[..]), "{name}: {exported:?}");
        let other = Server::start(&["--empty"]);
        fs::write(other.path().join("carga.txt"), golden(name)).unwrap();
        let imported = other.run(&["import", "carga.txt"]);
        assert_eq!(imported.out, "1 criado, 0 atualizados, 0 sem mudança.\n", "{name}: {imported:?}");
        assert!(imported.err.starts_with("Lido: arquivo de balança "), "{}", imported.err);
        let product = other.run(&["query", "2126", "--format", "json"]).out;
        for term in [
            "\"name\":\"BANANA NANICA KG\"",
            "\"price_centavos\":699",
            "\"unit\":\"kg\"",
            "\"code\":2126",
            "\"shelf_life_days\":3",
        ] {
            assert!(product.contains(term), "{name}: {product}");
        }
    }
    // The pair of files, where the program of the scales expects them.
    let written = server.run(&["export", "CADTXT.TXT", "--format", "filizola"]);
    assert_eq!(written.out, "1 produto escrito em CADTXT.TXT e SETORTXT.TXT.\n", "{written:?}");
    assert_eq!(fs::read(server.path().join("SETORTXT.TXT")).unwrap(), golden("golden-setortxt.txt"));
    let again = server.run(&["export", "CADTXT.TXT", "--format", "filizola"]);
    assert!(again.code == 1 && again.err.contains("--force"), "{again:?}");
    assert_eq!(server.run(&["export", "CADTXT.TXT", "--format", "filizola", "--force"]).code, 0);
    fs::write(server.path().join("ITENSMGV.TXT"), "anotações").unwrap();
    let kept = server.run(&["export", "ITENSMGV.TXT", "--format", "itensmgv", "--force"]);
    assert!(kept.code == 1 && kept.err.contains("só uma carga de balança"), "{kept:?}");
    // A load without products would empty the scales.
    let load = fs::read(server.path().join("CADTXT.TXT")).unwrap();
    assert_eq!(server.run(&["product", "set", "2126", "--code", "0"]).code, 0);
    let empty = server.run(&["export", "CADTXT.TXT", "--format", "filizola", "--force"]);
    assert!(empty.code == 2 && empty.err.contains("esvaziaria as balanças"), "{empty:?}");
    assert_eq!(fs::read(server.path().join("CADTXT.TXT")).unwrap(), load);
    let sectors = server.run(&["import", "SETORTXT.TXT"]);
    assert!(sectors.code == 2 && sectors.err.contains("importe o CADTXT.TXT"), "{sectors:?}");
}

#[test]
fn older_versions_are_read() {
    let record = golden("golden-itensmgv-v4.txt");
    for (bytes, version) in [(113, "V1"), (150, "V2"), (246, "V3"), (260, "V4")] {
        let server = Server::start(&["--empty"]);
        fs::write(server.path().join("carga.txt"), &record[..bytes]).unwrap();
        let imported = server.run(&["import", "carga.txt"]);
        assert!(imported.err.contains(&format!("Toledo ITENSMGV {version}, 1 registro do departamento 06")));
        assert_eq!(imported.out, "1 criado, 0 atualizados, 0 sem mudança.\n", "{imported:?}");
    }
}

#[test]
fn a_file_has_what_a_scale_sells_and_the_others_are_listed() {
    let server = banana_shop();
    for (name, price, options) in [
        ("Coco verde", "4,50", &["--code", "7"][..]),
        ("Maçã Fuji", "9,9", &["--code", "8", "--unit", "kg", "--shelf-life", "15"]),
        ("Alface", "3", &[]),
        ("Brinde", "0", &["--code", "9"]),
        ("Abacaxi pérola graúdo de Marataízes, tipo exportação, bandeja", "8", &["--code", "10"]),
        ("Antigo", "1", &["--code", "11"]),
    ] {
        let made = server.run(&[&["product", "new", name, price], options].concat());
        assert_eq!(made.code, 0, "{made:?}");
    }
    server.run(&["product", "retire", "Antigo"]);
    let exported = server.run(&["export", "--format", "filizola"]);
    assert_eq!(
        exported.out,
        "002126PBANANA NANICA KG      0000699003\r\n000007UCOCO VERDE            0000450000\r\n\
         000008PMACA FUJI             0000990015\r\n000010UABACAXI PEROLA GRAUDO 0000800000\r\n"
    );
    for line in [
        "1 produto fora do arquivo, sem código de loja: \"Alface\".",
        "1 produto fora do arquivo, com preço zero: \"Brinde\".",
        "1 produto fora do arquivo, aposentado: \"Antigo\".",
        "1 produto com o nome cortado para caber: \"Abacaxi",
    ] {
        assert!(exported.err.contains(line), "{line}: {}", exported.err);
    }
    let accents = server.run(&["export", "maca.txt", "--format", "urano", "--encoding", "windows-1252"]);
    assert_eq!(accents.code, 0, "{accents:?}");
    let bytes = fs::read(server.path().join("maca.txt")).unwrap();
    assert!(bytes.windows(10).any(|part| part == b"MA\xC7\xC3 FUJI "), "{}", bytes.escape_ascii());
    // Import finds the same products by their names, and nothing has changed.
    fs::remove_file(server.path().join("maca.txt")).unwrap();
    let written = server.run(&["export", "carga.txt", "--format", "itensmgv4"]);
    assert_eq!(written.code, 0, "{written:?}");
    assert_eq!(server.run(&["import", "carga.txt"]).out, "0 criados, 0 atualizados, 4 sem mudança.\n");
    // A price that does not fit is never cut.
    let set = server.run(&["product", "set", "Coco verde", "--price", "10000", "--yes"]);
    assert_eq!(set.code, 0, "{set:?}");
    let refused = server.run(&["export", "cheio.txt", "--format", "itensmgv"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("\"Coco verde\": o preço R$ 10.000,00 não cabe nos 6 caracteres"),
        "{}",
        refused.err
    );
    assert!(!server.path().join("cheio.txt").exists());
    let usage = server.run(&["export", "--department", "3"]);
    assert!(usage.code == 2 && usage.err.contains("--format itensmgv"), "{usage:?}");
    for format in ["filizola", "urano"] {
        let usage = server.run(&["export", "--format", format, "--department", "3"]);
        assert!(usage.code == 2 && usage.err.contains("--department é dos arquivos da Toledo"), "{usage:?}");
    }
}

#[test]
fn a_name_that_programs_know_is_no_name_of_a_csv() {
    let server = Server::start(&[]);
    for (name, what) in [
        ("precos.ods", "não escreve arquivos .ods"),
        ("PRECOS.XLS", "escolha um nome com .xlsx"),
        ("ITENSMGV.TXT", "--format itensmgv,"),
        ("txitens.txt", "--format txitens,"),
        ("CADTXT.TXT", "--format filizola,"),
        ("SETORTXT.TXT", "use CADTXT.TXT com --format filizola,"),
        ("PRODUTOS.TXT", "--format urano,"),
    ] {
        let refused = server.run(&["export", name]);
        assert!(refused.code == 2 && refused.err.contains(what), "{name}: {refused:?}");
        assert!(!server.path().join(name).exists());
    }
    // A format that is asked for is written under any name.
    assert_eq!(server.run(&["export", "PRODUTOS.TXT", "--format", "csv"]).code, 0);
    assert_eq!(server.run(&["export", "lista.txt"]).code, 0);
}

#[test]
fn a_record_whose_name_was_cut_keeps_the_whole_name() {
    let server = banana_shop();
    // Two names that are one when they are cut, and one that is the cut of another.
    for (name, price, code) in [
        ("Abacaxi pérola graúdo de Marataízes, tipo exportação, bandeja ½", "8", "10"),
        ("Abacaxi pérola graúdo de Marataízes, tipo exportação, bandeja 1", "9", "11"),
        ("Abacaxi perola graudo", "7", "12"),
    ] {
        let made = server.run(&["product", "new", name, price, "--code", code, "--unit", "kg"]);
        assert_eq!(made.code, 0, "{made:?}");
    }
    let catalog = || server.run(&["query", "--format", "json"]).out;
    let before = catalog();
    for format in ["itensmgv", "itensmgv4", "txitens", "filizola", "urano"] {
        for encoding in ["ascii", "windows-1252"] {
            let file = format!("{format}-{encoding}.txt");
            let exported =
                server.run(&["export", &file, "--format", format, "--encoding", encoding, "--force"]);
            assert_eq!(exported.code, 0, "{exported:?}");
            let imported = server.run(&["import", &file]);
            assert_eq!(imported.out, "0 criados, 0 atualizados, 4 sem mudança.\n", "{file}: {imported:?}");
            assert_eq!(catalog(), before, "{file}");
        }
    }
    let dry = server.run(&["import", "urano-ascii.txt", "--dry-run"]);
    for said in ["3 registros têm os nomes cortados", "\"ABACAXI PEROLA GRAUD\" = \"Abacaxi pérola graúdo de"]
    {
        assert!(dry.err.contains(said), "{said}: {}", dry.err);
    }
    // A price that was changed at the scale.
    let file = fs::read_to_string(server.path().join("filizola-ascii.txt")).unwrap();
    fs::write(server.path().join("nova.txt"), file.replace("0000800000", "0000850000")).unwrap();
    let imported = server.run(&["import", "nova.txt", "--yes"]);
    assert_eq!(imported.out, "0 criados, 1 atualizado, 3 sem mudança.\n", "{imported:?}");
    assert_eq!(catalog(), before.replace("\"price_centavos\":800", "\"price_centavos\":850"));
    // A code that is known with another name than the cut of its product's is still no such product.
    fs::write(server.path().join("outro.txt"), file.replace("000010PABACAXI", "000010PABACATE")).unwrap();
    let refused = server.run(&["import", "outro.txt", "--yes"]);
    assert!(refused.code == 2 && refused.err.contains("o código 10 já é do produto"), "{refused:?}");
}

#[test]
fn sectors_are_read_with_the_products() {
    let server = Server::start(&["--empty"]);
    let write = |name: &str, bytes: &[u8]| fs::write(server.path().join(name), bytes).unwrap();
    write("CADTXT.TXT", &golden("golden-cadtxt.txt"));
    write("SetorTXT.txt", &golden("golden-setortxt.txt"));
    let dry = server.run(&["import", "CADTXT.TXT", "--dry-run"]);
    assert!(
        dry.err.contains("Filizola CADTXT, 1 registro, com os setores de SETORTXT.TXT: HORTIFRUTI."),
        "{dry:?}"
    );
    write(
        "CADTXT.TXT",
        &[
            &golden("golden-cadtxt.txt")[..],
            b"000007UPAO FRANCES           0000080000\r\n000008PBOLO                  0002990002\r\n",
        ]
        .concat(),
    );
    write("SetorTXT.txt", b"HORTIFRUTI  0021260001000\r\nPADARIA     0000070001000\r\n");
    let of_produce = server.run(&["import", "CADTXT.TXT", "--department", "hortifruti"]);
    assert_eq!(of_produce.out, "1 criado, 0 atualizados, 0 sem mudança.\n", "{of_produce:?}");
    for said in
        ["SETORTXT.TXT: HORTIFRUTI, PADARIA.", "1 registro não está em nenhum setor", "2 registros de outros"]
    {
        assert!(of_produce.err.contains(said), "{said}: {}", of_produce.err);
    }
    for (args, what) in [
        (
            &["CADTXT.TXT", "--department", "açougue"][..],
            "nenhum setor se chama \"açougue\"; os de SETORTXT.TXT são HORTIFRUTI, PADARIA",
        ),
        (&["CADTXT.TXT", "--department", "100"], "--department 100 não é um departamento"),
        (&["-", "--department", "padaria"], "falta SETORTXT.TXT"),
    ] {
        let mut command = hortifruti(server.path());
        command.arg("import").args(args);
        let refused = run(&mut command, "000007UPAO FRANCES           0000080000\r\n");
        assert!(refused.code == 2 && refused.err.contains(what), "{args:?}: {refused:?}");
    }
    write("SetorTXT.txt", b"HORTIFRUTI  0021260001000\r\nPADARIA     000007000100\r\n");
    let short = server.run(&["import", "CADTXT.TXT"]);
    assert!(short.code == 2 && short.err.contains("da linha 2 tem 24"), "{short:?}");
    assert_eq!(server.run(&["query"]).out, "BANANA NANICA KG: R$6.99, Estoque: 0\n");
}

fn has(path: &Path, part: &[u8]) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.windows(part.len()).any(|found| found == part))
}

#[test]
fn a_folder_of_scales_follows_the_prices() {
    let folder = tempfile::tempdir().unwrap();
    let scales = folder.path().join("balança");
    let refused = || {
        let args = ["serve", "--port", "0", "--data", ":memory:", "--scale-dir", scales.to_str().unwrap()];
        run(hortifruti(folder.path()).args(args), "").err
    };
    let missing = refused();
    assert!(missing.contains("não é uma pasta"), "{missing}");
    fs::create_dir(&scales).unwrap();
    let path = scales.join("ITENSMGV.TXT");
    fs::write(&path, "da gerente").unwrap();
    let other = refused();
    assert!(other.contains("só uma carga de balança pode ser substituída"), "{other}");
    fs::remove_file(&path).unwrap();
    let server =
        Server::start(&["--empty", "--scale-dir", scales.to_str().unwrap(), "--scale-department", "6"]);
    let made = server.run(&[
        "product",
        "new",
        "Banana Nanica kg",
        "6,99",
        "--unit",
        "kg",
        "--code",
        "2126",
        "--shelf-life",
        "3",
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    wait_until("the first price is in the file", || {
        fs::read(&path).is_ok_and(|bytes| bytes == golden(GOLDEN[0].0))
    });
    for centavos in ["000801", "000802", "000803"] {
        let price = format!("8,{}", &centavos[4..]);
        server.run(&["product", "set", "2126", "--price", &price]);
        wait_until("the price is in the file", || has(&path, format!("060002126{centavos}003").as_bytes()));
    }
    // Nothing is left of the files in between.
    assert_eq!(fs::read_dir(&scales).unwrap().count(), 1);
}

#[test]
fn a_load_of_another_program_is_kept_and_an_empty_one_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let scales = folder.path().join("balança");
    fs::create_dir(&scales).unwrap();
    let path = scales.join("ITENSMGV.TXT");
    let original = golden(GOLDEN[0].0);
    fs::write(&path, &original).unwrap();
    let mut server = Server::start_logged_in(
        folder,
        &["--scale-dir", scales.to_str().unwrap(), "--scale-department", "6"],
    );
    // The four examples have no code.
    server.log("ficou como estava");
    server.stop();
    assert_eq!(fs::read(&path).unwrap(), original);
    server.restart();
    let names = || {
        let files =
            fs::read_dir(&scales).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = files.collect();
        names.sort();
        names
    };
    assert_eq!(server.run(&["product", "set", "Caju", "--code", "7"]).code, 0);
    wait_until("the product is in the file", || has(&path, b"061000007000200"));
    let kept = scales.join("ITENSMGV.TXT.anterior");
    assert_eq!(fs::read(&kept).unwrap(), original);
    // A load that another program writes meanwhile is kept, too.
    let other = golden("golden-itensmgv-v4.txt");
    fs::write(&path, &other).unwrap();
    assert_eq!(server.run(&["product", "set", "Caju", "--price", "3"]).code, 0);
    wait_until("the price is in the file", || has(&path, b"061000007000300"));
    assert_eq!(fs::read(scales.join("ITENSMGV.TXT.anterior-2")).unwrap(), other);
    // A file of this server needs no copy, neither now nor after a restart.
    assert_eq!(server.run(&["product", "set", "Caju", "--price", "4"]).code, 0);
    wait_until("the price is in the file", || has(&path, b"061000007000400"));
    server.stop();
    server.restart();
    // The last product with a code goes.
    let last = fs::read(&path).unwrap();
    assert_eq!(server.run(&["product", "retire", "Caju"]).code, 0);
    server.stop();
    assert_eq!(fs::read(&path).unwrap(), last);
    assert_eq!(names(), ["ITENSMGV.TXT", "ITENSMGV.TXT.anterior", "ITENSMGV.TXT.anterior-2"]);
}

#[test]
fn a_price_that_does_not_fit_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let scales = folder.path().join("balança");
    fs::create_dir(&scales).unwrap();
    let path = scales.join("CADTXT.TXT");
    let options = ["--scale-dir", scales.to_str().unwrap(), "--scale-format", "filizola"];
    let server = Server::start_logged_in(folder, &options);
    for args in [
        &["product", "set", "Maca", "--code", "9"][..],
        &["product", "set", "Maca", "--price", "99999999", "--yes"],
        &["product", "set", "Pera", "--code", "10"],
    ] {
        assert_eq!(server.run(args).code, 0, "{args:?}");
    }
    wait_until("the other product is in the file", || has(&path, b"000010UPERA"));
    assert!(!has(&path, b"000009"));
    wait_until("its sector is in the second file", || has(&scales.join("SETORTXT.TXT"), b"000010"));
    server.log("Maca");
}

#[test]
fn a_load_file_is_known_with_other_ends_of_lines_and_cut() {
    let mut record = golden("golden-itensmgv-v2.txt");
    record.retain(|byte| !matches!(byte, b'\r' | b'\n'));
    let read = |bytes: Vec<u8>| price_list::read(&bytes).map(|list| (list.rows.len(), list.bad));
    let of = |parts: &[&[u8]]| parts.concat();
    for (what, bytes) in [
        ("returns alone", of(&[&record, b"\r"])),
        ("a blank at the end", of(&[&record, b"\r\n \r\n"])),
        ("a line of blanks", of(&[b"   \r\n", &record])),
    ] {
        assert_eq!(read(bytes).unwrap(), (1, Vec::new()), "{what}");
    }
    let again = [&record[..], b"\r", &record, b"\r"].concat();
    let list = price_list::read(&again).unwrap();
    assert_eq!((list.rows.len() + list.bad.len(), list.lines), (2, vec![1]), "{:?}", list.bad);
    for length in [record.len() - 4, record.len() - 50, 60] {
        let refused = price_list::read(&record[..length]).unwrap_err().to_string();
        assert!(refused.contains("foi cortado"), "{length}: {refused}");
    }
    let list = price_list::read(b"nome;preco\rUva;3\rPera;4\r").unwrap();
    assert_eq!(list.rows.len(), 2);
}
