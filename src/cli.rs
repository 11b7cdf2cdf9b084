//! The command line: clap types and nothing else. `build.rs` reads this file too, for the
//! completions and the man pages, so it imports only clap and std.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// The layout of `--help`, in Portuguese.
const HELP_TEMPLATE: &str = "{about-with-newline}\nUso: {usage}\n\n{all-args}{after-help}";

/// The database, where nothing else is said.
const DATA_DEFAULT: &str = "hortifruti.db";

/// O estoque de um hortifruti, por texto em TCP e por gRPC.
#[derive(Debug, Parser)]
#[command(
    name = "hortifruti",
    version,
    help_template = HELP_TEMPLATE,
    subcommand_help_heading = "Comandos",
    subcommand_value_name = "COMANDO",
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    after_help = "Comece com `hortifruti serve` e, em outro terminal, `hortifruti shell`."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Mostra esta ajuda
    #[arg(short = 'h', long, global = true, action = clap::ArgAction::Help, help_heading = "Opções", display_order = 900)]
    help: Option<bool>,
    /// Mostra a versão
    #[arg(short = 'V', long, action = clap::ArgAction::Version, help_heading = "Opções", display_order = 901)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Guarda o estoque e atende clientes, por texto e por gRPC na mesma porta
    Serve(Serve),
    /// Abre um terminal interativo para os cinco comandos
    Shell(Shell),
    /// Consulta um produto, os produtos até um preço, ou todos
    Query(Query),
    /// Muda o estoque de um produto
    Update(Update),
    /// Cria produtos e muda preços a partir de um CSV
    Import(Import),
    /// Escreve o catálogo em CSV
    Export(Export),
    /// Cria tokens, com que o servidor sabe quem pergunta
    Token(Token),
    /// Copia o banco de dados, também enquanto um servidor o usa
    Backup(Backup),
    /// Põe uma cópia no lugar do banco de dados, e guarda o que havia
    Restore(Restore),
    /// Confere um banco de dados ou uma cópia
    Verify(Verify),
    /// Mede e compara o socket e o gRPC
    Bench(Bench),
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti serve [OPÇÕES]")]
pub struct Serve {
    /// Atende o protocolo de texto; sem --socket nem --grpc, atende os dois
    #[arg(long)]
    pub socket: bool,
    /// Atende gRPC; sem --socket nem --grpc, atende os dois
    #[arg(long)]
    pub grpc: bool,
    /// Porta; 0 escolhe uma livre. O padrão é 8082, ou uma livre com --grpc sozinho
    #[arg(long, value_name = "PORTA")]
    pub port: Option<u16>,
    /// Endereço em que escuta
    #[arg(long, value_name = "ENDERECO", default_value = "127.0.0.1", hide_default_value = true)]
    pub host: IpAddr,
    /// Aceita um endereço aberto à rede sem TLS ou sem tokens
    #[arg(long)]
    pub insecure: bool,
    /// Certificado do servidor, em PEM; com ele, atende só por TLS. Relido com SIGHUP
    #[arg(long, value_name = "ARQUIVO", requires = "tls_key", value_hint = clap::ValueHint::FilePath)]
    pub tls_cert: Option<PathBuf>,
    /// Chave privada do certificado, em PEM e sem senha
    #[arg(long, value_name = "ARQUIVO", requires = "tls_cert", value_hint = clap::ValueHint::FilePath)]
    pub tls_key: Option<PathBuf>,
    /// Só atende clientes com um certificado desta autoridade
    #[arg(long, value_name = "ARQUIVO", requires = "tls_cert", value_hint = clap::ValueHint::FilePath)]
    pub tls_client_ca: Option<PathBuf>,
    /// Só atende quem mostra um token deste arquivo (veja `hortifruti token`). Relido com SIGHUP
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Banco de dados; `:memory:` não guarda nada. O padrão é hortifruti.db
    #[arg(
        long,
        value_name = "ARQUIVO",
        default_value = DATA_DEFAULT,
        hide_default_value = true,
        value_hint = clap::ValueHint::FilePath
    )]
    pub data: PathBuf,
    /// Começa um banco de dados novo sem os quatro produtos de exemplo
    #[arg(long)]
    pub empty: bool,
    #[command(flatten)]
    pub port_file: PortFile,
    /// Para depois de N conexões
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub exit_after: Option<u64>,
    /// Ao parar, espera no máximo estes segundos pelos clientes. O padrão é 10
    #[arg(long, value_name = "SEGUNDOS", default_value_t = 10, hide_default_value = true, value_parser = clap::value_parser!(u64).range(..=3600))]
    pub drain_seconds: u64,
    /// Conexões ao mesmo tempo. O padrão é 16384
    #[arg(long, value_name = "N", default_value_t = 16_384, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// Conexões ao mesmo tempo de um só endereço. O padrão é 1024, e sem limite próprio nesta máquina
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections_per_address: Option<u32>,
    /// Encerra uma conexão calada há estes segundos; 0, nunca. O padrão é 43200, doze horas
    #[arg(long, value_name = "SEGUNDOS", default_value_t = 43_200, hide_default_value = true, value_parser = clap::value_parser!(u64).range(..=31_536_000))]
    pub idle_seconds: u64,
    /// Não mostra conexões e comandos
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti shell [OPÇÕES]")]
pub struct Shell {
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti query [OPÇÕES] [NOME]...")]
pub struct Query {
    /// Nome do produto, sem diferença de acentos ou maiúsculas; sem nome, todos
    #[arg(value_name = "NOME", conflicts_with = "max_price", help_heading = "Argumentos")]
    pub name: Vec<String>,
    /// Só os produtos até este preço, como 8 ou 3,50
    #[arg(long, value_name = "PRECO", allow_hyphen_values = true)]
    pub max_price: Option<String>,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti update [OPÇÕES] <NOME> <QUANTIDADE>")]
pub struct Update {
    /// Nome do produto, sem diferença de acentos ou maiúsculas
    #[arg(value_name = "NOME", help_heading = "Argumentos", display_order = 1)]
    pub name: String,
    /// Quanto muda, como -20, +5 ou 0,350
    #[arg(
        value_name = "QUANTIDADE",
        allow_hyphen_values = true,
        help_heading = "Argumentos",
        display_order = 2
    )]
    pub delta: String,
    /// Por que muda: ajuste (o padrão), compra, venda, perda ou contagem
    #[arg(long, value_name = "MOTIVO", value_enum, default_value_t = Reason::Ajuste, hide_default_value = true, hide_possible_values = true, ignore_case = true)]
    pub reason: Reason,
    /// Identificador do pedido: repetido, não muda o estoque outra vez
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti import [OPÇÕES] <ARQUIVO>")]
pub struct Import {
    /// CSV com as colunas nome, preco, estoque e unidade; `-` lê a entrada padrão
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath, help_heading = "Argumentos")]
    pub file: PathBuf,
    /// Mostra cada mudança e não muda nada
    #[arg(long)]
    pub dry_run: bool,
    /// Importa também linhas que parecem erradas, sem perguntar
    #[arg(long)]
    pub yes: bool,
    /// Identificador do pedido: repetido, não importa a lista outra vez
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti export [OPÇÕES] [ARQUIVO]")]
pub struct Export {
    /// Onde fica a lista; sem ele, ou com `-`, vai para a saída padrão
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath, help_heading = "Argumentos")]
    pub file: Option<PathBuf>,
    /// Troca uma lista que `export` escreveu antes
    #[arg(long, requires = "file")]
    pub force: bool,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    subcommand_help_heading = "Comandos",
    subcommand_value_name = "COMANDO",
    disable_help_subcommand = true,
    arg_required_else_help = false,
    override_usage = "hortifruti token <COMANDO>"
)]
pub struct Token {
    #[command(subcommand)]
    pub command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Cria um token: escreve o segredo na saída, esta vez e nunca mais
    New(TokenNew),
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti token new [OPÇÕES] <NOME>")]
pub struct TokenNew {
    /// De quem é; com ele se acha a linha para revogar o token
    #[arg(value_name = "NOME", help_heading = "Argumentos")]
    pub name: String,
    /// O que permite: leitura (o padrão) ou escrita
    #[arg(long, value_name = "PAPEL", value_enum, default_value_t = Role::Leitura, hide_default_value = true, hide_possible_values = true, ignore_case = true)]
    pub role: Role,
    /// Arquivo de tokens do servidor, que ganha a linha; sem ele, a linha só é mostrada
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
}

/// What a token permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    Leitura,
    Escrita,
}

#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    next_help_heading = "Opções",
    override_usage = "hortifruti backup [OPÇÕES] <ARQUIVO>",
    after_help = "Para restaurar uma cópia, com o servidor parado: hortifruti restore ARQUIVO."
)]
pub struct Backup {
    /// Onde fica a cópia
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath, help_heading = "Argumentos")]
    pub file: PathBuf,
    /// Banco de dados a copiar. O padrão é hortifruti.db
    #[arg(long, value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    pub data: PathBuf,
    /// Troca um arquivo que já existe, quando a cópia estiver pronta
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    next_help_heading = "Opções",
    override_usage = "hortifruti restore [OPÇÕES] <ARQUIVO>",
    after_help = "Pare antes o servidor. O banco anterior fica ao lado, com a data e a hora no nome, como hortifruti.db.2026-11-29T183015.\nExemplo: hortifruti restore copia.db"
)]
pub struct Restore {
    /// A cópia, como `hortifruti backup` a fez
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath, help_heading = "Argumentos")]
    pub file: PathBuf,
    /// Banco de dados cujo lugar ela toma. O padrão é hortifruti.db
    #[arg(long, value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    pub data: PathBuf,
}

#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti verify [ARQUIVO]")]
pub struct Verify {
    /// Banco de dados ou cópia; não é alterado. O padrão é hortifruti.db
    #[arg(value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath, help_heading = "Argumentos")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    next_help_heading = "Opções",
    override_usage = "hortifruti bench [OPÇÕES]",
    after_help = "Sem --server, mede um servidor seu, sem TLS nem token, com um banco de dados temporário e uma lista de preços real."
)]
pub struct Bench {
    /// Servidor a medir; os estoques dele mudam
    #[arg(long, value_name = "HOST:PORTA")]
    pub server: Option<String>,
    #[command(flatten)]
    pub credentials: Credentials,
    /// Conexões de cada modo. O padrão é 16
    #[arg(long, value_name = "N", default_value_t = 16, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Operações em voo em cada conexão. O padrão é 16
    #[arg(long, value_name = "N", default_value_t = 16, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub pipeline: u32,
    /// Quanto dura a medida de cada modo. O padrão é 10
    #[arg(long, value_name = "SEGUNDOS", default_value_t = 10, hide_default_value = true, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub duration: u64,
    /// Operações por segundo (laço aberto); sem ela, o máximo (laço fechado)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub rate: Option<u32>,
    /// Leituras e gravações, em cada cem. O padrão é read=80,write=20
    #[arg(long, value_name = "MISTURA", default_value = "read=80,write=20", hide_default_value = true)]
    pub mix: String,
    /// Escreve os números em JSON
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    pub json: Option<PathBuf>,
    /// Escreve uma página com os gráficos
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    pub html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PortFile {
    /// Arquivo que diz a porta do servidor. O padrão é server_port.txt
    #[arg(
        long,
        value_name = "ARQUIVO",
        env = "HORTIFRUTI_PORT_FILE",
        hide_env = true,
        default_value = "server_port.txt",
        hide_default_value = true,
        value_hint = clap::ValueHint::FilePath
    )]
    pub port_file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Connection {
    /// Servidor; sem ele, o do arquivo de porta
    #[arg(long, value_name = "HOST:PORTA", env = "HORTIFRUTI_SERVER", hide_env = true)]
    pub server: Option<String>,
    #[command(flatten)]
    pub port_file: PortFile,
    /// Fala o protocolo de texto; sem --socket nem --grpc, descobre sozinho
    #[arg(long, conflicts_with = "grpc")]
    pub socket: bool,
    /// Fala gRPC; sem --socket nem --grpc, descobre sozinho
    #[arg(long)]
    pub grpc: bool,
    #[command(flatten)]
    pub credentials: Credentials,
}

// How a client and a server know each other. No doc comment: clap would take it for a help text.
#[derive(Debug, Args)]
pub struct Credentials {
    /// Fala por TLS; --tls-ca e --tls-cert também o pedem
    #[arg(long, env = "HORTIFRUTI_TLS", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub tls: bool,
    /// Autoridade do certificado do servidor, em PEM; sem ela, as deste sistema
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_CA", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub tls_ca: Option<PathBuf>,
    /// Certificado deste cliente, em PEM, onde o servidor pede um
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_CERT", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub tls_cert: Option<PathBuf>,
    /// Chave privada do certificado deste cliente
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_KEY", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub tls_key: Option<PathBuf>,
    /// Arquivo com o token a mostrar ao servidor
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TOKEN_FILE", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Mostra o token também sem TLS a outra máquina
    #[arg(long)]
    pub insecure: bool,
}

#[derive(Debug, Args)]
pub struct Output {
    /// Como mostra: text, table, json ou csv
    #[arg(long, value_name = "FORMATO", value_enum, default_value_t = Format::Text, hide_default_value = true, hide_possible_values = true)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Table,
    Json,
    Csv,
}

/// Why a stock changes, in the words of the text protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Ajuste,
    Compra,
    Venda,
    Perda,
    Contagem,
}

impl Reason {
    pub fn word(self) -> &'static str {
        match self {
            Reason::Ajuste => "ajuste",
            Reason::Compra => "compra",
            Reason::Venda => "venda",
            Reason::Perda => "perda",
            Reason::Contagem => "contagem",
        }
    }
}

impl ValueEnum for Reason {
    fn value_variants<'a>() -> &'a [Self] {
        &[Reason::Ajuste, Reason::Compra, Reason::Venda, Reason::Perda, Reason::Contagem]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
