//! `buy --nfe`: books the invoice of a supplier, once for ever.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::map::{COLUMNS, Map, Row, SKIP};
use crate::catalog::{Amount, Quantity, Quoted, counted};
use crate::client::{Client, ClientError};
use crate::commands::Error;
use crate::commands::connection::connect;
use crate::commands::doubt::{answer, ask, can_ask, confirm};
use crate::commands::input::read_file;
use crate::commands::interrupts::watch_interrupts;
use crate::commands::output::{note, print_for_person, written};
use crate::commands::word::WordOptions;
use crate::invoice::{
    self, Content, INVOICE_BYTES_MAX, Invoice, Known, Line, LineError, Match, Matching, Purchased, Standing,
};
use crate::local_time::{LocalTime, told_date};
use crate::operation::phrase::Measure;
use crate::operation::{BatchRequest, ProductReply, Reply, Request, TracedPurchase};
use crate::refusal::{Code, Refusal};

// The options of an invoice. A doc comment would become a help text of clap.
#[derive(Debug, Args)]
#[command(next_help_heading = "Nota do fornecedor")]
pub(super) struct InvoiceOptions {
    /// Nota do fornecedor (NF-e), em XML, no lugar da quantidade e do nome
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath,
        conflicts_with_all = ["item", "total", "supplier", "lot", "expires", "note", "request_id"])]
    pub(super) nfe: Option<PathBuf>,
    /// Mostra o que a nota lançaria, sem lançar
    #[arg(long, requires = "nfe")]
    dry_run: bool,
    /// CSV que diz de que produto é cada item da nota
    #[arg(long, value_name = "ARQUIVO", requires = "nfe", value_hint = clap::ValueHint::FilePath)]
    map: Option<PathBuf>,
    /// CNPJ da loja: recusa a nota de outra
    #[arg(long, value_name = "CNPJ", env = "HORTIFRUTI_CNPJ", hide_env = true)]
    cnpj: Option<String>,
    /// Lança de novo uma nota que foi lançada e desfeita
    #[arg(long, requires = "nfe")]
    again: bool,
}

/// A line of the invoice, and what is booked of it.
struct Booked<'i> {
    line: &'i Line,
    decision: Decision,
}

enum Decision {
    /// Nobody knows of which product the line is.
    Unknown,
    Skipped,
    Product(Match, Result<Vec<Purchased>, LineError>),
}

impl InvoiceOptions {
    pub(super) fn run(self, options: WordOptions) -> Result<(), Error> {
        let file = self.nfe.as_deref().unwrap_or(Path::new(""));
        let invoice = self.read(file)?;
        let map = self.map.as_deref().map(Map::of_file).transpose()?.unwrap_or_default();
        map.check(&invoice)?;
        watch_interrupts(false).context("não foi possível receber os sinais do sistema")?;
        let mut client = connect(&options.change.connection)?;
        let earlier = client.call(&invoice::booked_request(invoice.key.as_str()))?;
        let Proceed::Book(undone) = self.proceed(&earlier, &invoice)? else { return Ok(()) };
        let mut lines = decided(&mut client, &invoice, &earlier, &map)?;
        if !self.dry_run && can_ask() {
            for booked in &mut lines {
                complete(&mut client, &invoice, booked)?;
            }
        }
        for warning in &invoice.warnings {
            note(&format!("Aviso: {warning}."));
        }
        for Booked { line, decision } in &lines {
            let Decision::Product(found, _) = decision else { continue };
            if let Some(undone) = found.told_undone(line) {
                note(&format!("Aviso: {undone}; se não for, diga outro por --map."));
            }
        }
        if self.dry_run {
            written(show(&invoice, &lines))?;
            note("Ensaio: nada foi lançado.");
        }
        if let Some(refusal) = unmatched(&lines) {
            return Err(refusal.into());
        }
        let odd = lines.iter().flat_map(|Booked { line, decision }| match decision {
            Decision::Product(found, Ok(purchased)) => invoice::doubts(line, found, purchased),
            _ => Vec::new(),
        });
        for odd in odd {
            if self.dry_run {
                note(&format!("Aviso: {odd}."));
            } else {
                confirm(&odd, options.yes)?;
            }
        }
        if self.dry_run {
            return Ok(());
        }
        let reply = book(&mut client, &invoice, &lines, undone)?;
        print_for_person(&reply, options.change.output.format)
    }

    fn read(&self, file: &Path) -> Result<Invoice, Error> {
        let bytes = read_file(file, "Nada foi lançado")?;
        let refused = |error| Refusal::new(Code::InvalidArgument, format!("{}: {error}.", file.display()));
        let invoice = invoice::read(&bytes[..bytes.len().min(INVOICE_BYTES_MAX + 1)]).map_err(refused)?;
        if let Some(shop) = self.cnpj.as_deref() {
            invoice::check_recipient(&invoice, shop).map_err(refused)?;
        }
        Ok(invoice)
    }

    /// Whether the invoice is to be booked. One that is booked is reported.
    fn proceed(&self, earlier: &Reply, invoice: &Invoice) -> Result<Proceed, Error> {
        match invoice::standing(earlier) {
            Standing::New => Ok(Proceed::Book(None)),
            Standing::Booked(TracedPurchase { sequence, bought_at, .. }) => {
                note(&format!(
                    "{} já está lançada, no documento #{sequence}, de {}. Nada foi lançado agora; para desfazê-la, \
                     hortifruti undo {sequence}",
                    invoice.told(),
                    LocalTime(*bought_at)
                ));
                Ok(Proceed::Booked)
            }
            Standing::Undone(last) if self.again || self.dry_run => Ok(Proceed::Book(Some(last))),
            Standing::Undone(last) => {
                let what = format!("{} já foi lançada uma vez, e desfeita", invoice.told());
                if can_ask() && ask(&format!("{what}. Lançar de novo? [s/N] ")) {
                    return Ok(Proceed::Book(Some(last)));
                }
                let what =
                    format!("{what}. Nada foi lançado agora; para lançá-la de novo, repita com --again.");
                Err(Refusal::new(Code::RequestIdReused, what).into())
            }
        }
    }
}

/// The next step with an invoice.
enum Proceed {
    /// Nothing: it is booked.
    Booked,
    /// Booking it and, if it was undone, the last purchase of it that was.
    Book(Option<i64>),
}

/// Books the lines under the key of the invoice.
fn book(
    client: &mut Client,
    invoice: &Invoice,
    lines: &[Booked<'_>],
    undone: Option<i64>,
) -> Result<Reply, Error> {
    let mut numbers = Vec::new();
    let mut adjustments = Vec::new();
    for Booked { line, decision } in lines {
        let Decision::Product(of, Ok(purchased)) = decision else { continue };
        for part in purchased {
            numbers.push(line.number);
            adjustments.push(part.request(of.product.name.as_str()));
        }
    }
    let request_id = invoice::request_id(invoice, undone).map_err(|error| Refusal::request_id(&error))?;
    let batch = BatchRequest { adjustments, request_id: Some(request_id) };
    client.call(&Request::BatchAdjustStock(batch)).map_err(|failure| match failure {
        ClientError::Refused(refusal) if refusal.code == Code::RequestIdReused => {
            let what = format!(
                "{} acaba de ser lançada de outro jeito. Nada foi lançado agora; repita o comando para ver onde.",
                invoice.told()
            );
            Refusal::new(Code::RequestIdReused, what).into()
        }
        ClientError::Refused(refusal) => at_item(refusal, &numbers).into(),
        failure => {
            let again = "repita o mesmo comando: a nota é lançada uma vez só";
            failure.with_again(|_| again.to_owned()).into()
        }
    })
}

/// The products of the lines: by what the shop knows, and by the map, which wins.
fn decided<'i>(
    client: &mut Client,
    invoice: &'i Invoice,
    earlier: &'i Reply,
    map: &Map,
) -> Result<Vec<Booked<'i>>, Error> {
    let mut matching = Matching::new(invoice, earlier);
    while let Some(request) = matching.next_request() {
        let reply = match client.call(&request) {
            Ok(reply) => Ok(reply),
            Err(ClientError::Refused(refusal)) => Err(refusal),
            Err(failure) => return Err(failure.into()),
        };
        matching.take(reply)?;
    }
    let mut lines = Vec::with_capacity(invoice.lines.len());
    for (line, found) in invoice.lines.iter().zip(matching.found()) {
        let decision = match map.row(line) {
            Some(row) if row.product == SKIP => Decision::Skipped,
            Some(row) => said(client, invoice, line, row, found)?,
            None => of_match(invoice, line, found),
        };
        lines.push(Booked { line, decision });
    }
    Ok(lines)
}

fn of_match(invoice: &Invoice, line: &Line, found: Option<Match>) -> Decision {
    match found {
        Some(found) => {
            let purchased = invoice::purchased(invoice, line, &found);
            Decision::Product(found, purchased)
        }
        None => Decision::Unknown,
    }
}

/// The decision of a row of the map about a line.
fn said(
    client: &mut Client,
    invoice: &Invoice,
    line: &Line,
    row: &Row,
    found: Option<Match>,
) -> Result<Decision, Error> {
    let named = |refusal: Refusal| Refusal {
        message: format!("item {}, no --map: {}", line.number, refusal.message),
        ..refusal
    };
    let found = match (row.product.as_str(), found) {
        ("", Some(found)) => found,
        ("", None) => return Ok(Decision::Unknown),
        (name, found) => {
            let product = product(client, name).map_err(|error| match error {
                Error::Failed(ClientError::Refused(refusal)) => Error::from(named(refusal)),
                error => error,
            })?;
            // The content of a box that was learned of the same product still holds.
            let same = found.filter(|found| found.product.name == product.name);
            same.unwrap_or(Match { product, known: Known::Said { content: None } })
        }
    };
    let content = if !row.received.is_empty() {
        Some(Content::Received(quantity(&row.received, &found.product).map_err(named)?))
    } else if !row.content.is_empty() {
        Some(Content::Pack(quantity(&row.content, &found.product).map_err(named)?))
    } else {
        None
    };
    let known = if content.is_some() { Known::Said { content } } else { found.known };
    Ok(of_match(invoice, line, Some(Match { known, ..found })))
}

/// A product by its name or a code.
fn product(client: &mut Client, name: &str) -> Result<ProductReply, Error> {
    match client.call(&Request::GetProduct { name })? {
        Reply::Product(product) => Ok(product),
        _ => Err(anyhow::anyhow!("o servidor não enviou o produto. Nada foi lançado").into()),
    }
}

/// A quantity in the unit of a product, above zero.
fn quantity(text: &str, product: &ProductReply) -> Result<Quantity, Refusal> {
    let word: String = text.split_whitespace().collect();
    let wrong =
        || Refusal::invalid("delta_thousandths", format!("{} não é uma quantidade, como 20kg", Quoted(text)));
    let measure = Measure::read(&word).unwrap_or_else(|| Err(wrong()))?;
    let quantity = match &product.unit {
        Some(unit) => measure.in_unit(product.name.as_str(), unit)?,
        None => measure.certain()?,
    };
    if quantity > Quantity::ZERO { Ok(quantity) } else { Err(wrong()) }
}

/// Asks a person for what is missing of a line.
fn complete(client: &mut Client, invoice: &Invoice, booked: &mut Booked<'_>) -> Result<(), Error> {
    let line = booked.line;
    if matches!(booked.decision, Decision::Unknown) {
        note(&line.told());
        while matches!(booked.decision, Decision::Unknown) {
            match answer("  De que produto é? (nome ou código; - não lança) ").as_deref() {
                None => return Err(dropped().into()),
                Some("") => {}
                Some(SKIP) => booked.decision = Decision::Skipped,
                Some(name) => match product(client, name) {
                    Ok(product) => {
                        let found = Match { product, known: Known::Said { content: None } };
                        booked.decision = asked_pack(invoice, line, found)?;
                    }
                    Err(Error::Failed(ClientError::Refused(refusal))) => {
                        note(&format!("  {}", refusal.message))
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }
    while let Decision::Product(found, Err(missing)) = &booked.decision {
        note(&format!("{}: {missing}", line.told()));
        let is_pack = matches!(missing, LineError::NoContent { .. });
        let question = match is_pack {
            true => format!("  Quanto de {} vem em 1 {}? ", found.product.name, line.sold.unit),
            false => format!("  Quanto de {} foi recebido? ", found.product.name),
        };
        let content = |quantity| if is_pack { Content::Pack(quantity) } else { Content::Received(quantity) };
        match answer(&question).as_deref() {
            None => return Err(dropped().into()),
            Some(SKIP) => booked.decision = Decision::Skipped,
            Some(text) => match quantity(text, &found.product) {
                Ok(quantity) => {
                    let known = Known::Said { content: Some(content(quantity)) };
                    booked.decision = of_match(invoice, line, Some(Match { known, ..found.clone() }));
                }
                Err(refusal) => note(&format!("  {}", refusal.message)),
            },
        }
    }
    Ok(())
}

/// The product that a person named, with the content that the invoice hints at, unless the person says another one.
fn asked_pack(invoice: &Invoice, line: &Line, found: Match) -> Result<Decision, Error> {
    let hint = found.content(line);
    let unit = found.product.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
    let (Some(Content::Pack(pack)), false) = (hint, hint == Some(Content::Pack(Quantity::from_units(1))))
    else {
        return Ok(of_match(invoice, line, Some(found)));
    };
    loop {
        let question = format!("  Quanto vem em 1 {}? (Enter: {}{unit}) ", line.sold.unit, pack.with_comma());
        match answer(&question).as_deref() {
            None => return Err(dropped().into()),
            Some("") => return Ok(of_match(invoice, line, Some(found))),
            Some(text) => match quantity(text, &found.product) {
                Ok(pack) => {
                    let known = Known::Said { content: Some(Content::Pack(pack)) };
                    return Ok(of_match(invoice, line, Some(Match { known, ..found })));
                }
                Err(refusal) => note(&format!("  {}", refusal.message)),
            },
        }
    }
}

fn dropped() -> Refusal {
    Refusal::new(Code::InvalidArgument, "a nota foi deixada. Nada foi lançado.")
}

/// Writes what each line becomes.
fn show(invoice: &Invoice, lines: &[Booked<'_>]) -> io::Result<()> {
    use io::Write as _;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let of = invoice.issued_on.map_or(String::new(), |day| format!(", de {}", told_date(day)));
    let cost = Amount::from_centavos(invoice.cost()).unwrap_or_default();
    writeln!(
        out,
        "Nota {}, série {}, de {} ({}){of}: {}",
        invoice.number,
        invoice.series,
        invoice.supplier,
        invoice.supplier_id,
        cost.in_reais()
    )?;
    for Booked { line, decision } in lines {
        match decision {
            Decision::Unknown => writeln!(out, "{} → ? de que produto é?", line.told())?,
            Decision::Skipped => writeln!(out, "{} → não é lançado", line.told())?,
            Decision::Product(found, Err(missing)) => {
                writeln!(out, "{} → {} ? {missing}", line.told(), found.product.name)?;
            }
            Decision::Product(found, Ok(purchased)) => {
                for part in purchased {
                    writeln!(out, "{} → {}", line.told(), told_part(found, part))?;
                }
            }
        }
    }
    out.flush()
}

/// The purchase, in words: `600 kg de Tomate, R$ 7,17 por kg, lote A, até 30/11/2026`.
fn told_part(found: &Match, part: &Purchased) -> String {
    let unit = found.product.unit.as_ref().map_or("un", |unit| unit.as_str());
    let quantity = i128::from(part.quantity.thousandths().max(1));
    let each = (i128::from(part.cost.centavos()) * 1000 + quantity / 2) / quantity;
    let each = Amount::from_centavos(i64::try_from(each).unwrap_or(i64::MAX)).unwrap_or_default();
    let purchase = part.details.purchase.as_ref();
    let lot = purchase.and_then(|it| it.lot.as_ref()).map_or(String::new(), |lot| format!(", lote {lot}"));
    let until = purchase
        .and_then(|it| it.expires_on)
        .map_or(String::new(), |day| format!(", até {}", told_date(day)));
    let known = match found.known {
        Known::ByBarcode { .. } => " (pelo código de barras)",
        Known::Learned { is_undone: true, .. } => " (como na nota desfeita)",
        Known::Learned { .. } => " (como na última nota)",
        Known::Said { .. } => "",
    };
    format!(
        "{} {unit} de {}, {} por {unit}{lot}{until}{known}",
        part.quantity.with_comma(),
        found.product.name,
        each.in_reais()
    )
}

/// The refusal of an invoice of which not every line is decided, with the rows that decide them.
fn unmatched(lines: &[Booked<'_>]) -> Option<Refusal> {
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for Booked { line, decision } in lines {
        let product = match decision {
            Decision::Unknown => {
                problems.push(format!("{}: de que produto é?", line.told()));
                ""
            }
            Decision::Product(found, Err(missing)) => {
                problems.push(format!("{}: {missing}", line.told()));
                found.product.name.as_str()
            }
            Decision::Skipped | Decision::Product(_, Ok(_)) => continue,
        };
        let name = line.name.replace([';', '"'], " ");
        rows.push(format!("{};{};{product};;;{name}", line.number, line.code.replace(';', " ")));
    }
    let is_nothing = lines.iter().all(|booked| matches!(booked.decision, Decision::Skipped));
    if is_nothing {
        return Some(Refusal::new(
            Code::InvalidArgument,
            "nenhum item da nota seria lançado. Nada foi feito.",
        ));
    }
    if problems.is_empty() {
        return None;
    }
    let what = format!(
        "{}:\n{}\nNada foi lançado; responda num terminal, ou complete estas linhas num arquivo e passe-o por --map \
         (produto - não lança o item):\n{COLUMNS}\n{}",
        counted(problems.len(), "item da nota não se sabe lançar", "itens da nota não se sabem lançar"),
        problems.join("\n"),
        rows.join("\n")
    );
    Some(Refusal::new(Code::InvalidArgument, what))
}

/// The refusal of a batch, which names the item of the invoice.
fn at_item(mut refusal: Refusal, numbers: &[u32]) -> Refusal {
    let index = refusal.metadata.iter().find(|(key, _)| *key == "index");
    let number = index.and_then(|(_, index)| numbers.get(index.parse::<usize>().ok()?));
    if let Some(number) = number {
        refusal.message = format!("item {number} da nota: {}", refusal.message);
    }
    refusal
}
