//! The menu and the help texts, from the table of operations and the shell's own words.

use super::words::{Word, forms, guess};
use crate::catalog::Quoted;
use crate::operation::{Form, attribute, menu};
use crate::refusal::{Code, Refusal};

/// The end of the help.
const HINTS: &str = "\
`ajuda COMANDO` mostra um comando com os seus atributos e um exemplo, como em: ajuda contar
A quantidade pode levar motivo=compra, venda, perda ou contagem, como em: 3 Caju -20 motivo=perda
Com id=PEDIDO a mudança é feita uma vez só, mesmo repetida: 3 Caju -20 id=balcao-17
Enter numa linha vazia mostra onde o shell está, e conclui a mudança em dúvida mais antiga, se há uma.
Tab completa comandos, nomes por qualquer palavra deles e atributos; seta para cima repete.
";

/// The menu, with the original's text.
pub(super) fn menu_text() -> String {
    let lines = menu().into_iter().map(|form| format!("{} - {}\n", form.word, form.menu.unwrap_or_default()));
    lines.fold("Comandos disponíveis:\n".to_owned(), |menu, line| menu + &line)
}

/// The help: of all commands, or of the one with this word.
///
/// # Errors
/// If there is no such command.
pub(super) fn help_text(word: &str) -> Result<String, Refusal> {
    match word {
        "" => Ok(all()),
        word => Word::of(word).map(|word| one(word.form())).ok_or_else(|| unknown(word)),
    }
}

/// The help of all commands.
fn all() -> String {
    let mut help = String::from(
        "Digite um número ou uma palavra; também se pode escrever o comando inteiro numa linha:\n",
    );
    for form in forms() {
        let usage = match form.menu.and(form.shell_words.first()) {
            Some(word) => format!("{:<22}  {}", form.short_usage(), form.usage_with(word)),
            None => form.short_usage(),
        };
        help.push_str(&format!("  {usage:<49}  {}\n", form.help));
    }
    help + HINTS
}

/// The help of one command: usage, effect, other words, attributes, example.
fn one(form: &Form) -> String {
    let mut help = format!("{}\n  {}\n", form.usage(), form.help);
    if !form.shell_words.is_empty() {
        help.push_str(&format!("  Também: {}\n", form.shell_words.join(", ")));
    }
    for name in form.attribute_names() {
        let attribute = attribute(name).expect("a test looks for each");
        let values = (attribute.values)().join(", ");
        let values = if values.is_empty() { values } else { format!(": {values}") };
        help.push_str(&format!("  {:<12} {}{values}\n", format!("{name}="), attribute.meaning));
    }
    help + &format!("  Exemplo: {}\n", form.example)
}

/// The refusal of a word that is no command, with a guess of what was meant.
pub(super) fn unknown(word: &str) -> Refusal {
    let guess = guess(word).map_or(String::new(), |guess| format!(" Você quis dizer `{guess}`?"));
    let what = format!("{} não é um comando.{guess} Nada foi feito; `ajuda` mostra todos.", Quoted(word));
    Refusal::new(Code::UnknownCommand, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_every_word() {
        let help = help_text("").unwrap();
        assert!(
            help.contains("\n  3 NOME QUANTIDADE       atualizar NOME QUANTIDADE  soma ao estoque"),
            "{help}"
        );
        for form in forms() {
            assert!(help.contains(&format!("  {}", form.short_usage())), "{}", form.word);
            assert!(form.attribute_names().all(|name| attribute(name).is_some()), "{}", form.attributes);
            assert_eq!(Word::of(form.example.split(' ').next().unwrap()).unwrap().form().word, form.word);
            for word in form.words() {
                assert_eq!(Word::of(word).unwrap().form().word, form.word, "{word}");
            }
        }
    }

    #[test]
    fn the_help_of_one_command_has_its_attributes_and_an_example() {
        assert_eq!(
            help_text("ATUALIZAR").unwrap(),
            "3 NOME QUANTIDADE [id=PEDIDO] [motivo=MOTIVO] [total=VALOR] [causa=CAUSA]\n  soma ao estoque; negativo retira\n  Também: atualizar\n\
             \x20 id=          identificador do pedido; repetido, não é feito outra vez\n\
             \x20 motivo=      por que o estoque muda: ajuste, compra, venda, perda, contagem\n\
             \x20 total=       quanto se pagou ou recebeu ao todo, em reais\n\
             \x20 causa=       por que se perdeu, em uma perda: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao, devolucao\n\
             \x20 Exemplo: 3 Caju -20 motivo=venda\n"
        );
        assert!(help_text("xyz").is_err());
    }

    #[test]
    fn a_slip_gets_a_guess() {
        for (typed, guess) in [
            ("lsitar", Some("listar")),
            ("conta", Some("contar")),
            ("hitorico", Some("historico")),
            ("desfaser", Some("desfazer")),
            ("exti", Some("exit")),
            ("xyz", None),
            ("9", None),
        ] {
            let told = unknown(typed).message;
            assert_eq!(told.contains("Você quis dizer"), guess.is_some(), "{told}");
            assert!(guess.is_none_or(|guess| told.contains(&format!("`{guess}`"))), "{told}");
        }
    }

    #[test]
    fn the_menu_is_the_originals() {
        assert!(menu_text().starts_with("Comandos disponíveis:\n1 - Consultar produto (NOME)\n2 - "));
    }
}
