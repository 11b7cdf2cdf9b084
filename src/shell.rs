//! The shell: the five commands for a person at a terminal, and for piped lines, over any
//! client.

mod completion;
mod in_doubt;
mod kept;
mod line_editor;
mod paste;

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use crate::catalog::Quantity;
use crate::client::{Broken, Client, Failure, News, Reconnecting};
use crate::io_error::describe;
use crate::operation::{
    AdjustRequest, Argument, Form, Operation, Reply, Request, menu, sorted_forms, split_word, unknown_command,
};
use crate::refusal::{Code, Refusal};
use crate::render::{Format, render};
use crate::terminal::{line_is_edited, takes_colours};
use in_doubt::{Begun, IN_DOUBT_MAX, InDoubt};
use line_editor::{Asked, LineEditor};

/// What comes after a failure: how a script's run of commands is judged.
type FirstFailure = Option<Failure>;

/// The settings of a shell.
pub struct Options {
    /// The server's address now.
    pub address: String,
    /// The shop whose stock it is, named by how the shell finds the server.
    pub shop: String,
    /// The folder of the shell's state, if there is any.
    pub state: Option<PathBuf>,
    /// A second client, for the changes in doubt.
    pub asker: Reconnecting,
}

/// Runs the shell on standard input: a dialogue on a terminal, bare commands from a pipe.
/// Returns the first failure, which has been told already.
///
/// # Errors
/// Where the output or the terminal fails, and not where it is merely closed.
pub fn run(mut client: Reconnecting, options: Options) -> io::Result<FirstFailure> {
    if io::stdin().is_terminal() { talk(client, options).map(|()| None) } else { read_piped(&mut client) }
}

/// Whether the shell edits lines, so that Ctrl-C is a key while one is typed, and no signal.
pub fn edits_lines() -> bool {
    io::stdin().is_terminal() && line_is_edited()
}

/// The menu, in the original's words.
fn menu_text() -> String {
    let lines = menu().into_iter().map(|form| format!("{} - {}\n", form.word, form.menu.unwrap_or_default()));
    lines.fold("Comandos disponíveis:\n".to_owned(), |menu, line| menu + &line)
}

/// The help, with every form of the table.
fn help_text() -> String {
    let mut help =
        String::from("Digite um número ou uma palavra; o comando inteiro numa linha também serve:\n");
    for form in sorted_forms() {
        let by_word = form.shell_words.first().map_or(String::new(), |word| form.usage_with(word));
        help.push_str(&format!("  {:<22}  {by_word:<25}  {}\n", form.short_usage(), form.help));
    }
    help.push_str(&format!("  {:<49}  este texto\n", HELP_WORDS[0]));
    help + HINTS
}

/// The words that show the help.
const HELP_WORDS: [&str; 3] = ["ajuda", "help", "?"];

/// The end of the help.
const HINTS: &str = "\
A quantidade pode levar motivo=compra, venda, perda ou contagem, como em: 3 Caju -20 motivo=perda
Com id=PEDIDO a mudança é feita uma vez só, mesmo repetida: 3 Caju -20 id=balcao-17
Enter numa linha vazia termina a mudança em dúvida mais antiga, se o aviso diz que há uma.
Tab completa comandos e nomes; seta para cima repete; acentos e maiúsculas não importam.
";

/// Where lines come from: a person, or a pipe.
trait Lines {
    /// The next line, asked for with this prompt; `None` at the end.
    fn next(&mut self, asked: Asked) -> io::Result<Input>;
    /// Whether there is somebody who can be asked back.
    fn is_person(&self) -> bool;
}

enum Input {
    Line(String),
    /// Ctrl-C: what was typed is dropped.
    Dropped,
    End,
}

/// What a line came to.
enum Step {
    Request(&'static Form, String),
    Help,
    Nothing,
    Unknown(Refusal),
    Leave,
}

/// A dialogue on a terminal.
fn talk(client: Reconnecting, options: Options) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "Conectando ao servidor em {}...", options.address)?;
    write!(out, "Conexão estabelecida. Você pode enviar comandos ao servidor.\n{}", menu_text())?;
    let folder = options.state.as_ref().map(|state| state.join("em-duvida"));
    let (doubts, others) = InDoubt::open(folder, options.shop);
    for change in doubts.lost() {
        writeln!(out, "Em dúvida desde o shell anterior: {change}. O servidor está sendo perguntado.")?;
    }
    for (shop, change) in others {
        writeln!(
            out,
            "Em dúvida com outro servidor ({shop}): {change}. Se ele for este mesmo por outro nome, não a repita \
             aqui; um shell aberto por aquele nome a termina."
        )?;
    }
    out.flush()?;
    let history = options.state.map(|state| state.join("history"));
    let mut editor = LineEditor::new(client, history, doubts.clone())?;
    doubts.keep_asking(options.asker, editor.printer())?;
    loop {
        let line = match editor.next(Asked::Command)? {
            Input::Line(line) => line,
            Input::Dropped => continue,
            Input::End => break,
        };
        match step(&line) {
            Step::Nothing => {
                if let Some(oldest) = doubts.lost().first() {
                    change(&mut out, &mut editor, &doubts, oldest.rest())?;
                }
            }
            Step::Leave => break,
            Step::Help => out.write_all(help_text().as_bytes())?,
            Step::Unknown(refusal) => tell(&refusal),
            Step::Request(form, rest) => {
                let rest = match complete(&mut editor, form, rest)? {
                    Completed::Command(rest) => rest,
                    Completed::Dropped => continue,
                    Completed::End => break,
                };
                if form.operation == Operation::AdjustStock {
                    change(&mut out, &mut editor, &doubts, &rest)?;
                } else {
                    let answer = ask(&mut *editor.client(), form, &rest);
                    show(&mut out, answer)?;
                }
            }
        }
    }
    editor.save_history();
    for change in doubts.lost() {
        match doubts.is_kept(&change) {
            true => writeln!(out, "Continua em dúvida, e o próximo shell deste servidor termina: {change}")?,
            false => writeln!(
                out,
                "Continua em dúvida, e não ficou guardada; para terminá-la, digite depois: {}",
                change.with_id()
            )?,
        }
    }
    writeln!(out, "Encerrando o cliente...")
}

/// Makes a change, or finishes the one in doubt that the line repeats.
fn change(out: &mut impl Write, editor: &mut LineEditor, doubts: &InDoubt, rest: &str) -> io::Result<()> {
    let asked = match AdjustRequest::parse(rest) {
        Ok(asked) => asked,
        Err(refusal) => {
            tell(&refusal);
            return Ok(());
        }
    };
    let (begun, written) = doubts.begin(&asked);
    if let Err(error) = written {
        let told = describe(&error);
        note(&format!(
            "Aviso: a mudança não pôde ser guardada antes do envio ({told}). Se este shell for morto antes da \
             resposta, o próximo não a termina."
        ));
    }
    let (change, may_be_made) = match begun {
        Begun::New(change) => (change, false),
        Begun::InDoubt(change) => {
            writeln!(out, "Terminando a mudança em dúvida: {change}")?;
            (change, true)
        }
        Begun::Finished(told) => return writeln!(out, "{told}. A linha não foi feita outra vez."),
        Begun::Full => {
            let what = format!(
                "já há {IN_DOUBT_MAX} mudanças em dúvida. Esta não foi enviada; espere até que o servidor responda."
            );
            tell(&Refusal::new(Code::ResourceExhausted, what));
            return Ok(());
        }
    };
    let request = change.request();
    let answer = {
        let mut client = editor.client();
        if may_be_made { client.repeat(&request) } else { client.call(&request) }
    };
    if let Err(Failure::Broken(Broken::InDoubt { .. })) = &answer {
        doubts.lose(&change);
        let again = "o shell continua perguntando ao servidor. Enter numa linha vazia, ou a mesma linha de novo, \
                     termina esta mudança, e não faz outra";
        show(out, answer.map_err(|failure| failure.with_again(|_| again.to_owned())))?;
        return Ok(());
    }
    if let Err(error) = doubts.settle(&change) {
        let told = describe(&error);
        note(&format!(
            "Aviso: a mudança foi respondida, e o arquivo dela não pôde ser removido ({told}). O próximo shell \
             pergunta por ela de novo, com o mesmo identificador."
        ));
    }
    show(out, answer).map(drop)
}

/// Commands from a pipe: no prompt, no menu, replies alone.
fn read_piped(client: &mut Reconnecting) -> io::Result<FirstFailure> {
    let mut lines = Piped(io::stdin().lock());
    let mut out = io::stdout().lock();
    let mut first_failure = None;
    while let Input::Line(line) = lines.next(Asked::Command)? {
        let failure = match step(&line) {
            Step::Nothing => None,
            Step::Leave => break,
            Step::Help => {
                out.write_all(help_text().as_bytes())?;
                None
            }
            Step::Unknown(refusal) => {
                tell(&refusal);
                Some(Failure::Refused(refusal))
            }
            Step::Request(form, rest) => match complete(&mut lines, form, rest)? {
                Completed::Command(rest) => {
                    let answer = match refuse_two_readings(form, &rest) {
                        Some(refusal) => Err(refusal.into()),
                        None => ask(client, form, &rest),
                    };
                    show(&mut out, answer)?
                }
                Completed::Dropped | Completed::End => None,
            },
        };
        let is_broken = matches!(failure, Some(Failure::Broken(_)));
        first_failure = first_failure.or(failure);
        if is_broken {
            // The server stays away; the commands that follow would wait as long in vain.
            break;
        }
    }
    out.flush()?;
    Ok(first_failure)
}

struct Piped<R>(R);

impl<R: BufRead> Lines for Piped<R> {
    fn next(&mut self, _: Asked) -> io::Result<Input> {
        let mut line = Vec::new();
        if self.0.read_until(b'\n', &mut line)? == 0 {
            return Ok(Input::End);
        }
        // Some programs begin a text with a byte order mark.
        let line = line.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(&line);
        // What is not UTF-8 becomes a control character, which every command refuses.
        let line = std::str::from_utf8(line).map_or_else(
            |_| String::from_utf8_lossy(line).replace(char::REPLACEMENT_CHARACTER, "\0"),
            str::to_owned,
        );
        Ok(Input::Line(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn is_person(&self) -> bool {
        false
    }
}

/// What a line asks for.
fn step(line: &str) -> Step {
    let (word, rest) = split_word(line);
    match (Form::by_word(word), word.to_lowercase().as_str()) {
        (_, "") => Step::Nothing,
        (_, word) if HELP_WORDS.contains(&word) => Step::Help,
        (Some(Form { operation: Operation::Leave, .. }), _) if rest.trim().is_empty() => Step::Leave,
        (Some(form), _) => Step::Request(form, rest.trim().to_owned()),
        (None, _) => Step::Unknown(unknown_command(line)),
    }
}

/// What asking for the rest of a command came to.
#[derive(Debug, PartialEq, Eq)]
enum Completed {
    /// What follows the command.
    Command(String),
    /// The person dropped it.
    Dropped,
    /// The person leaves.
    End,
}

/// Asks for what a command still needs. A pipe that ends leaves a command as it is.
fn complete(lines: &mut impl Lines, form: &Form, rest: String) -> io::Result<Completed> {
    let mut rest = rest;
    if rest.is_empty() {
        for argument in form.arguments {
            let question = match argument {
                Argument::Name => Asked::Name,
                Argument::MaxPrice => Asked::Price,
                Argument::Quantity => Asked::Quantity,
            };
            match lines.next(question)? {
                Input::Line(line) if lines.is_person() && line.trim().is_empty() => return Ok(drop_command()),
                Input::Line(line) => rest = format!("{rest} {}", line.trim()).trim_start().to_owned(),
                Input::Dropped => return Ok(Completed::Dropped),
                Input::End if lines.is_person() => return Ok(Completed::End),
                Input::End => break,
            }
        }
    }
    if form.operation == Operation::AdjustStock && lines.is_person() {
        return ask_back(lines, rest);
    }
    Ok(Completed::Command(rest))
}

/// A Brazilian reads `1.000` as one thousand, and this program as one.
fn ask_back(lines: &mut impl Lines, rest: String) -> io::Result<Completed> {
    let Some((before, delta, after)) = split_delta(&rest) else { return Ok(Completed::Command(rest)) };
    let Some((thousands, units)) = Quantity::two_readings(delta) else { return Ok(Completed::Command(rest)) };
    loop {
        let line = match lines.next(Asked::Reading { thousands, units })? {
            Input::Line(line) => line,
            Input::Dropped => return Ok(Completed::Dropped),
            Input::End => return Ok(Completed::End),
        };
        let answer = line.trim();
        // The answer may be written in any way that has one reading.
        let meant = answer.parse().ok().filter(|_| Quantity::two_readings(answer).is_none());
        if let Some(meant) = meant.filter(|meant| [thousands, units].contains(meant)) {
            return Ok(Completed::Command(format!("{before}{meant}{after}")));
        }
        if answer.is_empty() || matches!(step(answer), Step::Leave) {
            return Ok(drop_command());
        }
    }
}

/// Drops a command, because a person answered its question with nothing.
fn drop_command() -> Completed {
    note("Nada foi enviado.");
    Completed::Dropped
}

/// Refuses a quantity with two readings: behind a pipe nobody can be asked which is meant.
fn refuse_two_readings(form: &Form, rest: &str) -> Option<Refusal> {
    let (_, delta, _) = split_delta(rest).filter(|_| form.operation == Operation::AdjustStock)?;
    Quantity::two_readings(delta).map(|(thousands, units)| Refusal::two_readings(delta, thousands, units))
}

/// What stands before the quantity of a change, the quantity, and the attributes after it.
fn split_delta(rest: &str) -> Option<(&str, &str, &str)> {
    let is_attribute = |word: &str| word.starts_with("id=") || word.starts_with("motivo=");
    let delta = rest.split([' ', '\t']).rfind(|word| !word.is_empty() && !is_attribute(word))?;
    let start = delta.as_ptr().addr() - rest.as_ptr().addr();
    let (before, from_delta) = rest.split_at(start);
    let (delta, after) = from_delta.split_at(delta.len());
    Some((before, delta, after))
}

/// Sends a command. If its answer is lost, the line that finishes it can be repeated.
fn ask(client: &mut impl Client, form: &Form, rest: &str) -> Result<Reply, Failure> {
    let mut request = form.parse(rest)?;
    client.call(&request).map_err(|failure| {
        failure.with_again(|request_id| {
            if let Request::Adjust(adjust) = &mut request {
                adjust.request_id = Some(request_id.clone());
            }
            format!("para terminá-la sem fazê-la duas vezes, repita a linha assim: {request}")
        })
    })
}

/// Shows an answer; a failure is told on standard error and handed on.
fn show(out: &mut impl Write, answer: Result<Reply, Failure>) -> io::Result<Option<Failure>> {
    match answer {
        Ok(reply) => {
            render(out, &reply, Format::Text)?;
            out.flush()?;
            Ok(None)
        }
        Err(failure) => {
            tell(&failure);
            Ok(Some(failure))
        }
    }
}

/// Tells an error in one line, red on a terminal that takes colours.
pub fn tell(error: &dyn Display) {
    let mut stderr = io::stderr();
    // Standard error may be closed; then there is nobody to tell.
    let _ = if stderr.is_terminal() && takes_colours() {
        writeln!(stderr, "\x1b[31mErro: {error}\x1b[0m")
    } else {
        writeln!(stderr, "Erro: {error}")
    };
}

/// Writes a note beside the answers.
fn note(text: &str) {
    // Standard error may be closed here, too.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reports to a person who waits how it goes.
pub fn tell_news(news: &News<'_>) {
    let mut stderr = io::stderr();
    let _ = match news {
        News::Silent(address) if stderr.is_terminal() => writeln!(
            stderr,
            "O servidor em {address} aceita conexões e não responde. A espera continua; Ctrl-C a encerra."
        ),
        // A script hears of the silence at the end, if the wait ends by it.
        News::Silent(_) => Ok(()),
        News::Searching(Broken::Lost(why)) => writeln!(
            stderr,
            "A conexão com o servidor caiu antes da resposta: {why}. Procurando o servidor de novo..."
        ),
        News::Searching(broken) => writeln!(stderr, "{broken}. Procurando o servidor de novo..."),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantity_of_a_change_stands_before_its_attributes() {
        assert_eq!(
            split_delta("Caju 5.000 5.000 id=lote-5.000 motivo=perda"),
            Some(("Caju 5.000 ", "5.000", " id=lote-5.000 motivo=perda"))
        );
        assert_eq!(split_delta("id=a"), None);
    }

    #[test]
    fn what_a_line_asks_for() {
        assert!(matches!(step("  "), Step::Nothing));
        assert!(matches!(step("AJUDA"), Step::Help));
        assert!(matches!(step("sair"), Step::Leave));
        assert!(matches!(step("5"), Step::Leave));
        assert!(matches!(step("Até 8"), Step::Request(Form { word: "2", .. }, rest) if rest == "8"));
        assert!(
            matches!(step("3 Caju -20"), Step::Request(Form { word: "3", .. }, rest) if rest == "Caju -20")
        );
        assert!(matches!(step("vender tudo"), Step::Unknown(_)));
    }

    #[test]
    fn a_number_alone_reads_what_it_needs_from_the_next_lines() {
        let mut lines = Piped("Caju\n-20\n".as_bytes());
        assert_eq!(
            complete(&mut lines, Form::by_word("3").unwrap(), String::new()).unwrap(),
            Completed::Command("Caju -20".into())
        );
        assert_eq!(
            complete(&mut lines, Form::by_word("1").unwrap(), String::new()).unwrap(),
            Completed::Command(String::new())
        );
        assert_eq!(
            complete(&mut lines, Form::by_word("4").unwrap(), String::new()).unwrap(),
            Completed::Command(String::new())
        );
    }

    #[test]
    fn the_help_has_every_word() {
        let help = help_text();
        assert!(
            help.contains("\n  3 NOME QUANTIDADE       atualizar NOME QUANTIDADE  soma ao estoque"),
            "{help}"
        );
        for form in sorted_forms() {
            assert!(form.offered_words().all(|word| help.contains(&format!("  {word}"))), "{}", form.word);
        }
    }

    #[test]
    fn the_menu_is_the_originals() {
        assert!(menu_text().starts_with("Comandos disponíveis:\n1 - Consultar produto (NOME)\n2 - "));
    }
}
