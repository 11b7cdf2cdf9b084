//! Labels for shelves, as a PDF: name, price per unit and code of a product, on sheets or on a roll.
//!
//! Lengths are in points (a 72nd of an inch) from the lower left corner, as in a PDF. Text is in one of the fonts that
//! every reader of PDFs has, in Windows-1252.

mod bars;
mod letters;

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, TextStr};

use crate::catalog::Price;
use bars::Bars;
pub use bars::LabelCode;
pub use letters::is_writable;
use letters::{FONT, MM, write};

/// The most labels of one file: a hundred rolls.
pub const LABELS_MAX: usize = 10_000;

/// A label for the shelf of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfLabel {
    pub name: String,
    pub price: Price,
    pub unit: String,
    /// The code that a scanner reads: a barcode rather than the code of the shop.
    pub code: Option<LabelCode>,
}

/// The paper of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// Sheets of A4 with 21 labels of 63,5 × 38,1 mm.
    A4,
    /// A roll of labels of 50 × 30 mm, one a page.
    Roll,
}

/// The size and the places of labels on a page.
struct Layout {
    page: (f32, f32),
    /// The size of a label.
    label: (f32, f32),
    /// The distance of the first label from the left and from the top.
    margin: (f32, f32),
    /// The distance from one label to the next.
    step: (f32, f32),
    columns: usize,
    rows: usize,
}

/// The blank edge of a label: printers of rolls are off by a millimetre.
const EDGE: f32 = 2.0 * MM;

impl Paper {
    fn layout(self) -> Layout {
        match self {
            Self::A4 => Layout {
                page: (210.0 * MM, 297.0 * MM),
                label: (63.5 * MM, 38.1 * MM),
                margin: (7.2 * MM, 15.1 * MM),
                step: (66.0 * MM, 38.1 * MM),
                columns: 3,
                rows: 7,
            },
            Self::Roll => Layout {
                page: (50.0 * MM, 30.0 * MM),
                label: (50.0 * MM, 30.0 * MM),
                margin: (0.0, 0.0),
                step: (0.0, 0.0),
                columns: 1,
                rows: 1,
            },
        }
    }
}

/// Makes the PDF of labels.
pub fn pdf(labels: &[ShelfLabel], paper: Paper) -> Vec<u8> {
    let layout = paper.layout();
    let pages: Vec<&[ShelfLabel]> = labels.chunks(layout.columns * layout.rows).collect();
    let (catalog, tree, font, info) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4));
    let id_of = |page: usize, part: usize| Ref::new((5 + 2 * page + part) as i32);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(info).title(TextStr("Etiquetas de prateleira"));
    pdf.pages(tree).kids((0..pages.len()).map(|page| id_of(page, 0))).count(pages.len() as i32);
    pdf.type1_font(font).base_font(Name(FONT)).encoding_predefined(Name(b"WinAnsiEncoding"));
    for (index, labels) in pages.into_iter().enumerate() {
        let mut page = pdf.page(id_of(index, 0));
        page.media_box(Rect::new(0.0, 0.0, layout.page.0, layout.page.1));
        page.parent(tree).contents(id_of(index, 1));
        page.resources().fonts().pair(Name(b"F"), font);
        page.finish();
        let mut content = Content::new();
        for (place, label) in labels.iter().enumerate() {
            let (row, column) = (place / layout.columns, place % layout.columns);
            let left = layout.margin.0 + column as f32 * layout.step.0;
            let top = layout.page.1 - layout.margin.1 - row as f32 * layout.step.1;
            draw(&mut content, label, left, top, layout.label);
        }
        pdf.stream(id_of(index, 1), &content.finish());
    }
    pdf.finish()
}

/// Draws a label whose upper left corner is there: the name above, the price to its own line, the code below.
fn draw(content: &mut Content, label: &ShelfLabel, left: f32, top: f32, (width, height): (f32, f32)) {
    let room = width - 2.0 * EDGE;
    let (left, top, bottom) = (left + EDGE, top - EDGE, top - height + EDGE);
    let (name_size, lines) = letters::in_lines(&label.name, room);
    let mut line_bottom = top;
    for line in &lines {
        line_bottom -= name_size;
        write(content, line, left, line_bottom, name_size);
    }
    let bars = label.code.and_then(Bars::of);
    let code_height = if bars.is_some() { height * 0.32 } else { 0.0 };
    let price = label.price.in_reais().to_string();
    let unit = format!("/{}", label.unit);
    // The price takes what is left between the name and the code, and the unit stands small behind it.
    let between = (line_bottom - 2.0 - bottom - code_height).max(8.0);
    let unit_share = 0.5;
    let wide = letters::width(&price) + unit_share * letters::width(&unit);
    let size = (room / wide).min(between);
    let base = bottom + code_height + (between - size) / 2.0 + size * 0.2;
    write(content, &price, left, base, size);
    write(content, &unit, left + size * letters::width(&price), base, size * unit_share);
    if let Some(bars) = bars {
        bars.draw(content, left, bottom, room, code_height - 2.0);
    }
}
