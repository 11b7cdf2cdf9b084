//! `token`: makes the tokens by which a server identifies its clients.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};

use super::Error;
use super::output::{note, written};
use crate::access::token_file;
use crate::access::{Hash, Role, Secret, Token as Entry};
use crate::catalog::{Author, AuthorError};
use crate::io_error::describe;
use crate::platform::advice::RELOAD;

/// Cria, mostra e revoga tokens, que identificam os clientes de um servidor
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Cria um token e mostra o segredo dele, só desta vez
    New(TokenNew),
    /// Mostra o nome e o papel de cada token
    List(TokenList),
    /// Revoga um token: quem o tem não é mais atendido
    Revoke(TokenRevoke),
}

#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti token new caixa --role escrita --token-file tokens.txt")]
struct TokenNew {
    /// De quem é o token: o nome que fica nos movimentos, e pelo qual é revogado
    #[arg(value_name = "NOME")]
    name: String,
    /// O que permite: leitura (o padrão), contagem (só contar, sem ver o estoque), venda (vender e consultar) ou escrita (tudo)
    #[arg(long, value_name = "PAPEL", value_enum, default_value_t = Role::Read, hide_default_value = true, hide_possible_values = true, ignore_case = true)]
    role: Role,
    /// Arquivo de tokens do servidor, que recebe a linha; sem ele, a linha é só mostrada
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    token_file: Option<PathBuf>,
}

/// Mostra o nome e o papel de cada token
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti token list --token-file tokens.txt")]
struct TokenList {
    /// Arquivo de tokens do servidor
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    token_file: PathBuf,
}

/// Revoga um token: quem o tem não é mais atendido
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti token revoke caixa --token-file tokens.txt")]
struct TokenRevoke {
    /// O nome do token
    #[arg(value_name = "NOME")]
    name: String,
    /// Arquivo de tokens do servidor
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    token_file: PathBuf,
}

impl Token {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.command {
            TokenCommand::New(new) => new.run(),
            TokenCommand::List(list) => list.run(),
            TokenCommand::Revoke(revoke) => revoke.run(),
        }
    }
}

impl TokenNew {
    /// Makes a token. Only the secret goes to standard output, so that it can be redirected to a file.
    fn run(self) -> Result<(), Error> {
        let name = token_name(&self.name, "Nada foi criado")?;
        let secret = Secret::generate().context("o sistema não gerou números aleatórios. Nada foi criado")?;
        let token = Entry { name, role: self.role, hash: Hash::of(secret.reveal()) };
        if let Some(file) = &self.token_file {
            token_file::append(file, &token).map_err(|error| anyhow::anyhow!("{error}. Nada foi criado"))?;
        }
        let mut out = io::stdout();
        // A closed output is a failure here, because the secret is shown only once.
        writeln!(out, "{}", secret.reveal()).and_then(|()| out.flush()).map_err(|error| {
            let next = self.token_file.as_ref().map_or("crie outro token".to_owned(), |file| {
                format!("revogue {} em {} e crie outro token", token.name, file.display())
            });
            anyhow::anyhow!("o segredo não pôde ser escrito: {}. Ninguém o tem; {next}", describe(&error))
        })?;
        match &self.token_file {
            Some(file) => note(&format!(
                "Token {} ({}) acrescentado a {}. O segredo só aparece agora; {RELOAD}.",
                token.name,
                token.role.word(),
                file.display()
            )),
            None => note(&format!("Linha para o arquivo de --token-file do servidor:\n{token}")),
        }
        Ok(())
    }
}

impl TokenList {
    /// Shows a token a line: its name and its role, as the file has them.
    fn run(self) -> Result<(), Error> {
        let tokens = token_file::read(&self.token_file).map_err(|error| anyhow::anyhow!("{error}"))?;
        let lines: String =
            tokens.iter().map(|token| format!("{} {}\n", token.name, token.role.word())).collect();
        written(io::stdout().write_all(lines.as_bytes()))?;
        if tokens.is_empty() {
            note(&format!(
                "{} não tem nenhum token; crie um com `hortifruti token new`.",
                self.token_file.display()
            ));
        }
        Ok(())
    }
}

impl TokenRevoke {
    fn run(self) -> Result<(), Error> {
        const NOTHING: &str = "Nada foi revogado";
        let (name, file) = (token_name(&self.name, NOTHING)?, &self.token_file);
        let left = token_file::revoke(file, &name).map_err(|error| anyhow::anyhow!("{error}. {NOTHING}"))?;
        let left = match left {
            0 => "Não resta nenhum: o servidor não atenderá ninguém".to_owned(),
            1 => "Resta 1".to_owned(),
            left => format!("Restam {left}"),
        };
        note(&format!("Token {name} revogado em {}. {left}; {RELOAD}.", file.display()));
        Ok(())
    }
}

fn token_name(text: &str, nothing: &str) -> Result<Author, Error> {
    text.parse().map_err(|error: AuthorError| Error::Usage(format!("{error}. {nothing}")))
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
