//! Spreadsheets out: what `export`, `report` and `history` write, opened by LibreOffice, and read back by `import`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{FIRST_LIST, Need, Server, executable, list, run, try_run, without_environment};

/// A shop with the market's list, and a product with everything.
fn shop() -> Server {
    let server = Server::start(&["--empty"]);
    assert_eq!(server.run(&["import", list(FIRST_LIST).to_str().unwrap()]).code, 0);
    for args in [
        &[
            "product",
            "new",
            "=1+1",
            "1234,50",
            "--unit",
            "kg",
            "--code",
            "77",
            "--barcode",
            "7891000100103",
            "--category",
            "=x; \"y\"",
            "--minimum",
            "2,5",
            "--target",
            "40",
            "--shelf-life",
            "3",
        ][..],
        &["product", "new", "'=2", "0,05"],
        &["product", "new", "1/2", "9"],
        &["product", "new", "Total", "9"],
        &["product", "new", "Trufa", "9999999999,99"],
        &["buy", "10", "TOMILHO", "--total", "20", "--lot", "T7", "--expires", "2099-12-05"],
        &["sell", "2", "TOMILHO"],
    ] {
        let made = server.run(args);
        assert_eq!(made.code, 0, "{made:?}");
    }
    server
}

/// Runs LibreOffice, without a screen and with a profile of its own. `None` if the machine does not have it.
fn convert(folder: &Path, file: &str, to: &str, filter: Option<&str>) -> Option<PathBuf> {
    let profile = format!("-env:UserInstallation=file://{}", folder.join("perfil").display());
    let mut command = Command::new("soffice");
    command.args([&profile, "--headless", "--norestore"]).env("HOME", folder).current_dir(folder);
    command.args(filter.map(|filter| format!("--infilter={filter}")));
    command.args(["--convert-to", to, "--outdir", "saida", file]);
    let ended = match try_run(&mut command) {
        Ok(ended) => ended,
        Err(error) => {
            Need::Libreoffice.skip(error);
            return None;
        }
    };
    let extension = to.split(':').next().unwrap();
    let path = folder.join("saida").join(Path::new(file).with_extension(extension).file_name().unwrap());
    assert!(path.exists(), "{ended:?}");
    Some(path)
}

/// Runs a one-shot whose standard output is a file.
fn to_file(server: &Server, args: &[&str], name: &str) {
    let mut command = Command::new("sh");
    without_environment(&mut command, server.path());
    command.args(["-c", "exec \"$0\" \"$@\" > \"$OUT\""]).arg(executable()).args(args).env("OUT", name);
    let ended = run(command.current_dir(server.path()), "");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{name}");
}

/// The catalog of a shop.
fn catalog(server: &Server) -> String {
    server.run(&["export"]).out
}

/// Imports a file into an empty shop, whose catalog must be this one.
fn check_import(file: &Path, expected: &str) {
    let other = Server::start(&["--empty"]);
    let imported = other.run(&["import", file.to_str().unwrap(), "--yes"]);
    assert_eq!(imported.code, 0, "{}: {imported:?}", file.display());
    assert_eq!(catalog(&other), expected, "{}", file.display());
}

#[test]
fn every_format_is_read_back_to_the_same_catalog() {
    let server = shop();
    let expected = catalog(&server);
    for (name, args) in [("a.csv", &["--format", "planilha"][..]), ("b.xlsx", &[]), ("c.csv", &[])] {
        let written = server.run(&[&["export", name], args].concat());
        assert_eq!(
            (written.code, written.out),
            (0, format!("450 produtos escritos em {name}.\n")),
            "{}",
            written.err
        );
        check_import(&server.path().join(name), &expected);
        let again = server.run(&[&["export", name], args].concat());
        assert!(again.code == 1 && again.err.contains("--force"), "{again:?}");
        assert_eq!(server.run(&[&["export", name, "--force"], args].concat()).code, 0);
    }
    let sheet = fs::read(server.path().join("a.csv")).unwrap();
    let sheet = String::from_utf8(sheet).unwrap();
    assert!(sheet.starts_with("\u{FEFF}nome;preco;estoque;unidade;codigo;"), "{}", &sheet[..80]);
    assert!(sheet.contains("\r\nALHO DESCASCADO;17,17;5;kg;;;;;;\r\n"));
    assert!(sheet.contains("\r\n'=1+1;1234,50;0;kg;77;7891000100103;\"'=x; \"\"y\"\"\";2,5;40;3\r\n"));
    // Standard output takes a workbook too.
    to_file(&server, &["export", "--format", "xlsx"], "d.xlsx");
    check_import(&server.path().join("d.xlsx"), &expected);
}

#[test]
fn libreoffice_opens_each_with_numbers_as_numbers() {
    let server = shop();
    let folder = server.path();
    let expected = catalog(&server);
    assert_eq!(server.run(&["export", "b.xlsx"]).code, 0);
    let Some(flat) = convert(folder, "b.xlsx", "fods", None) else { return };
    let flat = fs::read_to_string(flat).unwrap();
    let row = |flat: &str, name: &str| -> String {
        let rows = flat.split("<table:table-row").map(|row| row.split("</table:table-row>").next().unwrap());
        rows.into_iter().find(|row| row.contains(&format!("<text:p>{name}</text:p>"))).unwrap().to_owned()
    };
    let everything = row(&flat, "=1+1");
    for value in ["1234.5", "77", "2.5", "40", "3"] {
        assert!(everything.contains(&format!("office:value=\"{value}\"")), "{value}: {everything}");
    }
    assert!(!everything.contains("table:formula") && everything.contains("<text:p>7891000100103</text:p>"));
    let garlic = row(&flat, "ALHO DESCASCADO");
    assert!(garlic.contains("office:value=\"17.17\"") && garlic.contains("<text:p>R$ 17"), "{garlic}");
    assert!(flat.contains("table:display-filter-buttons"), "no filters");
    let mut archive = zip::ZipArchive::new(fs::File::open(folder.join("b.xlsx")).unwrap()).unwrap();
    let sheet = io::read_to_string(archive.by_name("xl/worksheets/sheet1.xml").unwrap()).unwrap();
    assert!(sheet.contains("state=\"frozen\""), "the header does not stay");
    for (to, name) in [("ods", "b.ods"), ("xls", "b.xls")] {
        convert(folder, "b.xlsx", to, None);
        check_import(&folder.join("saida").join(name), &expected);
    }
    // A Brazilian's spreadsheet opens the list with semicolons.
    assert_eq!(server.run(&["export", "a.csv", "--format", "planilha"]).code, 0);
    let flat = convert(folder, "a.csv", "fods", Some("CSV:59,34,76,1,,1046,false,true")).unwrap();
    let garlic = row(&fs::read_to_string(flat).unwrap(), "ALHO DESCASCADO");
    assert!(garlic.contains("office:value=\"17.17\"") && garlic.contains("office:value=\"5\""), "{garlic}");
    // Reports and the history. Their days are days.
    to_file(&server, &["report", "trace", "T7", "--format", "xlsx"], "rastro.xlsx");
    let flat = fs::read_to_string(convert(folder, "rastro.xlsx", "fods", None).unwrap()).unwrap();
    let bought = row(&flat, "TOMILHO");
    assert!(bought.contains("office:date-value=\"2099-12-05\""), "{bought}");
    for (name, args, value) in [
        ("vendas.xlsx", &["report", "sales", "--format", "xlsx"][..], "8.94"),
        ("movimentos.xlsx", &["history", "--limit", "1000", "--format", "xlsx"], "-2"),
    ] {
        to_file(&server, args, name);
        let flat = fs::read_to_string(convert(folder, name, "fods", None).unwrap()).unwrap();
        let sold = row(&flat, "TOMILHO");
        assert!(sold.contains(&format!("office:value=\"{value}\"")), "{name}: {sold}");
        assert!(name != "movimentos.xlsx" || sold.contains("office:value-type=\"date\""), "{sold}");
    }
}
