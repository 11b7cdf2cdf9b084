//! What must hold for any bytes, target by target. libFuzzer runs these (`cargo fuzz run`),
//! and so does `cargo test`, over the corpus and inputs made from it (`tests/it/fuzz.rs`).

use std::sync::Arc;

use hortifruti::catalog::{
    BATCH_LINES_MAX, COUNT_LINES_MAX, Key, NAME_CHARS_MAX, Name, Price, ProductDraft, ProductId, Quantity,
    Quoted, RequestId, Sentence, Shown, Terms, Unit, guarded, is_unsafe_to_show, unguarded,
};
use hortifruti::invoice::{self, Content, Known, Match, Matching};
use hortifruti::operation::{MovementsReply, ProductReply, ProductsRequest, Reply, Request, TraceReply};
use hortifruti::price_list;
use hortifruti::refusal::Refusal;
use hortifruti::render::{Format, render, render_price_list};
use hortifruti::scale_file::{self, ScaleEncoding, ScaleFormat};
use hortifruti::wire::grpc::{self, Page, original, v1};
use hortifruti::wire::text::{self, Frame, Frames, LINE_BYTES_MAX};
use hortifruti::wire::{HTTP2_PREFACE, NotAReply, Protocol};
use prost::Message;
use tonic::Status;

/// A target panics where what it holds does not.
pub(crate) type Target = fn(&[u8]);

/// Every target, by the name of its corpus and of its file in `fuzz_targets/`.
pub(crate) const TARGETS: [(&str, Target); 10] = [
    ("first_bytes", first_bytes),
    ("grpc_messages", grpc_messages),
    ("invoices", invoices),
    ("names", names),
    ("numbers", numbers),
    ("price_lists", price_lists),
    ("replies", replies),
    ("scale_files", scale_files),
    ("text_commands", text_commands),
    ("workbooks", workbooks),
];

/// The protocol is told as soon as it can be, and more bytes do not change it.
pub(crate) fn first_bytes(bytes: &[u8]) {
    let mut decided = None;
    for length in 0..=bytes.len() {
        let come = &bytes[..length];
        let protocol = Protocol::detect(come);
        assert_eq!(protocol == Some(Protocol::Http2), come.starts_with(HTTP2_PREFACE));
        assert!(decided.is_none() || protocol == decided, "{protocol:?} after {decided:?}");
        decided = protocol;
    }
}

/// In the bytes of [`text_commands`], which are no UTF-8 anywhere: what stands before has
/// come, and what follows comes later; and the connection is silent for a while.
const CUT: u8 = 0xFE;
const SILENCE: u8 = 0xFF;

/// Commands are the same wherever the network cuts them, little is kept of those that are
/// not complete, and each is understood or refused in words that are safe to show.
pub(crate) fn text_commands(bytes: &[u8]) {
    let mut frames = Frames::default();
    let mut model = Model::default();
    for piece in bytes.split_inclusive(|byte| matches!(*byte, CUT | SILENCE)) {
        let (piece, is_silent) = match piece.split_last() {
            Some((&mark @ (CUT | SILENCE), piece)) => (piece, mark == SILENCE),
            _ => (piece, false),
        };
        frames.release();
        frames.buffer().extend_from_slice(piece);
        let lines: Vec<String> = frames.take_lines().map(|frame| taken(&frame)).collect();
        assert_eq!(lines, model.lines(piece));
        assert!(frames.buffer().len() <= LINE_BYTES_MAX + 1 + piece.len(), "an endless line is kept");
        assert_eq!(frames.may_be_unended(), !model.ends_lines && !model.line.is_empty());
        if is_silent {
            assert_eq!(frames.take_unended().map(|frame| taken(&frame)), model.silence());
        }
    }
    let is_cut = model.ends_lines && !model.line.is_empty();
    let last = if is_cut { Some("Cut".to_owned()) } else { model.silence() };
    assert_eq!(frames.take_last().map(|frame| taken(&frame)), last);
    assert!(frames.take_last().is_none());
}

/// How commands are cut out, in the plainest way.
#[derive(Default)]
struct Model {
    line: Vec<u8>,
    ends_lines: bool,
}

impl Model {
    fn lines(&mut self, piece: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in piece {
            if byte == b'\n' {
                self.ends_lines = true;
                lines.push(self.take());
            } else {
                self.line.push(byte);
            }
        }
        lines
    }

    fn silence(&mut self) -> Option<String> {
        (!self.ends_lines && !self.line.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> String {
        let mut line = std::mem::take(&mut self.line);
        line.pop_if(|last| *last == b'\r');
        match String::from_utf8(line) {
            Err(error) if error.as_bytes().len() <= LINE_BYTES_MAX => "NotUtf8".to_owned(),
            Ok(line) if line.len() <= LINE_BYTES_MAX => format!("Line({line:?})"),
            _ => "TooLong".to_owned(),
        }
    }
}

/// A command by its words, after it was held against what must be so.
fn taken(frame: &Frame<'_>) -> String {
    check_shown(&Shown(&frame.to_string()).to_string());
    match frame.request() {
        Ok(request) => check_request(&request),
        Err(refusal) => check_refusal(&refusal),
    }
    format!("{frame:?}")
}

fn check_request(request: &Request<'_>) {
    assert_eq!(Request::parse(&request.to_string()).as_ref(), Ok(request));
    if let Ok(line) = text::write_request(request) {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(line.as_bytes());
        let lines: Vec<String> = frames.take_lines().map(|frame| format!("{frame:?}")).collect();
        assert_eq!(lines.len(), 1, "{line:?} is not one line");
        assert_eq!(frames.take_last(), None);
    }
}

/// A refusal is one line that nothing obeys, on both wires.
fn check_refusal(refusal: &Refusal) {
    check_shown(&refusal.message);
    refusal.rows.iter().for_each(|(_, what)| check_shown(what));
    let mut reply = String::new();
    text::write_refusal(&mut reply, refusal);
    let lines: Vec<&str> = reply.split('\n').collect();
    let [line, "", ""] = lines[..] else { panic!("{reply:?} is no reply") };
    let read = text::read_reply(&Request::Leave, &[line]).unwrap().unwrap_err();
    assert_eq!((read.code, &read.message), (refusal.code, &Sentence(&refusal.message).to_string()));
    let status = grpc::status(refusal.clone());
    let read = grpc::refusal(&status).unwrap();
    assert_eq!((read.code, &read.message), (refusal.code, &Sentence(&refusal.message).to_string()));
}

fn check_shown(text: &str) {
    assert!(!text.chars().any(is_unsafe_to_show), "{text:?} is not safe to show");
}

/// A name that is taken reads back as itself, has one key however it is written, and is
/// safe to show; so are ids, units, and what is said of those that are not taken.
pub(crate) fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let key = Key::with(&text, <[u8]>::to_vec);
    match Name::parse(&text) {
        Ok(name) => {
            check_name(&name);
            assert_eq!(key, Ok(name.key().as_str().into()));
        }
        Err(error) => {
            check_shown(&error.to_string());
            assert_eq!(key, Err(error));
        }
    }
    match text.parse::<RequestId>() {
        Ok(id) => {
            check_shown(id.as_str());
            assert!(!id.as_str().contains(char::is_whitespace));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        Err(error) => check_shown(&error.to_string()),
    }
    match Unit::parse(&text) {
        Ok(unit) => {
            check_shown(unit.as_str());
            assert_eq!(Unit::parse(unit.as_str()), Ok(unit));
        }
        Err(error) => check_shown(&error.to_string()),
    }
    check_shown(&Quoted(&text).to_string());
    check_shown(&Sentence(&text).to_string());
    let cell = guarded(&text);
    assert_eq!(unguarded(&cell), text);
    assert!(!cell.starts_with(['=', '+', '-', '@']));
}

fn check_name(name: &Name) {
    let shown = name.as_str();
    check_shown(shown);
    assert!((1..=NAME_CHARS_MAX).contains(&shown.chars().count()));
    assert!(!shown.starts_with(' ') && !shown.ends_with(' ') && !shown.contains("  "));
    assert_eq!(Name::parse(shown).as_ref(), Ok(name));
    let key = name.key();
    assert_eq!(Key::of(shown).as_ref(), Ok(&key));
    assert_eq!(Key::fold(key.as_str()), key);
    assert_eq!(Key::fold(&shown.to_uppercase()), key);
    assert_eq!(Key::fold(&shown.to_lowercase()), key);
    if let Err(error) = name.check_new() {
        check_shown(&error.to_string());
    }
}

/// A number that is taken is exactly what was written, and reads back as itself.
pub(crate) fn numbers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<Price>() {
        Ok(price) => {
            assert_eq!(i128::from(price.centavos()), exact(&text, 2));
            check_price(price);
        }
        Err(error) => check_shown(&error.to_string()),
    }
    match text.parse::<Quantity>() {
        Ok(quantity) => {
            let sign = if text.contains('-') { -1 } else { 1 };
            assert_eq!(i128::from(quantity.thousandths()), sign * exact(&text, 3));
            check_quantity(quantity);
        }
        Err(error) => check_shown(&error.to_string()),
    }
    if let Some(&number) = bytes.first_chunk() {
        let number = i64::from_le_bytes(number);
        if let Ok(price) = Price::from_centavos(number) {
            check_price(price);
        }
        if let Ok(quantity) = Quantity::from_thousandths(number) {
            check_quantity(quantity);
        }
    }
    if let Some(&float) = bytes.first_chunk() {
        match grpc::price_from_float(f32::from_le_bytes(float)) {
            Ok(price) => check_price(price),
            Err(refusal) => check_refusal(&refusal),
        }
    }
}

/// The number that the digits of a text write, counted in units of 10^-`decimals`.
fn exact(text: &str, decimals: usize) -> i128 {
    let number: String = text
        .chars()
        .filter(|character| character.is_ascii_digit() || matches!(character, '.' | ','))
        .collect();
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((&number, ""));
    format!("{whole}{fraction:0<decimals$}").trim_start_matches('0').parse().unwrap_or(0)
}

fn check_price(price: Price) {
    assert!((0..=Price::MAX.centavos()).contains(&price.centavos()));
    assert_eq!(price.to_string().parse(), Ok(price));
    assert_eq!(format!("R$ {price}").replace('.', ",").parse(), Ok(price));
}

fn check_quantity(quantity: Quantity) {
    assert!(quantity.thousandths().abs() <= Quantity::MAX.thousandths());
    assert_eq!(quantity.to_string().parse(), Ok(quantity));
    assert_eq!(quantity.to_string().replace('.', ",").parse(), Ok(quantity));
}

/// A file is a price list or is told why not; a list has each product once and reads back
/// from what `export` writes of it.
pub(crate) fn price_lists(bytes: &[u8]) {
    let list = match price_list::read(bytes) {
        Ok(list) => list,
        Err(error) => return check_shown(&error.to_string()),
    };
    assert_eq!((list.rows.len(), list.rows.len()), (list.lines.len(), list.have_stock.len()));
    assert!(list.rows.len() + list.bad.len() <= price_list::ROWS_MAX);
    // The rows of a workbook are numbered by the workbook.
    let lines_max = if bytes.starts_with(b"PK") { 1_048_576 } else { bytes.len() as u64 + 1 };
    assert!(list.lines.is_sorted() && list.lines.iter().all(|line| *line <= lines_max));
    list.bad.iter().for_each(|(_, what)| check_shown(what));
    list.notes.iter().for_each(|note| check_shown(note));
    let mut names: Vec<String> = list.rows.iter().map(|row| row.name.as_str().to_lowercase()).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|one, other| one < other), "a product stands twice in the list");
    if list.rows.is_empty() {
        return;
    }
    let product = |row: &ProductDraft| ProductReply {
        name: row.name.clone(),
        price: row.price,
        stock: row.opening_stock,
        unit: row.unit.clone(),
        stock_cost: None,
        terms: Some(Arc::new(row.terms.applied(Terms::default()))),
        is_discontinued: false,
    };
    let products: Vec<_> = list.rows.iter().map(product).collect();
    price_list::Catalog::new(Vec::new())
        .differences(&list)
        .for_each(|difference| check_shown(&difference.to_string()));
    let mut exported = Vec::new();
    render_price_list(&mut exported, &products).unwrap();
    let again = price_list::read(&exported).unwrap();
    let read: Vec<_> = again.rows.iter().map(product).collect();
    assert_eq!((&read, again.bad), (&products, Vec::new()));
    check_rendered(&Reply::Products(products));
}

/// A file is an invoice or is told why not; its lines ask for their products a few times each, and what is
/// booked of a line costs what the line costs.
pub(crate) fn invoices(bytes: &[u8]) {
    let read = match invoice::read(bytes) {
        Ok(read) => read,
        Err(error) => return check_shown(&error.to_string()),
    };
    assert!((1..=invoice::INVOICE_LINES_MAX).contains(&read.lines.len()) && read.cost() >= 0);
    read.warnings.iter().for_each(|warning| check_shown(warning));
    check_shown(read.supplier.as_str());
    let nothing_booked = Reply::Traced(TraceReply { purchases: Vec::new(), next: None });
    let mut matching = Matching::new(&read, &nothing_booked);
    let mut asked = 0;
    while let Some(request) = matching.next_request() {
        let name = if let Request::GetProduct { name } = request { name } else { "" };
        let refused = Refusal::product_not_found(name);
        matching.take(Err(refused)).unwrap();
        asked += 1;
    }
    assert!(asked <= 3 * read.lines.len());
    assert!(matching.found().iter().all(Option::is_none));
    for line in &read.lines {
        check_shown(&line.name);
        check_shown(&line.sold.shown());
        let product = ProductReply {
            name: Name::parse("Tomate").unwrap(),
            price: Price::from_centavos(1).unwrap(),
            stock: Quantity::ZERO,
            unit: Some(Unit::parse("kg").unwrap()),
            stock_cost: None,
            terms: None,
            is_discontinued: false,
        };
        let content = Some(Content::Pack(Quantity::from_units(20)));
        let of = Match { product, known: Known::Said { content } };
        let booked = match invoice::purchased(&read, line, &of) {
            Ok(booked) => booked,
            Err(error) => {
                check_shown(&error.to_string());
                continue;
            }
        };
        let cost: i64 = booked.iter().map(|part| part.cost.centavos()).sum();
        let quantity: i64 = booked.iter().map(|part| part.quantity.thousandths()).sum();
        assert_eq!(cost, line.cost.centavos());
        assert_eq!(quantity * 10_000, line.sold.ten_thousandths * 20_000);
        assert!(booked.iter().all(|part| part.quantity > Quantity::ZERO));
    }
}

/// A file is one of a scale or is told why not; what is read of it is written and read again as it was.
pub(crate) fn scale_files(bytes: &[u8]) {
    let is_scale = scale_file::is_scale_file(bytes);
    let file = match scale_file::read(bytes) {
        None => return,
        Some(Err(error)) => return check_shown(&error.to_string()),
        Some(Ok(file)) => file,
    };
    assert!(is_scale || file.records.iter().all(|record| record.line > 1), "{}", file.layout.name);
    check_shown(&file.description());
    for record in &file.records {
        if let Err(what) = &record.item {
            check_shown(what);
        }
    }
    price_lists(bytes);
    let Ok(list) = price_list::read(bytes) else { return };
    let product = |row: &ProductDraft| ProductReply {
        name: row.name.clone(),
        price: row.price,
        stock: row.opening_stock,
        unit: row.unit.clone(),
        stock_cost: None,
        terms: Some(Arc::new(row.terms.applied(Terms::default()))),
        is_discontinued: false,
    };
    let products: Vec<_> = list.rows.iter().map(product).collect();
    for format in ScaleFormat::ALL {
        for encoding in [ScaleEncoding::Ascii, ScaleEncoding::Windows1252] {
            let written = match scale_file::write(format, 7, encoding, &products) {
                Ok(written) => written,
                Err(unfit) => {
                    check_shown(&unfit.to_string().replace('\n', " "));
                    continue;
                }
            };
            if written.count == 0 {
                continue;
            }
            let again = scale_file::read(&written.bytes).unwrap().unwrap();
            assert_eq!(again.records.len(), written.count);
            for item in again.records.iter().filter_map(|record| record.item.as_ref().ok()) {
                let own = products.iter().find(|product| {
                    product.terms.as_ref().is_some_and(|terms| terms.code == Some(item.code))
                });
                assert_eq!(own.unwrap().price, item.price);
            }
        }
    }
}

/// The content of a sheet of each kind of workbook is a list or is told why not.
pub(crate) fn workbooks(bytes: &[u8]) {
    let Some((kind, content)) = bytes.split_first() else { return };
    let parts: &[(&str, &[u8])] = match kind % 3 {
        0 => &[
            ("_rels/.rels", ROOT),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", RELATIONSHIPS),
            ("xl/worksheets/sheet1.xml", content),
        ],
        1 => &[("mimetype", MIMETYPE), ("META-INF/manifest.xml", b"<manifest/>"), ("content.xml", content)],
        _ => return price_lists(&[&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"[..], content].concat()),
    };
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in parts {
        archive.start_file(*name, stored).unwrap();
        std::io::Write::write_all(&mut archive, content).unwrap();
    }
    price_lists(&archive.finish().unwrap().into_inner());
}

const MIMETYPE: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";

const WORKBOOK: &[u8] =
    b"<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
    <sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";

const ROOT: &[u8] = b"<Relationships><Relationship Id=\"r\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
    Target=\"xl/workbook.xml\"/></Relationships>";

const RELATIONSHIPS: &[u8] = b"<Relationships><Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
    Target=\"worksheets/sheet1.xml\"/></Relationships>";

/// Shows a reply in every format.
fn check_rendered(reply: &Reply) {
    let show = |format| {
        let mut shown = Vec::new();
        render(&mut shown, reply, format).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        shown.lines().for_each(check_shown);
        shown
    };
    serde_json::from_str::<serde_json::Value>(&show(Format::Json)).unwrap();
    show(Format::Text);
    show(Format::Table);
    show(Format::Csv);
}

/// Whatever a server answers is a reply that is safe to show, or none of ours. The first
/// byte says what was asked.
pub(crate) fn replies(bytes: &[u8]) {
    let Some((&asked, answer)) = bytes.split_first() else { return };
    let request = match asked {
        b'1' => Request::GetProduct { name: "Caju" },
        b'3' => Request::parse("3 Caju 1").unwrap(),
        b'5' => Request::Leave,
        b'c' => Request::parse("contar Caju 1").unwrap(),
        b'd' => Request::parse("desfazer 1").unwrap(),
        b'h' => Request::parse("historico").unwrap(),
        _ => Request::ListProducts(ProductsRequest::default()),
    };
    let answer = String::from_utf8_lossy(answer);
    let lines: Vec<&str> = answer.lines().collect();
    match text::read_reply(&request, &lines) {
        Ok(Ok(Reply::Farewell)) => assert_eq!(request, Request::Leave),
        Ok(Ok(reply)) => {
            check_rendered(&reply);
            let mut written = String::new();
            text::write_reply(&mut written, &reply);
            let lines: Vec<&str> = written.strip_suffix("\n\n").unwrap().split('\n').collect();
            assert_eq!(text::read_reply(&request, &lines).unwrap(), Ok(reply));
        }
        Ok(Err(refusal)) => check_shown(&refusal.message),
        Err(NotAReply) => {}
    }
}

/// A message is understood, and is then the same when our client sends it, or is refused in
/// words that are safe to show. The first byte says which message it is.
pub(crate) fn grpc_messages(bytes: &[u8]) {
    let Some((&message, bytes)) = bytes.split_first() else { return };
    match message {
        b'a' => decoded(bytes, |message: v1::AdjustStockRequest| {
            let request = grpc::adjust_request(&message)?;
            assert_eq!(grpc::adjust_request(&grpc::adjust_message(&request)).as_ref(), Ok(&request));
            Ok(())
        }),
        b'b' => decoded(bytes, |message: v1::BatchAdjustStockRequest| {
            let request = grpc::batch_request(&message)?;
            assert!(request.adjustments.len() <= BATCH_LINES_MAX);
            Ok(())
        }),
        b'c' => decoded(bytes, |message: v1::CountStockRequest| {
            let request = grpc::count_request(&message)?;
            assert!(request.counts.len() <= COUNT_LINES_MAX);
            assert_eq!(grpc::count_request(&grpc::count_message(&request)).as_ref(), Ok(&request));
            Ok(())
        }),
        b'h' => decoded(bytes, |message: v1::ListMovementsRequest| {
            let request = grpc::movements_request(&message)?;
            let again = grpc::movements_message(&request, request.count_max);
            assert_eq!(grpc::movements_request(&again), Ok(request));
            Ok(())
        }),
        b'i' => decoded(bytes, |message: v1::ImportProductsRequest| {
            let request = grpc::import_request(&message)?;
            if !request.bad_rows.is_empty() {
                check_refusal(&Refusal::bad_rows(request.bad_rows.clone()));
            }
            let again = grpc::import_request(&grpc::import_message(&request))?;
            assert_eq!((again.rows, again.bad_rows), (request.rows, Vec::new()));
            Ok(())
        }),
        b'l' => decoded(bytes, |message: v1::ListProductsRequest| {
            let page = Page::from_message(&message)?;
            assert!((1..=grpc::PAGE_PRODUCTS_MAX).contains(&page.size));
            let token = page.after.map_or(String::new(), |after: ProductId| page.token(after));
            assert_eq!(token, message.page_token);
            Ok(())
        }),
        b'm' => decoded(bytes, |message: v1::Movement| {
            if let Ok(movement) = grpc::movement_reply(message) {
                let again = grpc::movement_reply(grpc::movement_message(&movement)).unwrap();
                assert_eq!(again, movement);
                let movements = MovementsReply { movements: vec![movement], next_page_token: None };
                check_rendered(&Reply::Movements(movements));
            }
            Ok(())
        }),
        b'o' => decoded(bytes, |message: original::PrecoRequest| {
            grpc::price_from_float(message.preco_max).map(check_price)
        }),
        b'p' => decoded(bytes, |message: v1::Product| {
            if let Ok(product) = grpc::product_reply(Some(message)) {
                check_rendered(&Reply::Product(product));
            }
            Ok(())
        }),
        b's' => decoded(bytes, |message: v1::SummarizeMovementsRequest| {
            let request = grpc::summary_request(&message)?;
            assert_eq!(grpc::summary_request(&grpc::summary_message(&request)).as_ref(), Ok(&request));
            Ok(())
        }),
        b't' => decoded(bytes, |message: v1::SummarizeMovementsResponse| {
            if let Ok(summaries) = grpc::summaries(message) {
                summaries.iter().for_each(|summary| check_shown(&summary.group));
            }
            Ok(())
        }),
        b'u' => decoded(bytes, |message: v1::UndoMovementRequest| {
            let request = grpc::undo_request(&message)?;
            assert_eq!(grpc::undo_request(&grpc::undo_message(&request)).as_ref(), Ok(&request));
            Ok(())
        }),
        b'v' => decoded(bytes, |message: v1::UndoImportRequest| {
            let request = grpc::undo_import_request(&message)?;
            assert_eq!(
                grpc::undo_import_request(&grpc::undo_import_message(&request)).as_ref(),
                Ok(&request)
            );
            Ok(())
        }),
        code => {
            let text = String::from_utf8_lossy(bytes);
            let details = bytes.to_vec().into();
            let status = Status::with_details(i32::from(code).into(), text, details);
            if let Some(refusal) = grpc::refusal(&status) {
                check_shown(&refusal.message);
                refusal.rows.iter().for_each(|(_, what)| check_shown(what));
                let _ = refusal.row_count;
            }
        }
    }
}

fn decoded<M: Message + Default>(bytes: &[u8], use_message: impl FnOnce(M) -> Result<(), Refusal>) {
    let Ok(message) = M::decode(bytes) else { return };
    if let Err(refusal) = use_message(message) {
        check_refusal(&refusal);
    }
}
