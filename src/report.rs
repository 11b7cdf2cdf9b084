//! Reports: what each asks of the server, and what it makes of the answers.
//!
//! A [`Report`] is asked by [`Report::requests`], and its replies become a [`Sheet`] by [`Report::sheet`]. The
//! one-shots and the shell call both, and send the requests themselves.

mod abc;
mod asked;
mod closing;
mod counts;
mod losses;
mod margins;
mod movements;
mod total;

use crate::catalog::Kind;
use crate::operation::{Grouping, Reply, Request, Summary};
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
            What::Margins => vec![self.totals(by, Some(Kind::Sale)), self.totals(by, Some(Kind::Waste))],
        }
    }

    /// The report from the replies to its requests. `None` if they are no totals.
    pub fn sheet(&self, replies: Vec<Reply>) -> Option<Sheet> {
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
        })
    }
}
