//! The dialogue with a person at a terminal.

use std::io::{self, Write};
use std::path::PathBuf;

use super::desk::{Desk, Stopped};
use super::entry::Entry;
use super::in_doubt::{Begun, IN_DOUBT_MAX, InDoubt};
use super::last_change::LastChange;
use super::line_editor::LineEditor;
use super::live::show_live;
use super::menu::{help_text, menu_text};
use super::pager;
use super::questions::{Completed, complete};
use super::report::{is_original, note, report, show_to_person};
use super::source::{Input, LineSource, Question};
use super::verb::{CHANGE, asked_change, asked_count, counted_line};
use crate::client::{Client, ClientError, ConnectionError};
use crate::io_error::describe;
use crate::operation::{Operation, Reply, Request};
use crate::refusal::{Code, Refusal};
use crate::render::{Format, product_told, render_for_person};

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
    let mut person = Person { editor, doubts, last: LastChange::default() };
    loop {
        let line = match person.next(Question::Command)? {
            Input::Line(line) => line,
            Input::Dropped => continue,
            Input::End => break,
        };
        match person.obey(Entry::of(&line)) {
            Ok(()) | Err(Stopped::Dropped) => {}
            Err(Stopped::Failed(error)) => report(&error),
            Err(Stopped::End) => break,
            Err(Stopped::Io(error)) => return Err(error),
        }
    }
    person.leave(&mut out)
}

/// A person at a terminal, with a server behind.
struct Person {
    editor: LineEditor,
    doubts: InDoubt,
    last: LastChange,
}

impl Person {
    fn obey(&mut self, entry: Entry) -> Result<(), Stopped> {
        match entry {
            Entry::Leave => return Err(Stopped::End),
            Entry::Unknown(refusal) => return Err(refusal.into()),
            Entry::Nothing => {
                self.editor.show_state_again();
                if let Some(oldest) = self.doubts.lost().first()
                    && let Some(begun) = self.doubts.begin(&oldest.request(), None)
                {
                    self.change(begun)?;
                }
            }
            Entry::Help(word) => {
                let help = help_text(&word)?;
                self.editor.show_state_again();
                pager::show(&mut io::stdout(), &help)?;
            }
            Entry::Code(code) => {
                let product = (self as &mut dyn Desk).product_by_code(&code)?;
                self.show_text(&format!("{}\n", product_told(&product)))?;
            }
            Entry::Verb(verb, rest) => {
                self.editor.show_state_once();
                (verb.run)(self, verb, &rest)?;
            }
            Entry::Request(operation, form, rest) => {
                let rest = match form.word {
                    CHANGE if rest.is_empty() && !self.is_pasted() => asked_change(self)?,
                    _ if operation == Operation::CountStock && rest.is_empty() && !self.is_pasted() => {
                        asked_count(self)?
                    }
                    _ => rest,
                };
                let rest = match complete(&mut self.editor, form, rest)? {
                    Completed::Command(rest) => rest,
                    Completed::Dropped => return Err(Stopped::Dropped),
                    Completed::End => return Err(Stopped::End),
                };
                if form.menu.is_none() {
                    self.editor.show_state_once();
                }
                let rest = if operation == Operation::CountStock { counted_line(self, rest)? } else { rest };
                let line = form.line(&rest);
                let request = Request::parse(&line)?;
                if let Request::WatchMovements(request) = &request {
                    note("Cada movimento aparece assim que é gravado. Ctrl-C volta aos comandos.");
                    return Ok(show_live(&mut self.editor.client(), request, Format::Table)??);
                }
                match self.doubts.begin(&request, None) {
                    Some(begun) => self.change(begun)?,
                    None => {
                        let reply = self.editor.client().call(&request)?;
                        show_to_person(&mut io::stdout(), &line, &request, &reply)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Says what stays in doubt, and says goodbye.
    fn leave(mut self, out: &mut impl Write) -> io::Result<()> {
        self.editor.save_history();
        for change in self.doubts.lost() {
            match self.doubts.is_kept(&change) {
                true => {
                    writeln!(
                        out,
                        "Continua em dúvida, e o próximo shell deste servidor a conclui: {change}"
                    )?;
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

    /// Makes a change that has begun, or finishes the one in doubt that the line repeats.
    fn change(&mut self, (begun, written): (Begun, io::Result<()>)) -> Result<(), Stopped> {
        let out = &mut io::stdout();
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
                self.last.forget();
                writeln!(out, "{answer}. A linha não foi repetida.")?;
                return Ok(());
            }
            Begun::Full => {
                let what = format!(
                    "já há {IN_DOUBT_MAX} mudanças em dúvida. Esta não foi enviada; espere até que o servidor responda."
                );
                return Err(Refusal::new(Code::ResourceExhausted, what).into());
            }
        };
        let request = change.request();
        let answer = {
            let mut client = self.editor.client();
            if may_be_made { client.repeat(&request) } else { client.call(&request) }
        };
        self.last.note(&request, &answer);
        if let Err(ClientError::Connection(ConnectionError::InDoubt { .. })) = &answer {
            self.doubts.lose(&change);
            let again = "o shell continua consultando o servidor. Enter numa linha vazia, ou a mesma linha de novo, \
                         conclui esta mudança, sem fazer outra";
            return Ok(answer.map(drop).map_err(|error| error.with_again(|_| again.to_owned()))?);
        }
        if let Err(error) = self.doubts.settle(&change) {
            let error = describe(&error);
            note(&format!(
                "Aviso: a mudança foi respondida, e o arquivo dela não pôde ser removido ({error}). O próximo shell \
                 a repete com o mesmo identificador, sem fazer outra."
            ));
        }
        let reply = answer?;
        show_to_person(out, change.line(), &request, &reply)?;
        let has_moved = matches!(reply, Reply::Change(_) | Reply::Changes(_));
        if has_moved && !is_original(change.line()) && self.last.movement().is_some() {
            writeln!(out, "Para voltar atrás: desfazer")?;
        }
        Ok(())
    }
}

impl LineSource for Person {
    fn next(&mut self, question: Question) -> io::Result<Input> {
        self.editor.next(question)
    }

    fn is_person(&self) -> bool {
        true
    }

    fn is_pasted(&self) -> bool {
        self.editor.is_pasted()
    }

    fn put_back(&mut self, line: String) {
        self.editor.put_back(line);
    }
}

impl Desk for Person {
    fn ask(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
        self.editor.client().call(request)
    }

    fn make(&mut self, request: &Request<'_>, line: &str) -> Result<(), Stopped> {
        if let Some(begun) = self.doubts.begin(request, Some(line)) {
            self.change(begun)?;
        }
        Ok(())
    }

    fn last_change(&self) -> Option<(i64, String)> {
        self.last.movement()
    }

    fn show(&mut self, reply: &Reply) -> io::Result<()> {
        let mut text = Vec::new();
        render_for_person(&mut text, reply)?;
        pager::show(&mut io::stdout(), &String::from_utf8_lossy(&text))
    }

    fn show_text(&mut self, text: &str) -> io::Result<()> {
        pager::show(&mut io::stdout(), text)
    }

    fn tell(&mut self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{text}")
    }
}
