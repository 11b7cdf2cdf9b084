//! Reports: what each asks of the server, and what it makes of the answers.
//!
//! A [`Report`] is asked by [`Report::requests`], and its replies become a [`Sheet`] by [`Report::sheet`]. The
//! one-shots, the shell and `GET /report/…` call both, and send the requests themselves.

mod abc;
mod asked;
mod closing;
mod counts;
mod expiring;
mod losses;
mod low;
mod margins;
mod movements;
mod total;
mod trace;

use crate::catalog::Kind;
use crate::operation::{
    ExpiringRequest, Grouping, LowStockRequest, Reply, Request, Summary, TRACED_MAX, TraceRequest,
};
use crate::render::Sheet;

pub use asked::{Report, What};

impl Report {
    /// The requests of the report, in the order of their replies.
    pub fn requests(&self) -> Vec<Request<'_>> {
        let by = self.grouping();
        match self.what {
            What::Day if self.by.is_none() => vec![self.totals(Grouping::Kind, self.kind)],
            What::Day | What::Products => vec![self.totals(by, self.kind)],
            What::Sales | What::Abc => vec![self.totals(by, Some(Kind::Sale))],
            What::Purchases => vec![self.totals(by, Some(Kind::Purchase))],
            What::Counts => vec![self.totals(by, Some(Kind::Count))],
            What::Losses => {
                vec![self.totals(by, Some(Kind::Waste)), self.totals(Grouping::Kind, Some(Kind::Sale))]
            }
            What::Low => vec![Request::ListLowStock(LowStockRequest { days: self.days_ahead.unwrap_or(0) })],
            What::Expiring => vec![Request::ListExpiringStock(ExpiringRequest {
                days: self.expiring_days(),
                time_zone: self.days.zone_name(),
            })],
            What::Trace => vec![Request::TracePurchases(TraceRequest {
                words: &self.words,
                count_max: TRACED_MAX,
                ..TraceRequest::default()
            })],
            What::Margins => vec![self.totals(by, Some(Kind::Sale)), self.totals(by, Some(Kind::Waste))],
        }
    }

    /// The report from the replies to its requests. `None` if they are no totals.
    pub fn sheet(&self, replies: Vec<Reply>) -> Option<Sheet> {
        match (self.what, &replies[..]) {
            (What::Low, [Reply::LowStock(low)]) => return Some(low::sheet(self, low)),
            (What::Expiring, [Reply::Expiring(expiring)]) => return Some(expiring::sheet(self, expiring)),
            (What::Trace, [Reply::Traced(page)]) => return Some(trace::sheet(self, page)),
            _ => {}
        }
        let mut totals = Vec::new();
        for reply in replies {
            let Reply::Summaries(summaries) = reply else { return None };
            totals.push(summaries);
        }
        let [first, rest @ ..] = &totals[..] else { return None };
        let second: &[Summary] = rest.first().map_or(&[], Vec::as_slice);
        Some(match self.what {
            What::Day if self.by.is_none() => closing::sheet(self, first),
            What::Day | What::Products => movements::of_all_kinds(self, first),
            What::Sales => movements::of_sales(self, first),
            What::Purchases => movements::of_purchases(self, first),
            What::Losses => losses::sheet(self, first, second),
            What::Abc => abc::sheet(self, first),
            What::Margins => margins::sheet(self, first, second),
            What::Counts => counts::sheet(self, first),
            What::Low | What::Expiring | What::Trace => return None,
        })
    }
}
