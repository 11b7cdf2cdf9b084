//! `token`: the tokens by which a server knows who asks.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};

use super::Error;
use super::output::note;
use crate::access::token_file;
use crate::access::{self, Hash, Role, Secret, Token as Entry, TokenName};
use crate::io_error::describe;

/// Cria tokens, que identificam os clientes de um servidor
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Cria um token e mostra o segredo dele, só desta vez
    New(TokenNew),
}

#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti token new caixa --role escrita --token-file tokens.txt")]
struct TokenNew {
    /// De quem é o token; para revogá-lo, apague a linha com este nome
    #[arg(value_name = "NOME")]
    name: String,
    /// Permissão: leitura (o padrão) ou escrita
    #[arg(long, value_name = "PAPEL", value_enum, default_value_t = Role::Read, hide_default_value = true, hide_possible_values = true, ignore_case = true)]
    role: Role,
    /// Arquivo de tokens do servidor, que recebe a linha; sem ele, a linha é só mostrada
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    token_file: Option<PathBuf>,
}

impl Token {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.command {
            TokenCommand::New(new) => new.run(),
        }
    }
}

impl TokenNew {
    /// Makes a token. Only the secret goes to standard output, for a file or a person.
    fn run(self) -> Result<(), Error> {
        let name: TokenName = self
            .name
            .parse()
            .map_err(|error: access::NameError| Error::Usage(format!("{error}. Nada foi criado")))?;
        let secret = Secret::generate().context("o sistema não deu números ao acaso. Nada foi criado")?;
        let token = Entry { name, role: self.role, hash: Hash::of(secret.reveal()) };
        if let Some(file) = &self.token_file {
            token_file::append(file, &token).map_err(|error| anyhow::anyhow!("{error}. Nada foi criado"))?;
        }
        let mut out = io::stdout();
        // A closed output is a failure here: the secret is shown this once.
        writeln!(out, "{}", secret.reveal()).and_then(|()| out.flush()).map_err(|error| {
            let next = self.token_file.as_ref().map_or("crie outro token".to_owned(), |file| {
                format!("apague a linha de {} em {} e crie outro token", token.name, file.display())
            });
            anyhow::anyhow!("o segredo não pôde ser escrito: {}. Ninguém o tem; {next}", describe(&error))
        })?;
        match &self.token_file {
            Some(file) => note(&format!(
                "Token {} ({}) acrescentado a {}. O segredo só aparece agora; um servidor que já roda relê o arquivo com SIGHUP.",
                token.name,
                token.role.word(),
                file.display()
            )),
            None => note(&format!("Linha para o arquivo de --token-file do servidor:\n{token}")),
        }
        Ok(())
    }
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        &[Role::Read, Role::Write]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
