//! `TracePurchases`: who sold what to the shop, when, and how much of it is left.

use std::fmt;
use std::time::SystemTime;

use jiff::civil::Date;

use crate::catalog::{Amount, Author, Digest, Name, Purchase, Quantity, Unit};
use crate::refusal::Refusal;

/// The most purchases of a page.
pub const TRACED_MAX: usize = 1000;

/// The bits of a page token that are a digest of the question. The rest has room for 2^47 movements.
const QUESTION_BITS: u32 = 16;

/// A question about purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceRequest<'a> {
    /// Words of the supplier or of the lot, in any order, without regard to case or accents.
    pub words: &'a str,
    /// Only purchases of the invoice with this key, or of the supplier's item with this name, if one of them is not
    /// empty. The words are then not looked at.
    pub invoice: &'a str,
    pub item: &'a str,
    /// Only purchases before this movement. `None` for the newest.
    pub before: Option<i64>,
    /// The most purchases, up to [`TRACED_MAX`].
    pub count_max: usize,
}

/// A page of purchases, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceReply {
    pub purchases: Vec<TracedPurchase>,
    /// The token of the next page, if there may be more.
    pub next: Option<i64>,
}

/// A purchase, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedPurchase {
    pub sequence: i64,
    pub name: Name,
    pub unit: Unit,
    pub bought_at: SystemTime,
    pub purchase: Purchase,
    /// The last day on which it can be sold, if that is known.
    pub expires_on: Option<Date>,
    pub bought: Quantity,
    /// The money of the purchase.
    pub amount: Amount,
    /// The quantity that is left: the stock of a product is taken to be of the purchases that expire last.
    pub left: Quantity,
    pub author: Option<Author>,
    /// The movement that undid the purchase; 0 for none. Only purchases of an invoice that was asked for are shown
    /// after that.
    pub undone_by: i64,
}

impl TraceRequest<'_> {
    /// The token of the page of purchases before this movement: a number, because clients read it as one.
    pub fn page_token(&self, before: i64) -> i64 {
        let mut question = Digest::of("rastro");
        for part in [self.words, self.invoice, self.item] {
            question.feed(part.as_bytes());
        }
        before << QUESTION_BITS | (question.value() & ((1 << QUESTION_BITS) - 1)).cast_signed()
    }

    /// The request for the page of this token.
    ///
    /// # Errors
    /// If no server of ours gave the token for this question (`INVALID_ARGUMENT`).
    pub fn at_page(mut self, token: &str) -> Result<Self, Refusal> {
        let before = token
            .parse::<i64>()
            .ok()
            .map(|token| (token >> QUESTION_BITS, token))
            .filter(|(before, token)| *before > 0 && self.page_token(*before) == *token);
        let wrong = || {
            let what = "page_token não é deste rastro; use o next_page_token da página anterior, com as mesmas palavras";
            Refusal::invalid("page_token", what)
        };
        self.before = Some(before.ok_or_else(wrong)?.0);
        Ok(self)
    }
}

impl fmt::Display for TraceRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TracePurchases")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_belongs_to_its_question() {
        let words = TraceRequest { words: "ze", count_max: 2, ..TraceRequest::default() };
        let token = words.page_token(812).to_string();
        assert_eq!(words.at_page(&token).unwrap().before, Some(812));
        let others = [
            TraceRequest { words: "zeca", ..words },
            TraceRequest { words: "", invoice: "ze", ..words },
            TraceRequest { words: "", item: "ze", ..words },
        ];
        for (request, token) in others
            .map(|other| (other, token.as_str()))
            .into_iter()
            .chain(["", "x", "0", "-1", "812", "9223372036854775808"].map(|token| (words, token)))
        {
            let refused = request.at_page(token).unwrap_err();
            assert_eq!(refused.metadata, [("field", "page_token".to_owned())], "{request:?} {token}");
        }
    }
}
