//! The options for the period of a request.

use std::time::SystemTime;

use clap::Args;

use crate::catalog::Quoted;
use crate::local_time::{Days, End};
use crate::operation::check_given_period;
use crate::refusal::Refusal;

#[derive(Debug, Args)]
pub(super) struct Period {
    /// Desde este dia ou momento: hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30
    #[arg(long, value_name = "QUANDO")]
    since: Option<String>,
    /// Até este dia, inclusive, ou antes deste momento
    #[arg(long, value_name = "QUANDO")]
    until: Option<String>,
}

impl Period {
    /// Whether either end is given.
    pub(super) fn is_given(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// The first moment of the period, and the first moment after it.
    ///
    /// # Errors
    /// If an option is no valid time, or the period ends before it begins.
    pub(super) fn ends(&self, days: &Days) -> Result<(Option<SystemTime>, Option<SystemTime>), Refusal> {
        let read = |field, text: &Option<String>, end| {
            let time = text.as_ref().map(|text| (text, days.parse_end(text, end)));
            let time = time.map(|(text, time)| {
                time.map_err(|error| Refusal::invalid(field, format!("{} {error}", Quoted(text))))
            });
            time.transpose()
        };
        let since = read("start_time", &self.since, End::First)?;
        let until = read("end_time", &self.until, End::Last)?;
        check_given_period(since, until)?;
        Ok((since, until))
    }
}
