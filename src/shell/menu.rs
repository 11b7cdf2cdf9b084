//! The menu and the help text, from the table of operations.

use crate::operation::{menu, sorted_forms};

/// The words that show the help.
pub(super) const HELP_WORDS: [&str; 3] = ["ajuda", "help", "?"];

/// The end of the help.
const HINTS: &str = "\
A quantidade pode levar motivo=compra, venda, perda ou contagem, como em: 3 Caju -20 motivo=perda
Com id=PEDIDO a mudança é feita uma vez só, mesmo repetida: 3 Caju -20 id=balcao-17
Enter numa linha vazia termina a mudança em dúvida mais antiga, se o aviso diz que há uma.
Tab completa comandos e nomes; seta para cima repete; acentos e maiúsculas não importam.
";

/// The menu, in the original's words.
pub(super) fn menu_text() -> String {
    let lines = menu().into_iter().map(|form| format!("{} - {}\n", form.word, form.menu.unwrap_or_default()));
    lines.fold("Comandos disponíveis:\n".to_owned(), |menu, line| menu + &line)
}

/// The help, with every form of the table.
pub(super) fn help_text() -> String {
    let mut help =
        String::from("Digite um número ou uma palavra; o comando inteiro numa linha também serve:\n");
    for form in sorted_forms() {
        let usage = match form.shell_words.first() {
            Some(word) => format!("{:<22}  {}", form.short_usage(), form.usage_with(word)),
            None => form.usage(),
        };
        help.push_str(&format!("  {usage:<49}  {}\n", form.help));
    }
    help.push_str(&format!("  {:<49}  este texto\n", HELP_WORDS[0]));
    help + HINTS
}

#[cfg(test)]
mod tests {
    use super::*;

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
