//! The options for the period of a request.

use clap::Args;

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
    /// The two ends as they were typed.
    pub(super) fn ends(&self) -> (Option<&str>, Option<&str>) {
        (self.since.as_deref(), self.until.as_deref())
    }
}
