//! Access control: tokens, their roles, and the one function that decides who may do what, for every
//! transport. This module uses neither the disk nor the network.

pub mod token_file;

use std::fmt::{self, Write};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::catalog::Author;
use crate::operation::{Permission, Request};
use crate::refusal::{Code, Refusal};

/// Bytes of a secret. Nobody can guess 256 random bits, so no slow hash is needed; slow hashes protect
/// passwords that people make up.
const SECRET_BYTES: usize = 32;

/// Bytes of a hash (SHA-256).
const HASH_BYTES: usize = 32;

/// The rights of a token: those of a job in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The right to read.
    Read,
    /// The right to count stocks without seeing them: whoever sees the stock counts what they expect.
    Count,
    /// The rights to read, and to sell.
    Sell,
    /// The rights to read, and to change stocks and products.
    Write,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Read, Role::Count, Role::Sell, Role::Write];

    /// The role's word in the token file and in replies.
    pub fn word(self) -> &'static str {
        match self {
            Role::Read => "leitura",
            Role::Count => "contagem",
            Role::Sell => "venda",
            Role::Write => "escrita",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    #[inline]
    fn permits(self, permission: Permission) -> bool {
        match self {
            Role::Read => permission == Permission::Read,
            Role::Count => permission == Permission::Count,
            Role::Sell => matches!(permission, Permission::Read | Permission::Sell),
            Role::Write => true,
        }
    }
}

/// The hash of a secret. A server keeps only the hash, and nobody can compute the secret from it.
#[derive(Debug, Clone, Copy)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// Computes the hash of a secret's text.
    pub fn of(secret: &str) -> Self {
        let mut bytes = [0; HASH_BYTES];
        bytes.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(HASH_PREFIX)?.as_bytes();
        if text.len() != 2 * HASH_BYTES {
            return None;
        }
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; HASH_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// Compares in constant time, so that the time does not show where the hashes differ.
    fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The first characters of a written hash, which name the hash function.
const HASH_PREFIX: &str = "sha256:";

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HASH_PREFIX}{}", hexadecimal(&self.0))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A secret that a client shows. `Debug` does not print it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Makes a new secret with the system's generator; `None` if that fails.
    pub fn generate() -> Option<Self> {
        let mut bytes = [0; SECRET_BYTES];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(hexadecimal(&bytes)))
    }

    /// Reads a secret from a text; `None` if one of the protocols could not carry it.
    pub fn parse(text: &str) -> Option<Self> {
        let is_fit = !text.is_empty() && text.len() <= SECRET_CHARS_MAX;
        (is_fit && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    /// The text of the secret.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The environment variable with a client's secret. Nothing that is shown or kept takes it over.
pub const SECRET_VARIABLE: &str = "HORTIFRUTI_TOKEN";

/// Longest secret that a client takes; generated secrets have 64 characters.
const SECRET_CHARS_MAX: usize = 512;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A token as the server knows it: a line of the token file.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token's name.
    pub name: Author,
    /// The rights of whoever shows the token.
    pub role: Role,
    /// The hash of the secret.
    pub hash: Hash,
}

impl Token {
    /// Reads a line of the token file; `None` if it is no token.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let name = words.next()?.parse().ok()?;
        let role = Role::parse(words.next()?)?;
        let hash = Hash::parse(words.next()?)?;
        words.next().is_none().then_some(Self { name, role, hash })
    }
}

impl fmt::Display for Token {
    /// The line of the token file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.role.word(), self.hash)
    }
}

/// All tokens of a server.
#[derive(Debug, Default)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// Takes the tokens of a file.
    pub fn new(tokens: Vec<Token>) -> Self {
        Self(tokens)
    }

    /// Whether there are no tokens, so that nobody is let in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens in the order of their lines.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }

    /// Whether a token has this name.
    pub fn has(&self, name: &Author) -> bool {
        self.0.iter().any(|token| token.name == *name)
    }

    /// Identifies whoever shows this secret.
    pub fn identify(&self, secret: &str) -> Identity {
        self.identify_hash(Hash::of(secret))
    }

    /// Identifies a connection again, after tokens may have been added or removed.
    pub fn renewed(&self, identity: &Identity) -> Identity {
        match identity {
            Identity::Open | Identity::Unknown => identity.clone(),
            Identity::Token { hash, .. } => self.identify_hash(*hash),
        }
    }

    fn identify_hash(&self, hash: Hash) -> Identity {
        // Every token is compared, so that the time does not show which one matched.
        let token =
            self.0.iter().fold(None, |found, token| if token.hash.is(&hash) { Some(token) } else { found });
        token.map_or(Identity::Unknown, |token| Identity::Token {
            hash,
            role: token.role,
            name: token.name.clone(),
        })
    }
}

/// The identity of a client, as far as the server knows it.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A client of a server that asks for no token.
    Open,
    /// A client that has shown no token, or a wrong one.
    Unknown,
    /// The holder of a token.
    Token {
        /// The hash of the token's secret.
        hash: Hash,
        /// The token's rights.
        role: Role,
        /// The token's name.
        name: Author,
    },
}

impl Identity {
    /// The author of this client's changes: the name of its token.
    pub fn author(&self) -> Option<&Author> {
        match self {
            Identity::Token { name, .. } => Some(name),
            Identity::Open | Identity::Unknown => None,
        }
    }
}

/// Checks that a client has a permission. Every transport decides here and nowhere else.
///
/// # Errors
/// If the identity does not have the permission.
#[inline]
pub fn check(identity: &Identity, permission: Permission) -> Result<(), Refusal> {
    let is_permitted = match identity {
        Identity::Open => true,
        Identity::Token { role, .. } => role.permits(permission),
        Identity::Unknown => false,
    };
    if is_permitted { Ok(()) } else { Err(refusal(identity, permission)) }
}

/// Checks a request, and narrows it to the client's rights: whoever may not see stocks counts blind, and
/// whoever only sells undoes no more than own sales.
///
/// # Errors
/// If the identity does not have the permission that the request needs.
#[inline]
pub fn admit(identity: &Identity, request: &mut Request<'_>) -> Result<(), Refusal> {
    // A server without tokens permits everything, and narrows nothing.
    if matches!(identity, Identity::Open) {
        return Ok(());
    }
    check(identity, request.permission())?;
    match request {
        Request::CountStock(count) => count.is_blind = check(identity, Permission::Read).is_err(),
        Request::UndoMovement(undo) => undo.of_own_sales = check(identity, Permission::Write).is_err(),
        _ => {}
    }
    Ok(())
}

/// The refusal of a request for which this identity lacks the permission. Only a valid token has its role in
/// the metadata.
#[cold]
fn refusal(identity: &Identity, permission: Permission) -> Refusal {
    let Identity::Token { role, .. } = identity else { return no_token() };
    let wanted = match permission {
        Permission::Read => "leitura, venda ou escrita",
        Permission::Count => "contagem ou escrita",
        Permission::Sell => "escrita, ou de venda para vender",
        Permission::Write => "escrita",
    };
    let what =
        format!("este token é de {}, que não permite isto. Nada foi feito; use um de {wanted}.", role.word());
    Refusal { metadata: vec![("role", role.word().to_owned())], ..Refusal::new(Code::Unauthenticated, what) }
}

/// The refusal of a client that has shown no valid token.
pub fn no_token() -> Refusal {
    let what = "este servidor pede um token. Nada foi feito; indique o arquivo dele com --token-file, ou envie \
                antes a linha token SEGREDO (por gRPC: authorization: Bearer SEGREDO).";
    Refusal::new(Code::Unauthenticated, what)
}

/// The refusal of a wrong token.
pub fn wrong_token() -> Refusal {
    let what = "este servidor não conhece o token. Nada foi feito; confira o arquivo de --token-file, ou peça \
                um novo ao responsável pelo servidor.";
    Refusal::new(Code::Unauthenticated, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::BatchRequest;

    fn token(name: &str, role: Role, secret: &str) -> Token {
        Token { name: name.parse().unwrap(), role, hash: Hash::of(secret) }
    }

    #[test]
    fn a_token_reads_back_from_its_line() {
        let written = token("balcão-1", Role::Write, "x").to_string();
        // `printf x | sha256sum`
        let hash = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        assert_eq!(written, format!("balcão-1 escrita sha256:{hash}"));
        assert_eq!(Token::parse(&written).unwrap().to_string(), written);
        for line in [
            String::new(),
            "balcão".to_owned(),
            format!("balcão dono sha256:{hash}"),
            format!("balcão leitura {hash}"),
            format!("balcão leitura sha256:{}", &hash[1..]),
            format!("balcão leitura sha256:{}é", &hash[2..]),
            format!("balcão leitura sha256:{hash} mais"),
        ] {
            assert!(Token::parse(&line).is_none(), "{line}");
        }
    }

    #[test]
    fn secrets_differ_and_are_not_shown() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), 64);
        assert_eq!(format!("{one:?}"), "Secret(…)");
        for text in ["", "dois segredos", "linha\n", "ção", &"x".repeat(513)] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn names_that_no_token_can_have() {
        for name in ["", "dois nomes", "#um", "a\u{202e}b", "a\n", &"x".repeat(65)] {
            assert!(name.parse::<Author>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn who_may_do_what() {
        use Permission::{Count, Read, Sell, Write};

        let of = |role: Role| token(role.word(), role, role.word());
        let tokens = Tokens::new(Role::ALL.map(of).to_vec());
        let may = |identity: &Identity| {
            let permissions = [Read, Count, Sell, Write].into_iter();
            permissions.filter(|permission| check(identity, *permission).is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(may(&Identity::Open), [Read, Count, Sell, Write]);
        assert_eq!(may(&Identity::Unknown), []);
        assert_eq!(may(&tokens.identify("leitura")), [Read]);
        assert_eq!(may(&tokens.identify("contagem")), [Count]);
        assert_eq!(may(&tokens.identify("venda")), [Read, Sell]);
        assert_eq!(may(&tokens.identify("escrita")), [Read, Count, Sell, Write]);
        for wrong in ["", "vendaa", "vend", "sha256:", &tokens.0[0].hash.to_string()] {
            assert_eq!(may(&tokens.identify(wrong)), [], "{wrong}");
        }
        // A removed token permits nothing from then on, and a token may get another role.
        let fewer = Tokens::new(vec![token("a", Role::Write, "leitura")]);
        assert_eq!(may(&fewer.renewed(&tokens.identify("escrita"))), []);
        assert_eq!(may(&fewer.renewed(&tokens.identify("leitura"))), [Read, Count, Sell, Write]);
        assert_eq!(may(&fewer.renewed(&Identity::Open)), [Read, Count, Sell, Write]);
    }

    #[test]
    fn a_refusal_says_whose_token_would_do() {
        let identity = |role: Role| Identity::Token { hash: Hash::of(""), role, name: "a".parse().unwrap() };
        for permission in [Permission::Read, Permission::Count, Permission::Sell, Permission::Write] {
            let (permitted, refused): (Vec<Role>, Vec<Role>) =
                Role::ALL.into_iter().partition(|role| role.permits(permission));
            for role in refused {
                let refusal = check(&identity(role), permission).unwrap_err();
                let told = format!("este token é de {}, que não permite isto. Nada foi feito; ", role.word());
                let wanted = refusal.message.strip_prefix(&told).unwrap();
                let named = Role::ALL.into_iter().filter(|role| wanted.contains(role.word()));
                assert_eq!(named.collect::<Vec<_>>(), permitted, "{refusal}");
                assert_eq!(refusal.code, Code::Unauthenticated);
                assert_eq!(refusal.metadata, [("role", role.word().to_owned())]);
            }
        }
        assert_eq!(check(&Identity::Unknown, Permission::Read), Err(no_token()));
    }

    #[test]
    fn what_is_asked_says_what_it_needs() {
        let sale = "3 Caju -1 motivo=venda";
        let permission = |line| Request::parse(line).unwrap().permission();
        let permissions =
            [sale, "3 Caju -1", "3 Caju -1 motivo=perda", "contar Caju 1", "1 Caju", "desfazer 5"];
        assert_eq!(
            permissions.map(permission),
            [
                Permission::Sell,
                Permission::Write,
                Permission::Write,
                Permission::Count,
                Permission::Read,
                Permission::Sell
            ]
        );
        let adjust = |line: &'static str| match Request::parse(line) {
            Ok(Request::AdjustStock(adjust)) => adjust,
            other => panic!("{other:?}"),
        };
        let batch = |lines: [&'static str; 2]| BatchRequest {
            adjustments: lines.map(adjust).to_vec(),
            request_id: None,
        };
        assert_eq!(batch([sale, sale]).permission(), Permission::Sell);
        assert_eq!(batch([sale, "3 Caju 1 motivo=compra"]).permission(), Permission::Write);
    }

    #[test]
    fn whoever_only_counts_counts_blind_and_now() {
        let tokens = Tokens::new(vec![token("a", Role::Count, "conta"), token("b", Role::Write, "muda")]);
        let is_blind = |identity: &Identity, at_sequence| {
            let mut request = Request::parse("contar Caju 57").unwrap();
            if let Request::CountStock(count) = &mut request {
                count.counts[0].at_sequence = at_sequence;
            }
            admit(identity, &mut request)
                .ok()
                .map(|()| matches!(request, Request::CountStock(count) if count.is_blind))
        };
        assert_eq!(is_blind(&tokens.identify("conta"), 0), Some(true));
        assert_eq!(is_blind(&tokens.identify("conta"), 4), None);
        assert_eq!(is_blind(&tokens.identify("muda"), 4), Some(false));
        assert_eq!(is_blind(&Identity::Open, 0), Some(false));
        assert_eq!(is_blind(&Identity::Unknown, 0), None);
    }
}
