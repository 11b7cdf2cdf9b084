//! A report as it is asked for.

use std::time::SystemTime;

use crate::catalog::Kind;
use crate::local_time::Days;
use crate::operation::{Grouping, Request, SummaryRequest};

/// A report of a period.
#[derive(Debug, Clone)]
pub struct Report {
    pub what: What,
    /// The first moment of the period, and the moment after it.
    pub since: Option<SystemTime>,
    pub until: Option<SystemTime>,
    /// The grouping. `None` for the usual one of the report.
    pub by: Option<Grouping>,
    /// Only movements of this kind, in a report of several.
    pub kind: Option<Kind>,
    /// The time zone of the days.
    pub days: Days,
    /// The days ahead that a report of stock looks at. `None` for the usual ones.
    pub days_ahead: Option<u32>,
    /// The words of the supplier or the lot that is traced.
    pub words: String,
}

/// The kinds of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The closing: sales, purchases, losses, counts, cost and margin.
    Day,
    /// The sales.
    Sales,
    /// The losses, the worst first.
    Losses,
    /// The purchases.
    Purchases,
    /// All kinds, by product.
    Products,
    /// Products by their part of the sales.
    Abc,
    /// Margins of products.
    Margins,
    /// Differences that counts found.
    Counts,
    /// The rests of purchases that expire soon.
    Expiring,
    /// The purchases from a supplier or of a lot.
    Trace,
    /// The products that run out, and what to buy.
    Low,
}

impl What {
    pub const ALL: [What; 11] = [
        What::Day,
        What::Sales,
        What::Losses,
        What::Purchases,
        What::Products,
        What::Abc,
        What::Margins,
        What::Counts,
        What::Expiring,
        What::Trace,
        What::Low,
    ];

    /// The word of the one-shot and of the output for programs.
    pub fn word(self) -> &'static str {
        match self {
            What::Day => "day",
            What::Sales => "sales",
            What::Losses => "losses",
            What::Purchases => "purchases",
            What::Products => "products",
            What::Abc => "abc",
            What::Margins => "margins",
            What::Counts => "counts",
            What::Expiring => "expiring",
            What::Trace => "trace",
            What::Low => "low",
        }
    }
}

/// The days ahead in which stock expires, if nothing is said: today and tomorrow.
const EXPIRING_DAYS_DEFAULT: u32 = 1;

/// The period of the reports that need some time to say something, in days.
const LONG_PERIOD_DAYS: i64 = 30;

impl Report {
    /// The report of its usual period: today, or the last 30 days.
    pub fn of_usual_period(what: What, days: Days) -> Self {
        let first = match what {
            What::Abc | What::Margins => LONG_PERIOD_DAYS - 1,
            _ => 0,
        };
        let (since, until) = days.of_days_ago(first, 0);
        Self { what, since, until, by: None, kind: None, days, days_ahead: None, words: String::new() }
    }

    /// The report of a period; of its usual one if neither end is given.
    pub fn of_period(what: What, days: Days, since: Option<SystemTime>, until: Option<SystemTime>) -> Self {
        let usual = Self::of_usual_period(what, days);
        if since.is_none() && until.is_none() { usual } else { Self { since, until, ..usual } }
    }

    /// The report of today.
    pub fn of_today(what: What, days: Days) -> Self {
        let (since, until) = days.of_days_ago(0, 0);
        Self { since, until, ..Self::of_usual_period(what, days) }
    }

    /// The report of yesterday.
    pub fn of_yesterday(what: What, days: Days) -> Self {
        let (since, until) = days.of_days_ago(1, 1);
        Self { since, until, ..Self::of_today(what, days) }
    }

    /// Whether the report is of a period.
    pub fn has_period(&self) -> bool {
        !matches!(self.what, What::Expiring | What::Trace | What::Low)
    }

    /// Whether the report can be grouped so.
    pub fn can_be_by(&self, by: Grouping) -> bool {
        match self.what {
            What::Day | What::Products | What::Sales | What::Losses | What::Purchases => true,
            What::Abc | What::Margins | What::Counts => {
                matches!(by, Grouping::Product | Grouping::Category)
            }
            What::Expiring | What::Trace | What::Low => false,
        }
    }

    /// Checks that the report has what was asked for: a period, days ahead, a grouping, words.
    ///
    /// # Errors
    /// If it lacks one of them, or needs words: the field, and the sentence for people.
    pub fn check(&self, has_period: bool) -> Result<(), (&'static str, String)> {
        let refused = |field, what: &str| Err((field, format!("o relatório {} {what}", self.what.word())));
        if self.by.is_some_and(|by| !self.can_be_by(by)) {
            return refused("group_by", "não se agrupa assim");
        }
        if has_period && !self.has_period() {
            return refused("start_time", "é do estoque de agora, e não tem período");
        }
        if self.days_ahead.is_some() && !matches!(self.what, What::Expiring | What::Low) {
            return refused("days", "não olha dias para a frente");
        }
        match (self.what, self.words.is_empty()) {
            (What::Trace, true) => refused("words", "precisa do fornecedor ou do lote"),
            (What::Trace, false) | (_, true) => Ok(()),
            _ => refused("words", "não procura palavras"),
        }
    }

    pub(super) fn grouping(&self) -> Grouping {
        self.by.unwrap_or(Grouping::Product)
    }

    pub(super) fn totals(&self, group_by: Grouping, kind: Option<Kind>) -> Request<'_> {
        Request::SummarizeMovements(SummaryRequest {
            since: self.since,
            until: self.until,
            group_by,
            time_zone: self.days.zone_name(),
            kind,
        })
    }

    /// The days ahead in which stock expires.
    pub(super) fn expiring_days(&self) -> u32 {
        self.days_ahead.unwrap_or(EXPIRING_DAYS_DEFAULT)
    }

    /// A title: `Perdas de 29/11/2026`.
    pub(super) fn title(&self, of: &str) -> String {
        format!("{of} {}", self.days.period_told(self.since, self.until))
    }
}
