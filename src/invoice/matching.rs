//! The products that the lines of an invoice are of: found by barcode, or by an earlier purchase of the same item.
//!
//! A matching asks requests and takes their replies, so that a client and a server can both answer them.

use std::collections::VecDeque;

use super::document::{Invoice, Line, Sold};
use crate::catalog::{Barcode, Key, Quantity, Unit, unit_of_word};
use crate::operation::{ProductReply, Reply, Request, TRACED_MAX, TraceReply, TraceRequest, TracedPurchase};
use crate::refusal::{Code, Refusal};

/// The product of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub product: ProductReply,
    pub known: Known,
}

/// How the product of a line is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// By the barcode of the unit that is taxed or, if not, of the one that is sold.
    ByBarcode { is_taxed: bool },
    /// By the last purchase of the same item, with the content of a unit if that said it. If only a purchase of the
    /// same invoice is known, `is_undone` says that it was undone.
    Learned { pack: Option<Quantity>, is_undone: bool },
    /// A person has said the product, and perhaps the content of a unit or what was received.
    Said { content: Option<Content> },
}

/// The goods of a line in the unit of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Each of the supplier's units holds this.
    Pack(Quantity),
    /// All of them together held this.
    Received(Quantity),
}

impl Match {
    /// The content of the line, if it is known.
    pub fn content(&self, line: &Line) -> Option<Content> {
        let unit = self.product.unit.as_ref()?;
        let taxed = || line.taxed.as_ref().and_then(|taxed| content_by_taxed(taxed, &line.sold, unit));
        let sold = || content_by_sold(&line.sold, unit);
        match self.known {
            Known::Said { content: Some(content) } => Some(content),
            Known::ByBarcode { is_taxed: true } => taxed().or_else(sold),
            Known::Learned { pack: Some(pack), .. } => sold().or(Some(Content::Pack(pack))),
            _ => sold().or_else(taxed),
        }
    }

    /// Says that the product is that of a purchase which was undone: it may have been the slip.
    pub fn told_undone(&self, line: &Line) -> Option<String> {
        let name = &self.product.name;
        matches!(self.known, Known::Learned { is_undone: true, .. })
            .then(|| format!("item {}: é {name}, como na nota que foi desfeita", line.number))
    }

    /// The content that the invoice says, if an earlier purchase says another one.
    pub fn other_content(&self, line: &Line) -> Option<Quantity> {
        let unit = self.product.unit.as_ref()?;
        let said = in_unit(line.taxed.as_ref()?, unit)?;
        let Content::Pack(pack) = self.content(line)? else { return None };
        let is_learned = matches!(self.known, Known::Learned { pack: Some(_), .. });
        (is_learned && Some(said) != held(&line.sold, pack)).then_some(said)
    }
}

/// The goods of a line by the unit in which it is sold, if that is the unit of the product.
fn content_by_sold(sold: &Sold, unit: &Unit) -> Option<Content> {
    let (own_parts, parts) = parts_of(&sold.unit, unit)?;
    let one = 1000 * i64::from(own_parts) / i64::from(parts);
    Quantity::from_thousandths(one).ok().filter(|one| *one > Quantity::ZERO).map(Content::Pack)
}

/// The goods of a line by the unit in which they are taxed, if that is the unit of the product.
fn content_by_taxed(taxed: &Sold, sold: &Sold, unit: &Unit) -> Option<Content> {
    let all = in_unit(taxed, unit)?;
    let (exact, units) = (i128::from(all.thousandths()) * 10_000, i128::from(sold.ten_thousandths));
    let pack = (exact % units == 0).then(|| i64::try_from(exact / units).ok()).flatten();
    let pack = pack.and_then(|pack| Quantity::from_thousandths(pack).ok());
    Some(pack.filter(|pack| *pack > Quantity::ZERO).map_or(Content::Received(all), Content::Pack))
}

/// How many of the product's unit, and how many of another unit, make the same.
fn parts_of(other: &str, unit: &Unit) -> Option<(u16, u16)> {
    match (unit_of_word(other), unit_of_word(unit.as_str())) {
        (Some((one, parts)), Some((own, own_parts))) if one == own => Some((own_parts, parts)),
        _ => (Key::fold(other) == Key::fold(unit.as_str())).then_some((1, 1)),
    }
}

/// A quantity in a unit, if it is one of that unit and a number of thousandths.
fn in_unit(counted: &Sold, unit: &Unit) -> Option<Quantity> {
    let (own_parts, parts) = parts_of(&counted.unit, unit)?;
    let (exact, tenths) =
        (i128::from(counted.ten_thousandths) * i128::from(own_parts), i128::from(parts) * 10);
    let thousandths = (exact % tenths == 0).then_some(exact / tenths)?;
    let quantity = Quantity::from_thousandths(i64::try_from(thousandths).ok()?).ok()?;
    (quantity > Quantity::ZERO).then_some(quantity)
}

/// The goods in some of the supplier's units, if they are thousandths.
pub(super) fn held(sold: &Sold, pack: Quantity) -> Option<Quantity> {
    let exact = i128::from(sold.ten_thousandths) * i128::from(pack.thousandths());
    let thousandths = (exact % 10_000 == 0).then_some(exact / 10_000)?;
    Quantity::from_thousandths(i64::try_from(thousandths).ok()?).ok()
}

/// The products of the lines of an invoice, as far as they are known.
pub struct Matching<'i> {
    invoice: &'i Invoice,
    /// The purchases of the same invoice that were undone, newest first.
    undone: Vec<&'i TracedPurchase>,
    found: Vec<Option<Match>>,
    questions: VecDeque<Question>,
    asked: Option<Question>,
}

/// A question whose answer may say the product of a line.
struct Question {
    line: usize,
    about: About,
}

enum About {
    Barcode { barcode: Barcode, text: String, is_taxed: bool },
    Item { before: Option<i64> },
    Name { name: String, pack: Option<Quantity>, is_undone: bool },
}

impl About {
    fn name_of(purchase: &TracedPurchase) -> Self {
        let TracedPurchase { name, purchase, undone_by, .. } = purchase;
        Self::Name { name: name.to_string(), pack: purchase.pack, is_undone: *undone_by != 0 }
    }
}

impl<'i> Matching<'i> {
    /// A matching of an invoice, of which `booked` is the reply to [`booked_request`].
    pub fn new(invoice: &'i Invoice, booked: &'i Reply) -> Self {
        let questions = invoice.lines.iter().enumerate().flat_map(|(line, it)| {
            let barcodes = it.barcodes.iter().zip([true, false]).filter_map(move |(barcode, is_taxed)| {
                let barcode = (*barcode)?;
                let about = About::Barcode { barcode, text: barcode.to_string(), is_taxed };
                Some(Question { line, about })
            });
            barcodes.chain([Question { line, about: About::Item { before: None } }])
        });
        let questions = questions.collect();
        let undone = purchases_of(booked).iter().filter(|it| it.undone_by != 0).collect();
        Self { invoice, undone, found: vec![None; invoice.lines.len()], questions, asked: None }
    }

    /// The next request, if one is left. Its reply is for [`Matching::take`].
    pub fn next_request(&mut self) -> Option<Request<'_>> {
        self.asked = None;
        while let Some(question) = self.questions.pop_front() {
            if self.found[question.line].is_none() {
                self.asked = Some(question);
                break;
            }
        }
        let question = self.asked.as_ref()?;
        Some(match &question.about {
            About::Barcode { text: name, .. } | About::Name { name, .. } => Request::GetProduct { name },
            About::Item { before } => Request::TracePurchases(TraceRequest {
                item: self.invoice.lines[question.line].item.as_str(),
                before: *before,
                count_max: 1,
                ..TraceRequest::default()
            }),
        })
    }

    /// Takes the reply to the last request.
    ///
    /// # Errors
    /// If the request was refused, but not because there is no such product.
    pub fn take(&mut self, reply: Result<Reply, Refusal>) -> Result<(), Refusal> {
        let Some(Question { line, about }) = self.asked.take() else { return Ok(()) };
        let reply = match reply {
            Err(refusal) if matches!(refusal.code, Code::ProductNotFound | Code::InvalidArgument) => {
                return Ok(());
            }
            reply => reply?,
        };
        match (about, reply) {
            (About::Barcode { barcode, is_taxed, .. }, Reply::Product(product)) => {
                // The digits may also be a name, or the label of a scale.
                let has = product.terms.as_ref().is_some_and(|terms| terms.barcodes.contains(&barcode));
                if has && !product.is_discontinued {
                    self.found[line] = Some(Match { product, known: Known::ByBarcode { is_taxed } });
                }
            }
            (About::Item { .. }, Reply::Traced(page)) => {
                // The newest purchase of a page may be undone, and is then left out.
                let next = match (page.purchases.into_iter().next(), page.next) {
                    (Some(purchase), _) => About::name_of(&purchase),
                    (None, Some(before)) => About::Item { before: Some(before) },
                    (None, None) => match self.undone_of(line) {
                        Some(purchase) => About::name_of(purchase),
                        None => return Ok(()),
                    },
                };
                self.questions.push_front(Question { line, about: next });
            }
            // A retired product takes no purchase, and may have been merged into another one.
            (About::Name { pack, is_undone, .. }, Reply::Product(product)) if !product.is_discontinued => {
                self.found[line] = Some(Match { product, known: Known::Learned { pack, is_undone } });
            }
            _ => {}
        }
        Ok(())
    }

    /// The last purchase of a line before the invoice was undone.
    fn undone_of(&self, line: usize) -> Option<&'i TracedPurchase> {
        let item = &self.invoice.lines[line].item;
        self.undone.iter().copied().find(|it| it.purchase.item.as_ref() == Some(item))
    }

    /// The products found, one for each line.
    pub fn found(self) -> Vec<Option<Match>> {
        self.found
    }
}

/// The request whose reply says whether an invoice is booked.
pub fn booked_request(key: &str) -> Request<'_> {
    Request::TracePurchases(TraceRequest { invoice: key, count_max: TRACED_MAX, ..TraceRequest::default() })
}

/// Whether an invoice is booked, from the reply to [`booked_request`].
pub fn standing(reply: &Reply) -> Standing<'_> {
    let purchases = purchases_of(reply);
    // The newest come first, and the oldest of a document is its number.
    match (purchases.iter().rev().find(|it| it.undone_by == 0), purchases.first()) {
        (Some(booked), _) => Standing::Booked(booked),
        (None, Some(last)) => Standing::Undone(last.sequence),
        (None, None) => Standing::New,
    }
}

fn purchases_of(reply: &Reply) -> &[TracedPurchase] {
    match reply {
        Reply::Traced(TraceReply { purchases, .. }) => purchases,
        _ => &[],
    }
}

/// Whether an invoice is booked.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'a> {
    New,
    /// The first purchase of the invoice that was not undone.
    Booked(&'a TracedPurchase),
    /// All purchases of the invoice were undone, of which this was the last.
    Undone(i64),
}
