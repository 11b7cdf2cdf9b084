//! The dialogue with a person at a terminal.

use std::io::{self, Write};
use std::path::PathBuf;

use super::entry::Entry;
use super::in_doubt::{Begun, IN_DOUBT_MAX, InDoubt};
use super::last_change::LastChange;
use super::line_editor::LineEditor;
use super::menu::{help_text, menu_text};
use super::pager;
use super::questions::{Completed, complete};
use super::report::{note, report, show_to_person};
use super::source::{Input, LineSource, Question};
use crate::client::{Client, ClientError, ConnectionError};
use crate::io_error::describe;
use crate::operation::Request;
use crate::refusal::{Code, Refusal};

/// The settings of a shell.
pub struct Options {
    /// The server's address now.
    pub address: String,
    /// The shop, named by the way in which the shell finds the server.
    pub shop: String,
    /// The name of the shop, if it has one.
    pub shop_name: Option<String>,
    /// The folder of the shell's state, if there is one.
    pub state: Option<PathBuf>,
    /// A second client, for the changes in doubt.
    pub asker: Client,
}

/// Runs the dialogue until the person leaves.
pub(super) fn run(client: Client, options: Options) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "Conectando ao servidor em {}...", options.address)?;
    write!(out, "Conexão estabelecida. Você pode enviar comandos ao servidor.\n{}", menu_text())?;
    let folder = options.state.as_ref().map(|state| state.join("em-duvida"));
    let (doubts, others) = InDoubt::open(folder, options.shop);
    for change in doubts.lost() {
        writeln!(out, "Em dúvida desde o shell anterior: {change}. Consultando o servidor.")?;
    }
    for (shop, change) in others {
        writeln!(
            out,
            "Em dúvida com outro servidor ({shop}): {change}. Se ele for este mesmo por outro nome, não a repita \
             aqui; um shell aberto por aquele nome a conclui."
        )?;
    }
    out.flush()?;
    let history = options.state.map(|state| state.join("history"));
    let mut editor = LineEditor::new(client, history, doubts.clone(), options.shop_name)?;
    doubts.keep_asking(options.asker, editor.printer())?;
    let mut last = LastChange::default();
    loop {
        let line = match editor.next(Question::Command)? {
            Input::Line(line) => line,
            Input::Dropped => continue,
            Input::End => break,
        };
        match Entry::of(&line) {
            Entry::Nothing => {
                editor.show_state_again();
                if let Some(oldest) = doubts.lost().first() {
                    let begun = doubts.begin(&oldest.request());
                    begun.map_or(Ok(()), |begun| change(&mut out, &mut editor, &doubts, &mut last, begun))?;
                }
            }
            Entry::Leave => break,
            Entry::Help(word) => match help_text(&word) {
                Ok(help) => {
                    editor.show_state_again();
                    pager::show(&mut out, &help)?;
                }
                Err(refusal) => report(&refusal),
            },
            Entry::Unknown(refusal) => report(&refusal),
            Entry::Request(form, rest) => {
                let rest = match complete(&mut editor, form, rest, &last)? {
                    Completed::Command(rest) => rest,
                    Completed::Dropped => continue,
                    Completed::End => break,
                };
                if form.menu.is_none() {
                    editor.show_state_once();
                }
                match Request::parse(&form.line(&rest)) {
                    Err(refusal) => report(&refusal),
                    Ok(request) => match doubts.begin(&request) {
                        Some(begun) => change(&mut out, &mut editor, &doubts, &mut last, begun)?,
                        None => {
                            let answer = editor.client().call(&request);
                            show_to_person(&mut out, &request, answer)?;
                        }
                    },
                }
            }
        }
    }
    editor.save_history();
    for change in doubts.lost() {
        match doubts.is_kept(&change) {
            true => {
                writeln!(out, "Continua em dúvida, e o próximo shell deste servidor a conclui: {change}")?
            }
            false => writeln!(
                out,
                "Continua em dúvida, e não ficou guardada; para concluí-la, digite depois: {}",
                change.with_id()
            )?,
        }
    }
    writeln!(out, "Encerrando o cliente...")
}

/// Makes a new change, or finishes the change in doubt that the line repeats.
fn change(
    out: &mut impl Write,
    editor: &mut LineEditor,
    doubts: &InDoubt,
    last: &mut LastChange,
    (begun, written): (Begun, io::Result<()>),
) -> io::Result<()> {
    if let Err(error) = written {
        let error = describe(&error);
        note(&format!(
            "Aviso: a mudança não pôde ser guardada antes do envio ({error}). Se este shell for morto antes da \
             resposta, o próximo não a conclui."
        ));
    }
    let (change, may_be_made) = match begun {
        Begun::New(change) => (change, false),
        Begun::InDoubt(change) => {
            writeln!(out, "Concluindo a mudança em dúvida: {change}")?;
            (change, true)
        }
        Begun::Finished(answer) => {
            last.forget();
            return writeln!(out, "{answer}. A linha não foi repetida.");
        }
        Begun::Full => {
            let what = format!(
                "já há {IN_DOUBT_MAX} mudanças em dúvida. Esta não foi enviada; espere até que o servidor responda."
            );
            report(&Refusal::new(Code::ResourceExhausted, what));
            return Ok(());
        }
    };
    let request = change.request();
    let answer = {
        let mut client = editor.client();
        if may_be_made { client.repeat(&request) } else { client.call(&request) }
    };
    last.note(&request, &answer);
    if let Err(ClientError::Connection(ConnectionError::InDoubt { .. })) = &answer {
        doubts.lose(&change);
        let again = "o shell continua consultando o servidor. Enter numa linha vazia, ou a mesma linha de novo, \
                     conclui esta mudança, sem fazer outra";
        let answer = answer.map_err(|error| error.with_again(|_| again.to_owned()));
        return show_to_person(out, &request, answer);
    }
    if let Err(error) = doubts.settle(&change) {
        let error = describe(&error);
        note(&format!(
            "Aviso: a mudança foi respondida, e o arquivo dela não pôde ser removido ({error}). O próximo shell \
             a repete com o mesmo identificador, sem fazer outra."
        ));
    }
    show_to_person(out, &request, answer)
}
