//! Answers on standard output, and errors and news on standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::pager;
use crate::client::{ConnectionError, News};
use crate::operation::{ProductReply, Reply, Request, form_by_word, split_word};
use crate::render::{Format, merge_without_stock, new_product_told, render, render_for_person};
use crate::terminal::takes_colours;

/// Shows a person the answer to a line that asked for this request, a screen at a time.
pub(super) fn show_to_person(
    out: &mut impl Write,
    line: &str,
    request: &Request<'_>,
    reply: &Reply,
) -> io::Result<()> {
    let mut text = Vec::new();
    render_answer(&mut text, line, request, reply)?;
    pager::show(out, &String::from_utf8_lossy(&text))
}

/// Writes the answer to a line for a person: that to one of the original's commands in the original's way, any
/// other as Brazilians write money and quantities.
pub(super) fn render_answer(
    out: &mut impl Write,
    line: &str,
    request: &Request<'_>,
    reply: &Reply,
) -> io::Result<()> {
    let made = product_made(request, reply).map(|product| new_product_told(&product));
    match made.or_else(|| merged_without_stock(request, reply)) {
        Some(told) => writeln!(out, "{told}"),
        None if is_original(line) => render(out, reply, Format::Text),
        None => render_for_person(out, reply),
    }
}

/// The product that a change made, if it made one alone.
pub(super) fn product_made(request: &Request<'_>, reply: &Reply) -> Option<ProductReply> {
    match (request, reply) {
        (Request::ImportProducts(import), Reply::Imported(imported)) => import.product_made(imported),
        _ => None,
    }
}

fn merged_without_stock(request: &Request<'_>, reply: &Reply) -> Option<String> {
    match (request, reply) {
        (Request::MergeProducts(_), Reply::Changes(changes)) => merge_without_stock(changes),
        _ => None,
    }
}

/// Whether a line is one of the original's commands.
pub(super) fn is_original(line: &str) -> bool {
    form_by_word(split_word(line).0).is_some_and(|(_, form)| form.menu.is_some())
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
        News::NobodyWrites => {
            writeln!(stderr, "Nenhum dos servidores da loja a atende agora. Esperando por um que atenda...")
        }
        News::Searching(error) => writeln!(stderr, "{error}. Procurando o servidor de novo..."),
    };
}
