//! A report as a program asks for it: the word of the report, and fields with text values, such as those of a
//! web address.

use super::asked::{Report, What};
use crate::catalog::{Kind, Quoted};
use crate::local_time::{Days, End};
use crate::operation::Grouping;
use crate::refusal::{Code, Refusal};

/// The fields of a question: `since` and `until` (a day or a moment), `by` (a grouping), `kind`, `days` (days
/// ahead), `words` (of a supplier or a lot) and `time_zone`. An empty value counts as none.
const FIELDS: [&str; 7] = ["since", "until", "by", "kind", "days", "words", "time_zone"];

impl Report {
    /// Reads a question. `None` if no report has this word.
    ///
    /// # Errors
    /// If a field is unknown, comes twice, has an invalid value, or does not belong to the report.
    pub fn of_question<'a>(
        word: &str,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Option<Result<Self, Refusal>> {
        let what = What::ALL.into_iter().find(|what| what.word() == word)?;
        Some(read(what, fields))
    }
}

fn read<'a>(what: What, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Report, Refusal> {
    let mut values: [Option<&str>; FIELDS.len()] = [None; FIELDS.len()];
    for (name, value) in fields {
        let Some(place) = FIELDS.iter().position(|field| *field == name) else {
            let known = FIELDS.join(", ");
            let what = format!("o relatório não tem o campo {}; os campos são {known}", Quoted(name));
            return Err(refused("query", what));
        };
        if values[place].replace(value).is_some() {
            return Err(refused(FIELDS[place], "o campo aparece duas vezes"));
        }
    }
    let [since, until, by, kind, days_ahead, words, time_zone] =
        values.map(|value| value.filter(|value| !value.is_empty()));
    let time_zone = time_zone.unwrap_or_default();
    let days = Days::of_zone(time_zone).ok_or_else(|| Refusal::no_time_zone(time_zone))?;
    let end = |field, text: Option<&str>, end| {
        let time = text.map(|text| days.parse_end(text, end).map_err(|error| (text, error)));
        time.transpose().map_err(|(text, error)| refused(field, format!("{} {error}", Quoted(text))))
    };
    let (since, until) = (end("since", since, End::First)?, end("until", until, End::Last)?);
    let mut report = Report::of_usual_period(what, days);
    let has_period = since.is_some() || until.is_some();
    if has_period {
        (report.since, report.until) = (since, until);
    }
    report.by = by.map(grouping).transpose()?;
    report.kind = kind.map(kind_of).transpose()?;
    report.days_ahead = days_ahead
        .map(|text| {
            text.parse().map_err(|_| refused("days", format!("{} não é um número de dias", Quoted(text))))
        })
        .transpose()?;
    report.words = words.unwrap_or_default().to_owned();
    report.check(has_period).map_err(|(field, what)| refused(field, what))?;
    Ok(report)
}

fn grouping(word: &str) -> Result<Grouping, Refusal> {
    let found = Grouping::WORDS.into_iter().find(|(own, other, _)| [own, other].contains(&&word));
    found.map(|(.., grouping)| grouping).ok_or_else(|| {
        let words = Grouping::WORDS.map(|(word, ..)| word).join(", ");
        refused("by", format!("não há o grupo {}; use {words}", Quoted(word)))
    })
}

fn kind_of(word: &str) -> Result<Kind, Refusal> {
    Kind::from_stored(word).ok_or_else(|| {
        let what = format!(
            "não há o motivo {}; use ajuste, abertura, compra, venda, perda ou contagem",
            Quoted(word)
        );
        refused("kind", what)
    })
}

/// The refusal of a question, which never changes anything.
fn refused(field: &'static str, what: impl std::fmt::Display) -> Refusal {
    let refusal = Refusal::new(Code::InvalidArgument, format!("{what}. Corrija e peça de novo."));
    Refusal { metadata: vec![("field", field.to_owned())], ..refusal }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(word: &str, fields: &[(&str, &str)]) -> Option<Result<Report, String>> {
        Report::of_question(word, fields.iter().copied()).map(|read| read.map_err(|refusal| refusal.message))
    }

    #[test]
    fn a_question_is_what_the_command_line_asks() {
        let report = asked(
            "losses",
            &[
                ("since", "2026-11-28"),
                ("until", "2026-11-29"),
                ("by", "reason"),
                ("time_zone", "America/Sao_Paulo"),
            ],
        );
        let report = report.unwrap().unwrap();
        assert_eq!((report.what, report.by, report.kind), (What::Losses, Some(Grouping::LossReason), None));
        let days = Days::of_zone("America/Sao_Paulo").unwrap();
        assert_eq!(report.since, days.parse_end("28/11/2026", End::First).ok());
        assert_eq!(report.until, days.parse_end("29/11/2026", End::Last).ok());
        let report = asked("products", &[("kind", "perda"), ("by", "")]).unwrap().unwrap();
        assert_eq!((report.kind, report.by), (Some(Kind::Waste), None));
        assert_eq!(asked("expiring", &[("days", "3")]).unwrap().unwrap().days_ahead, Some(3));
        assert_eq!(asked("trace", &[("words", "sítio zé")]).unwrap().unwrap().words, "sítio zé");
        assert!(asked("lua", &[]).is_none());
    }

    #[test]
    fn a_wrong_question_says_its_field() {
        for (word, field, told) in [
            ("day", ("lua", "1"), "não tem o campo \"lua\""),
            ("day", ("since", "amanhã"), "\"amanhã\" não é uma data"),
            ("day", ("by", "lua"), "não há o grupo \"lua\""),
            ("day", ("kind", "lua"), "não há o motivo \"lua\""),
            ("day", ("days", "2"), "não olha dias"),
            ("abc", ("by", "author"), "não se agrupa assim"),
            ("low", ("since", "hoje"), "não tem período"),
            ("low", ("days", "-1"), "não é um número de dias"),
            ("trace", ("by", ""), "precisa do fornecedor"),
            ("day", ("words", "zé"), "não procura palavras"),
            ("day", ("time_zone", "Lua/Cratera"), "não há fuso horário"),
        ] {
            let refused = asked(word, &[field]).unwrap().unwrap_err();
            assert!(refused.contains(told), "{word} {field:?}: {refused}");
        }
        let twice = asked("day", &[("since", "hoje"), ("since", "ontem")]).unwrap().unwrap_err();
        assert!(twice.contains("duas vezes"), "{twice}");
    }
}
