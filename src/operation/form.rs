//! The forms of operations as text: lines of the text protocol, which the shell reads too.

/// A kind of line that asks for an operation: its words, its usage and its help.
pub struct Form {
    /// The first word of the line in the text protocol.
    pub word: &'static str,
    /// Other words for the same form, in the shell only. Completion offers the first of them.
    pub shell_words: &'static [&'static str],
    /// The arguments that follow the word.
    pub arguments: &'static [Argument],
    /// The attributes that may follow the arguments, as a usage line shows them.
    pub attributes: &'static str,
    /// The line of the original's menu. `None` if the original did not have this form.
    pub menu: Option<&'static str>,
    /// The effect of the form, for the shell's help.
    pub help: &'static str,
    /// A line of this form, for the shell's help.
    pub example: &'static str,
}

/// An argument of a form: the shell asks for it if it is missing, and completion offers values for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// The name of a product.
    Name,
    /// The name of a product, or nothing.
    OptionalName,
    /// The highest price of a list.
    MaxPrice,
    /// A quantity with its sign.
    Quantity,
    /// A quantity that was counted.
    Counted,
    /// The number of a movement.
    Movement,
    /// Quantities with the names of products, or nothing.
    Phrases,
    /// A quantity with the name of a product.
    Phrase,
    /// The price of one unit.
    Price,
    /// The price of one unit, or nothing.
    OptionalPrice,
    /// The name of a product to create.
    NewName,
    /// The new name of a product, behind the word `para`.
    ToNewName,
    /// The name of another product, behind the word `para`.
    ToName,
    /// Any words.
    Text,
    /// A day, or nothing.
    OptionalDay,
    /// A number of days, or nothing.
    OptionalDays,
    /// Words of a supplier or a lot.
    Origin,
    /// A command, or nothing.
    OptionalCommand,
}

impl Argument {
    /// The argument's word in a usage line.
    pub fn placeholder(self) -> &'static str {
        match self {
            Argument::Name => "NOME",
            Argument::OptionalName => "[NOME]",
            Argument::MaxPrice => "PRECO_MAXIMO",
            Argument::Quantity | Argument::Counted => "QUANTIDADE",
            Argument::Movement => "NUMERO",
            Argument::Phrases => "[QTD NOME; …]",
            Argument::Phrase => "QTD NOME",
            Argument::Price => "VALOR",
            Argument::OptionalPrice => "[VALOR]",
            Argument::NewName => "NOME",
            Argument::ToNewName => "para NOME_NOVO",
            Argument::ToName => "para NOME",
            Argument::Text => "PALAVRAS",
            Argument::OptionalDay => "[DIA]",
            Argument::OptionalDays => "[DIAS]",
            Argument::Origin => "FORNECEDOR|LOTE",
            Argument::OptionalCommand => "[COMANDO]",
        }
    }

    /// Whether the argument may be left out, so that the shell does not ask for it.
    pub fn is_optional(self) -> bool {
        matches!(
            self,
            Argument::OptionalName
                | Argument::Phrases
                | Argument::OptionalDay
                | Argument::OptionalDays
                | Argument::OptionalPrice
                | Argument::OptionalCommand
        )
    }

    /// The shell's question for the argument.
    pub fn question(self) -> &'static str {
        match self {
            Argument::Name | Argument::OptionalName => "Digite o nome do produto",
            Argument::MaxPrice => "Digite o preço máximo",
            Argument::Quantity => "Digite a quantidade (negativa para retirar)",
            Argument::Counted => "Digite a quantidade contada",
            Argument::Movement => "Digite o número do movimento a desfazer",
            Argument::Phrases | Argument::Phrase => "Digite a quantidade e o nome",
            Argument::Price | Argument::OptionalPrice => "Digite o preço",
            Argument::NewName | Argument::ToNewName | Argument::ToName => "Digite o nome",
            Argument::Text => "Digite palavras",
            Argument::OptionalDay => "Digite um dia",
            Argument::OptionalDays => "Digite quantos dias",
            Argument::Origin => "Digite o fornecedor ou o lote",
            Argument::OptionalCommand => "Digite um comando",
        }
    }
}

impl Form {
    /// Every word for the form in the shell.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        [self.word].into_iter().chain(self.shell_words.iter().copied())
    }

    /// The words that completion offers.
    pub fn offered_words(&self) -> impl Iterator<Item = &'static str> {
        self.words().take(2)
    }

    /// The line of the text protocol with this text after the word.
    pub fn line(&self, rest: &str) -> String {
        format!("{} {rest}", self.word)
    }

    /// The form with this word in place of its own: `atualizar NOME QUANTIDADE`.
    pub fn usage_with(&self, word: &str) -> String {
        self.arguments.iter().fold(word.to_owned(), |usage, argument| usage + " " + argument.placeholder())
    }

    /// The form without attributes: `3 NOME QUANTIDADE`.
    pub fn short_usage(&self) -> String {
        self.usage_with(self.word)
    }

    /// Whether a word is one of the form's attributes, as `id=balcao-17` is one of `[id=PEDIDO]`.
    pub fn is_attribute(&self, word: &str) -> bool {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| self.attribute_names().any(|own| own == name))
    }

    /// The names of the form's attributes.
    pub fn attribute_names(&self) -> impl Iterator<Item = &'static str> {
        self.attributes
            .split(' ')
            .filter_map(|part| part.trim_start_matches('[').split_once('='))
            .map(|(name, _)| name)
    }

    /// The whole form: `3 NOME QUANTIDADE [id=PEDIDO] [motivo=MOTIVO]`.
    pub fn usage(&self) -> String {
        format!("{} {}", self.short_usage(), self.attributes).trim_end().to_owned()
    }
}
