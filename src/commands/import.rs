//! `import`: reads a price list, checks it with a dry run on the server, compares it with the catalog, and
//! sends it.

mod counted;
mod left;

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use self::counted::Counted;
use self::left::Left;
use super::Error;
use super::change::{finished_by, request_id};
use super::connection::{Connection, connect};
use super::doubt::{ask, can_ask};
use super::input::read_file;
use super::interrupts::watch_interrupts;
use super::output::{STANDARD, note, print, print_made, written};
use crate::catalog::{ImportCounts, Key, Quoted, RequestId, counted};
use crate::client::{ClientError, new_request_id};
use crate::operation::{ImportReply, ImportRequest, ProductsRequest, Reply, Request};
use crate::price_list::{
    self, BadRows, Catalog, Department, Difference, Field, PriceList, Reading, bad_rows_shown,
};
use crate::progress_bar::ProgressBar;
use crate::refusal::{Code, Refusal};
use crate::render::Format;
use crate::scale_file::{self, DEPARTMENTS, SECTORS_FILE, ScaleFileError, Sectors, read_sectors};

/// The number of marked rows that are shown; the others are counted.
const MARKED_ROWS_SHOWN_MAX: usize = 50;

/// The number of bad rows from which an import skips no more: such a list is of another kind.
const SKIPPED_MAX: usize = 10_000;

/// Cria produtos e muda preços a partir de uma lista: planilha, CSV ou carga de balança
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti import precos.csv --dry-run\n  hortifruti import tabela.xlsx --column nome=Mercadoria --skip-bad\n  hortifruti import estoque.csv --count\n  hortifruti export | hortifruti import -"
)]
pub(super) struct Import {
    /// Planilha (xlsx, ods, xls) ou CSV com colunas de nome e preço, e outras como as de `export`, ou carga de balança
    /// (Toledo, Filizola, Urano); `-` lê a entrada padrão
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Mostra as mudanças, sem fazê-las
    #[arg(long)]
    dry_run: bool,
    /// Importa também linhas que parecem erradas, sem perguntar
    #[arg(long)]
    yes: bool,
    /// Registra como contagem o estoque que a lista dá; sem isto, os produtos que já existem ficam com o seu
    #[arg(long)]
    count: bool,
    /// Lê este campo da coluna com este cabeçalho, como nome=Descrição; `-` em lugar do cabeçalho não o lê
    #[arg(long, value_name = "CAMPO=CABECALHO")]
    column: Vec<String>,
    /// Deixa de fora as linhas com erro, e as lista
    #[arg(long)]
    skip_bad: bool,
    /// Em arquivos de balança: lê só este departamento, um número da Toledo ou um setor do SETORTXT.TXT da Filizola
    #[arg(long, value_name = "N|SETOR")]
    department: Option<String>,
    /// Identificador do pedido; repetido, não importa a lista outra vez
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Import {
    pub(super) fn run(self) -> Result<(), Error> {
        let is_standard_input = self.file == Path::new(STANDARD);
        let shown =
            if is_standard_input { "entrada padrão".to_owned() } else { self.file.display().to_string() };
        let refused = |what: &dyn Display| -> Error {
            Refusal::new(Code::InvalidArgument, format!("{shown}: {what}.")).into()
        };
        let columns = self.column.iter().map(|text| column(text)).collect::<Result<Vec<_>, _>>()?;
        check_columns(&columns)?;
        let bytes = read_file(&self.file, "Nada foi importado")?;
        let sectors = if is_standard_input { None } else { sectors_beside(&self.file, &bytes)? };
        let sectors = sectors.map(|sectors| sectors.map_err(|error| refused(&error))).transpose()?;
        let department = self.department.as_deref().map(department).transpose()?;
        let mut reading = Reading { department, columns, sectors, ..Reading::default() };
        let mut list = price_list::read_as(&bytes, &reading).map_err(|error| refused(&error))?;
        let given_id = request_id(self.request_id.clone())?;
        watch_interrupts(false).context("não foi possível receber os sinais do sistema")?;
        let mut client = connect(&self.connection)?;
        // A list may have products that are not sold any more.
        let all = ProductsRequest { has_discontinued: true, ..ProductsRequest::default() };
        let catalog = match client.call(&Request::ListProducts(all))? {
            Reply::Products(products) => Catalog::new(products),
            _ => return Err(anyhow::anyhow!("o servidor não enviou o catálogo. Nada foi importado").into()),
        };
        if list.source.is_some() {
            // The names in files of scales are cut; the codes say whose they are.
            reading.known_names = catalog.names_by_code();
            list = price_list::read_as(&bytes, &reading).map_err(|error| refused(&error))?;
        }
        list.is_counted = self.count;
        tell_reading(&list);
        let mut call = |request: &Request<'_>| client.call(request);
        let (parts, counts) = self.rehearsed(&mut call, &catalog, &mut list, &refused)?;
        let stocks = if self.count { Some(stocks(&catalog, &list, &refused)?) } else { None };
        let request_ids = request_ids(given_id, parts.len())?;
        // Every id is made before anything is sent.
        let stocks = match stocks {
            Some(stocks) => stocks.request_ids(&request_ids[0]).map(|ids| Some((stocks, ids)))?,
            None => None,
        };
        let (marked, left) = (Marked::of(&catalog, &list), Left::of(&catalog, &list));

        if self.dry_run {
            note("Ensaio: nada foi alterado.");
            written(show_changes(&catalog, &list))?;
            print(&imported(counts), Format::Text)?;
            if marked.count > 0 {
                note(&format!("Aviso: {}, com ⚠.", marked.counted()));
            }
            left.tell(false);
            return Ok(());
        }
        if marked.count > 0 {
            self.confirm(&marked, &refused)?;
        }
        let counts = send(&mut call, &list, &parts, &request_ids)?;
        if let Some((stocks, ids)) = stocks {
            stocks.book(&mut call, &request_ids[0], ids)?;
        }
        left.tell(true);
        print_made(&imported(counts), Format::Text)
    }

    /// The parts of the list that the server takes, and what an import of them does. With `--skip-bad`, the bad rows
    /// leave the list.
    fn rehearsed(
        &self,
        call: &mut impl FnMut(&Request<'_>) -> Result<Reply, ClientError>,
        catalog: &Catalog,
        list: &mut PriceList,
        refused: &dyn Fn(&dyn Display) -> Error,
    ) -> Result<(Vec<Range<usize>>, ImportCounts), Error> {
        let mut skipped = Vec::new();
        let rehearsed = loop {
            let parts = list.parts();
            let repeated = catalog.repeated(list, &parts);
            match rehearse(&mut *call, list, &parts, repeated)? {
                Ok(counts) => break (parts, counts),
                Err(bad) if self.skip_bad && !bad.rows.is_empty() && skipped.len() < SKIPPED_MAX => {
                    list.leave_out(&bad.products);
                    skipped.extend(bad.rows);
                }
                Err(bad) => return Err(refused(&bad)),
            }
        };
        if !skipped.is_empty() {
            skipped.sort_by_key(|(line, _)| *line);
            note(&format!(
                "Aviso: ficaram de fora, e o resto é importado: {}",
                bad_rows_shown(&skipped, skipped.len())
            ));
        }
        Ok(rehearsed)
    }

    /// Refuses a list with rows that look wrong, unless `--yes` or a person says that they are right. One such row is
    /// enough, because it may be a wrong price at the till, and an ordinary list has none.
    fn confirm(&self, marked: &Marked, refused: &dyn Fn(&dyn Display) -> Error) -> Result<(), Error> {
        if self.yes {
            note(&format!("Aviso: {marked}"));
            return Ok(());
        }
        if self.file == Path::new(STANDARD) || !can_ask() {
            return Err(refused(&format_args!(
                "{marked}\nNada foi importado; corrija a lista, ou importe assim mesmo com --yes"
            )));
        }
        note(&marked.to_string());
        if ask("Importar assim mesmo? [s/N] ") {
            return Ok(());
        }
        let what = "a lista não foi confirmada. Nada foi importado; corrija-a e importe de novo.";
        Err(Refusal::new(Code::InvalidArgument, what).into())
    }
}

/// The stocks that `--count` books.
///
/// # Errors
/// If one cannot be counted, or the list gives none.
fn stocks<'l>(
    catalog: &Catalog,
    list: &'l PriceList,
    refused: &dyn Fn(&dyn Display) -> Error,
) -> Result<Counted<'l>, Error> {
    let stocks = Counted::of(catalog, list).map_err(|rows| {
        refused(&format_args!(
            "{}\nNada foi importado; corrija o estoque, ou importe sem --count",
            bad_rows_shown(&rows, rows.len())
        ))
    })?;
    if stocks.is_empty() {
        let what = "a lista não dá o estoque de nenhum produto. Nada foi importado; importe sem --count, ou diga a \
                    coluna com --column estoque=CABECALHO";
        return Err(refused(&what));
    }
    Ok(stocks)
}

/// Says how the list was read.
fn tell_reading(list: &PriceList) {
    if let Some(source) = &list.source {
        note(&format!("Lido: {source}."));
    }
    if let Some(columns) = columns_shown(list) {
        note(&columns);
    }
    for text in &list.notes {
        note(&format!("Aviso: {text}."));
    }
}

/// The sectors of the file beside a scale file that may have one.
fn sectors_beside(file: &Path, bytes: &[u8]) -> Result<Option<Result<Sectors, ScaleFileError>>, Error> {
    if !scale_file::read(bytes).is_some_and(|read| read.is_ok_and(|file| file.has_sectors())) {
        return Ok(None);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that cannot be listed may have a file that can be read.
    let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
    let mut names = entries.flatten().map(|entry| entry.file_name());
    let is_it = |name: &OsString| name.to_str().is_some_and(|name| name.eq_ignore_ascii_case(SECTORS_FILE));
    let Some(name) = names.find(is_it) else { return Ok(None) };
    Ok(Some(read_sectors(&read_file(&folder.join(name), "Nada foi importado")?)))
}

/// Reads a department: a number from 1 to 99, or the name of a sector.
fn department(text: &str) -> Result<Department, Error> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Department::Sector(text.to_owned()));
    }
    let number = text.parse().ok().filter(|number| DEPARTMENTS.contains(number));
    number.map(Department::Number).ok_or_else(|| {
        Error::Usage(format!(
            "--department {text} não é um departamento de balança. Nada foi importado; os da Toledo vão de 1 a 99, e os da \
             Filizola são os setores do SETORTXT.TXT."
        ))
    })
}

/// Reads a field and the heading of its column.
fn column(text: &str) -> Result<(Field, String), Error> {
    let (field, heading) = text.split_once('=').unwrap_or((text, ""));
    let key = Key::fold(field.trim());
    let known = Field::ALL.into_iter().find(|known| known.heading() == key.as_str());
    match known.filter(|_| !heading.trim().is_empty()) {
        Some(known) => Ok((known, heading.trim().to_owned())),
        None => Err(Error::Usage(format!(
            "--column {} não diz um campo e o cabeçalho da coluna dele, como nome=Descrição. Nada foi importado; os \
             campos são {}.",
            Quoted(text),
            Field::ALL.map(Field::heading).join(", ")
        ))),
    }
}

/// Refuses two columns for one field.
fn check_columns(columns: &[(Field, String)]) -> Result<(), Error> {
    for (index, (field, _)) in columns.iter().enumerate() {
        if columns[..index].iter().any(|(before, _)| before == field) {
            let field = field.heading();
            let what = format!("--column diz duas colunas para {field}. Nada foi importado; deixe uma só.");
            return Err(Error::Usage(what));
        }
    }
    Ok(())
}

/// Says which column was read as what, if any has another name than its field.
fn columns_shown(list: &PriceList) -> Option<String> {
    let is_own =
        |(field, heading): &(Field, String)| Key::fold(heading).as_str().replace(' ', "_") == field.heading();
    if list.columns.iter().all(is_own) {
        return None;
    }
    let columns: Vec<String> = list
        .columns
        .iter()
        .map(|(field, heading)| format!("{} = {}", field.heading(), Quoted(heading)))
        .collect();
    Some(format!("Colunas lidas: {}.", columns.join(", ")))
}

/// Makes a dry run on the server, which checks every row, even if some rows are known to be bad, so that the
/// error names all bad rows together.
fn rehearse(
    mut call: impl FnMut(&Request<'_>) -> Result<Reply, ClientError>,
    list: &PriceList,
    parts: &[Range<usize>],
    repeated: Vec<(usize, String)>,
) -> Result<Result<ImportCounts, BadRows>, Error> {
    let mut bad = BadRows { rows: list.bad.clone(), products: Vec::new(), count: list.bad.len() };
    bad.count += repeated.len();
    repeated.into_iter().for_each(|(index, what)| bad.add(list, index, what));
    let mut counts = ImportCounts::default();
    for (first, import) in requests(list, parts, true) {
        match call(&Request::ImportProducts(import)) {
            // The server numbers the rows; a person numbers the lines of the file.
            Err(ClientError::Refused(refusal)) if !refusal.rows.is_empty() => {
                bad.count += refusal.row_count;
                refusal.rows.into_iter().for_each(|(index, what)| bad.add(list, first + index, what));
            }
            Err(_) if bad.count > 0 => break,
            Err(failure) => return Err(failure.into()),
            Ok(reply) => add(&mut counts, &reply),
        }
    }
    bad.rows.sort_by_key(|(line, _)| *line);
    Ok(if bad.count > 0 { Err(bad) } else { Ok(counts) })
}

/// Imports the list. If a part fails after the dry run, the parts before it stay imported, and the error says
/// so. The same command again gets the first answers for those parts, and imports the rest.
fn send(
    mut call: impl FnMut(&Request<'_>) -> Result<Reply, ClientError>,
    list: &PriceList,
    parts: &[Range<usize>],
    request_ids: &[RequestId],
) -> Result<ImportCounts, Error> {
    let mut counts = ImportCounts::default();
    let (mut ids, mut before) = (request_ids.iter().cloned(), None);
    let failed = requests(list, parts, false).find_map(|(first, mut import)| {
        import.continues = before.take();
        import.request_id = ids.next();
        before.clone_from(&import.request_id);
        match call(&Request::ImportProducts(import)) {
            Ok(reply) => {
                add(&mut counts, &reply);
                None
            }
            Err(failure) => Some((first, failure)),
        }
    });
    let Some((first, failure)) = failed else { return Ok(counts) };
    if first > 0 {
        note(&format!(
            "Aviso: a lista foi importada só até a linha {} do arquivo. Rode o mesmo comando de novo: o que já foi \
             feito fica como está, e o resto é feito.",
            list.lines[first - 1]
        ));
    }
    Err(failure.with_again(|_| finished_by(&request_ids[0])).into())
}

/// The requests that import the parts of a list, each with the index of its first row. A request is imported as
/// a whole or not at all.
fn requests(
    list: &PriceList,
    parts: &[Range<usize>],
    is_dry_run: bool,
) -> impl Iterator<Item = (usize, ImportRequest)> {
    let what = if is_dry_run { "Conferindo a lista" } else { "Importando" };
    let mut progress = ProgressBar::new();
    parts.iter().map(move |part| {
        if parts.len() > 1 {
            progress.show(what, part.start as u64, list.rows.len() as u64);
        }
        let rows = list.rows[part.clone()].to_vec();
        let import = ImportRequest { is_dry_run, ..ImportRequest::of_rows(rows, None) };
        (part.start, import)
    })
}

/// The ids of the requests that import so many parts, made from the id of the whole import.
fn request_ids(given: Option<RequestId>, parts: usize) -> Result<Vec<RequestId>, Refusal> {
    let whole = given.unwrap_or_else(new_request_id);
    let more = (1..parts).map(|part| format!("{whole}-{part}").parse());
    let ids = std::iter::once(Ok(whole.clone())).chain(more).collect::<Result<_, _>>();
    ids.map_err(|error| Refusal::request_id(&error))
}

fn add(counts: &mut ImportCounts, reply: &Reply) {
    if let Reply::Imported(part) = reply {
        counts.created += part.counts.created;
        counts.updated += part.counts.updated;
        counts.unchanged += part.counts.unchanged;
        counts.discontinued += part.counts.discontinued;
    }
}

/// The effect of the whole import. Its changes are written line by line, from the catalog before it.
fn imported(counts: ImportCounts) -> Reply {
    Reply::Imported(ImportReply { counts, changes: Vec::new(), undone: None })
}

/// Writes every change, line by line, to standard output.
fn show_changes(catalog: &Catalog, list: &PriceList) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    catalog.differences(list).try_for_each(|difference| writeln!(out, "{difference}"))?;
    out.flush()
}

/// Rows that look wrong.
struct Marked {
    count: usize,
    first: Vec<String>,
}

impl Marked {
    fn of(catalog: &Catalog, list: &PriceList) -> Self {
        let mut marked = catalog.differences(list).filter(|difference| difference.mark().is_some());
        let shown = |difference: Difference<'_>| format!("linha {}: {difference}", difference.line);
        let first: Vec<String> = marked.by_ref().take(MARKED_ROWS_SHOWN_MAX).map(shown).collect();
        Self { count: first.len() + marked.count(), first }
    }

    fn counted(&self) -> String {
        counted(self.count, "linha parece errada", "linhas parecem erradas")
    }
}

impl Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.counted())?;
        self.first.iter().try_for_each(|line| write!(f, "\n{line}"))?;
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, "\n… e mais {more}; veja todas com --dry-run"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::IMPORT_ROWS_MAX;
    use crate::client::ConnectionError;

    /// A server that counts each import, until it goes away.
    struct Server {
        imports_left: usize,
        taken: Vec<usize>,
    }

    impl Server {
        fn call(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
            let Request::ImportProducts(import) = request else { panic!("{request}") };
            if self.imports_left == 0 {
                return Err(ClientError::from(ConnectionError::InDoubt {
                    cause: "a resposta não chegou".to_owned(),
                    request_id: import.request_id.clone().unwrap(),
                    again: String::new(),
                }));
            }
            self.imports_left -= 1;
            self.taken.push(import.rows.len());
            Ok(imported(ImportCounts { created: import.rows.len(), ..ImportCounts::default() }))
        }
    }

    #[test]
    fn a_long_list_goes_in_parts_and_a_part_that_fails_says_how_to_go_on() {
        let rows: String = (0..2 * IMPORT_ROWS_MAX + 1).map(|index| format!("P{index},1\n")).collect();
        let list = price_list::read(format!("nome,preco\n{rows}").as_bytes()).unwrap();
        let parts = list.parts();
        let mut server = Server { imports_left: 4, taken: Vec::new() };
        let rehearsed = rehearse(|request: &Request<'_>| server.call(request), &list, &parts, Vec::new())
            .unwrap()
            .unwrap();
        assert_eq!(rehearsed.created, 2 * IMPORT_ROWS_MAX + 1);
        assert_eq!(server.taken, [IMPORT_ROWS_MAX, IMPORT_ROWS_MAX, 1]);
        let ids = request_ids("a".parse().ok(), parts.len()).unwrap();
        assert_eq!(ids.iter().map(RequestId::as_str).collect::<Vec<_>>(), ["a", "a-1", "a-2"]);
        let error = send(|request: &Request<'_>| server.call(request), &list, &parts, &ids).unwrap_err();
        assert_eq!((server.taken.len(), error.exit_code()), (4, 5));
        // The command repeats the whole import, and not only the failed part.
        assert!(format!("{error} ").contains(" --request-id a "), "{error}");
        assert_eq!(request_ids(None, 1).unwrap().len(), 1);
        assert!(request_ids("x".repeat(64).parse().ok(), 2).is_err());
    }
}
