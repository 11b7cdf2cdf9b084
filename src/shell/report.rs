//! Answers on standard output, and errors and news on standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::pager;
use crate::client::{ClientError, ConnectionError, News};
use crate::operation::{Reply, Request};
use crate::render::{Format, change_lines, render, render_for_person};
use crate::terminal::takes_colours;

/// Shows an answer. An error is reported on standard error, and returned.
pub(super) fn show(
    out: &mut impl Write,
    answer: Result<Reply, ClientError>,
) -> io::Result<Option<ClientError>> {
    match answer {
        Ok(reply) => {
            render(out, &reply, Format::Text)?;
            out.flush()?;
            change_lines(&reply).iter().for_each(|line| note(line));
            Ok(None)
        }
        Err(error) => {
            report(&error);
            Ok(Some(error))
        }
    }
}

/// Shows an answer to a person, a screen at a time.
pub(super) fn show_to_person(
    out: &mut impl Write,
    request: &Request<'_>,
    answer: Result<Reply, ClientError>,
) -> io::Result<()> {
    match answer {
        Ok(reply) => {
            let mut text = Vec::new();
            render_answer(&mut text, request, &reply)?;
            pager::show(out, &String::from_utf8_lossy(&text))
        }
        Err(error) => {
            report(&error);
            Ok(())
        }
    }
}

/// Writes an answer for a person: the reply to a command of the original as the original shows it, any other as
/// Brazilians write money and quantities.
pub(super) fn render_answer(out: &mut impl Write, request: &Request<'_>, reply: &Reply) -> io::Result<()> {
    let is_original = request.operation().spec().forms.iter().any(|(form, _)| form.menu.is_some());
    if is_original { render(out, reply, Format::Text) } else { render_for_person(out, reply) }
}

/// Reports an error in one line, in red if the terminal has colours.
pub fn report(error: &dyn Display) {
    let mut stderr = io::stderr();
    // Standard error may be closed; then the report is dropped.
    let _ = if stderr.is_terminal() && takes_colours() {
        writeln!(stderr, "\x1b[31mErro: {error}\x1b[0m")
    } else {
        writeln!(stderr, "Erro: {error}")
    };
}

/// Writes a note beside the answers.
pub(super) fn note(text: &str) {
    // Standard error may be closed here, too.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reports news to a person who waits.
pub fn report_news(news: &News<'_>) {
    let mut stderr = io::stderr();
    let _ = match news {
        News::Silent(address) if stderr.is_terminal() => writeln!(
            stderr,
            "O servidor em {address} aceita conexões e não responde. A espera continua; Ctrl-C a encerra."
        ),
        // A script gets an error at the end if the server stays silent.
        News::Silent(_) => Ok(()),
        News::Searching(ConnectionError::Lost(why)) => writeln!(
            stderr,
            "A conexão com o servidor caiu antes da resposta: {why}. Procurando o servidor de novo..."
        ),
        News::Searching(error) => writeln!(stderr, "{error}. Procurando o servidor de novo..."),
    };
}
