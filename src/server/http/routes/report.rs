//! `GET /report/REPORT`: the reports of the one-shot `report`, as JSON or CSV.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, Response};
use serde::Deserialize;

use super::connect::refused;
use super::held;
use crate::catalog::Quoted;
use crate::local_time::Days;
use crate::operation::{Grouping, Permission, Reply, given_period, movement_kind};
use crate::refusal::Refusal;
use crate::render::{Format, render_sheet};
use crate::report::{Report, What};
use crate::server::answer_room::{AnswerRoom, Held};
use crate::server::grpc::{defect, mark_standby};
use crate::server::http::connection::Connection;

/// The options of a report, called as those of the one-shot. An empty one is one that is not given.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    since: String,
    until: String,
    by: String,
    kind: String,
    days: String,
    time_zone: String,
    words: String,
    format: String,
}

/// Answers with a report.
pub(super) async fn answer(
    Extension(connection): Extension<Arc<Connection>>,
    Path(what): Path<String>,
    options: Result<Query<Options>, QueryRejection>,
    headers: HeaderMap,
) -> Response<Body> {
    let identity = match connection.admit(&headers, Permission::Read).await {
        Ok(identity) => identity,
        Err(refused) => return refused,
    };
    let made = async {
        let Query(options) = options.map_err(|_| unknown_option())?;
        let format = options.format()?;
        let report = options.report(&what)?;
        let session = connection.service().session(&identity);
        let (mut replies, mut room) = (Vec::new(), AnswerRoom::default());
        for request in report.requests() {
            replies.push(session.call(request).await?);
            room.hold_rows(replies.iter().map(Reply::row_count).sum())?;
        }
        // A report of every product takes some milliseconds to write.
        let write = move || {
            let mut text = Vec::new();
            let sheet = report.sheet(replies)?;
            render_sheet(&mut text, &sheet, format, None).ok().map(|()| text)
        };
        let text = tokio::task::spawn_blocking(write).await.ok().flatten().ok_or_else(defect)?;
        Ok((format, Held::new(text, room)?))
    };
    match made.await {
        Ok((format, text)) => {
            let content_type =
                if format == Format::Csv { "text/csv; charset=utf-8" } else { "application/json" };
            let mut answer = held::answer(content_type, text);
            mark_standby(&mut answer, &connection.service().inventory);
            answer
        }
        Err(refusal) => refused(refusal),
    }
}

impl Options {
    fn format(&self) -> Result<Format, Refusal> {
        match self.format.as_str() {
            "" | "json" => Ok(Format::Json),
            "csv" => Ok(Format::Csv),
            other => Err(Refusal::invalid(
                "format",
                format!("{} não é um formato; use json ou csv", Quoted(other)),
            )),
        }
    }

    /// The report that is asked for.
    fn report(self, what: &str) -> Result<Report, Refusal> {
        let what =
            What::ALL.into_iter().find(|known| known.word() == what).ok_or_else(|| unknown_report(what))?;
        let days = Days::of_zone(&self.time_zone).ok_or_else(|| Refusal::no_time_zone(&self.time_zone))?;
        let (since, until) = given_period(given(&self.since), given(&self.until), &days)?;
        let by = given(&self.by).map(|by| grouping(by).ok_or_else(|| unknown_grouping(by))).transpose()?;
        let kind = given(&self.kind).map(movement_kind).transpose()?;
        let days_ahead =
            given(&self.days).map(|days| days.parse().map_err(|_| wrong_days(days))).transpose()?;
        let mut report = Report::of_period(what, days, since, until);
        (report.by, report.kind) = (by, kind);
        (report.days_ahead, report.words) = (days_ahead, self.words);
        let has_period = since.is_some() || until.is_some();
        report.check(has_period).map_err(|(field, what)| Refusal::invalid(field, what))?;
        Ok(report)
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn grouping(word: &str) -> Option<Grouping> {
    Grouping::WORDS.into_iter().find(|(known, _, _)| *known == word).map(|(_, _, grouping)| grouping)
}

fn unknown_option() -> Refusal {
    let known = "since, until, by, kind, days, time_zone, words e format";
    Refusal::invalid(
        "query",
        format!("o pedido tem uma opção que nenhum relatório tem, ou uma duas vezes; há {known}"),
    )
}

fn unknown_report(what: &str) -> Refusal {
    let known: Vec<&str> = What::ALL.into_iter().map(What::word).collect();
    Refusal::invalid("report", format!("{} não é um relatório; há {}", Quoted(what), known.join(", ")))
}

fn unknown_grouping(by: &str) -> Refusal {
    let known: Vec<&str> = Grouping::WORDS.into_iter().map(|(word, _, _)| word).collect();
    Refusal::invalid("group_by", format!("{} não é um grupo; há {}", Quoted(by), known.join(", ")))
}

fn wrong_days(days: &str) -> Refusal {
    Refusal::invalid("days", format!("{} não é um número de dias", Quoted(days)))
}
