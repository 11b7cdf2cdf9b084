//! On an open network: TLS, tokens, and who is let in. Certificates are made here.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hortifruti::operation::{OPERATIONS, Permission};
use hortifruti::wire::grpc::original::Empty;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{AdjustStockRequest, GetProductRequest, StreamAdjustStockRequest};
use hortifruti::wire::grpc::{INVENTORY_SERVICE, LegacyCall, PRODUTO_SERVICE};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::http2;
use crate::support::waiting::{end_of, lines};
use crate::support::{
    Ended, FOUR_PRODUCTS, Need, PATIENCE, Server, assert_broken, finished, hortifruti, keep, make_token, run,
    try_run,
};

/// Somebody who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Leaves the authority's own certificate in a file.
    pub(crate) fn write(&self, folder: &Path, name: &str) {
        fs::write(folder.join(name), &self.pem).unwrap();
    }

    /// Leaves `NAME.pem` and `NAME.key` in a folder, for these hosts.
    pub(crate) fn issue(
        &self,
        folder: &Path,
        name: &str,
        hosts: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn issue_server(&self, folder: &Path) {
        self.issue(folder, "servidor", &["localhost", "127.0.0.1"], |_| {});
    }

    fn issue_client(&self, folder: &Path) {
        self.issue(folder, "cliente", &["balcao"], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        });
    }
}

pub(crate) const TLS: [&str; 4] = ["--tls-cert", "servidor.pem", "--tls-key", "servidor.key"];

/// A folder with an authority and a server's certificate.
pub(crate) fn certified() -> (TempDir, Authority) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("autoridade");
    authority.write(folder.path(), "ca.pem");
    authority.issue_server(folder.path());
    (folder, authority)
}

/// The settings of a client over TLS that trusts this authority.
pub(crate) fn client_config(authority: &Path) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A text connection over TLS, as some other program makes it.
struct TlsText(StreamOwned<ClientConnection, TcpStream>);

impl TlsText {
    fn connect(server: &Server, authority: &Path) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(client_config(authority)), name).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(StreamOwned::new(session, stream))
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    fn reply(&mut self) -> String {
        let mut reply = Vec::new();
        while !reply.ends_with(b"\n\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            reply.push(byte[0]);
        }
        String::from_utf8(reply).unwrap().trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        self.send(&format!("{line}\n"));
        self.reply()
    }
}

/// A one-shot that must fail, and what it says.
fn failing(server: &Server, code: i32, args: &[&str]) -> String {
    let ended = server.run(args);
    assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{args:?}: {}", ended.err);
    ended.err
}

#[test]
fn a_certificate_is_for_the_address_that_the_port_file_leads_to() {
    let (folder, authority) = certified();
    authority.issue(folder.path(), "outro", &["127.0.0.2"], |_| {});
    for (certificate, key, is_right) in
        [("outro.pem", "outro.key", true), ("servidor.pem", "servidor.key", false)]
    {
        let options = ["--host", "127.0.0.2", "--tls-cert", certificate, "--tls-key", key];
        let data = format!("{certificate}.db");
        let port_file = format!("{certificate}.porta");
        let path = folder.path().join(&port_file);
        let mut command = hortifruti(folder.path());
        command.args(["serve", "--port", "0", "--data", &data, "--port-file", &port_file]).args(options);
        let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
        // The first line comes once the server is ready.
        lines(server.stdout.take().unwrap()).recv_timeout(PATIENCE).unwrap();
        for protocol in ["--socket", "--grpc"] {
            let mut query = hortifruti(folder.path());
            query.args(["query", "Caju", "--tls-ca", "ca.pem", protocol, "--port-file"]).arg(&path);
            let ended = run(&mut query, "");
            let expected = if is_right { "Caju: R$2.0, Estoque: 60\n" } else { "" };
            assert_eq!((ended.code == 0, ended.out.as_str()), (is_right, expected), "{}", ended.err);
            assert_eq!(ended.err.contains("127.0.0.2"), !is_right, "{}", ended.err);
        }
        server.kill().unwrap();
        end_of(&mut server);
    }
}

#[test]
fn both_protocols_are_spoken_over_tls_on_one_port() {
    let (folder, _) = certified();
    let mut server = Server::start_in(folder, &TLS);
    for protocol in [&[][..], &["--socket"], &["--grpc"]] {
        let ended = server.run(&[&["query", "--tls-ca", "ca.pem"], protocol].concat());
        assert_eq!(ended, Ended { code: 0, out: format!("{FOUR_PRODUCTS}\n"), err: String::new() });
    }
    let address = format!("127.0.0.1:{}", server.port);
    let ended = server.run(&["update", "--server", &address, "--tls-ca", "ca.pem", "Caju", "-20"]);
    assert_eq!(ended.out, "Caju: R$2.0, Estoque: 40\n", "{}", ended.err);
    let shell = run(&mut server.command(&["shell", "--tls-ca", "ca.pem"]), "1 caju\n3 caju 1\n");
    assert_eq!(shell.out, "Caju: R$2.0, Estoque: 40\nCaju: R$2.0, Estoque: 41\n", "{}", shell.err);
    let list = crate::support::list(crate::support::FIRST_LIST);
    let ended = server.run(&["import", "--tls-ca", "ca.pem", list.to_str().unwrap()]);
    assert_eq!(ended.out, "445 criados, 0 atualizados, 0 sem mudança.\n", "{}", ended.err);
    // A list far longer than a record, by both protocols.
    for protocol in ["--socket", "--grpc"] {
        let ended = server.run(&["query", "--tls-ca", "ca.pem", protocol]);
        assert_eq!(ended.out.lines().count(), 449);
    }
    let mut command = server.command(&["query", "caju"]);
    let ended = run(command.env("HORTIFRUTI_TLS_CA", "ca.pem").env("HORTIFRUTI_TLS", "1"), "");
    assert_eq!(ended.out, "Caju: R$2.0, Estoque: 41\n", "{}", ended.err);
    server.stop();
}

#[test]
fn text_over_tls_is_text() {
    let (folder, _) = certified();
    let server = Server::start_in(folder, &TLS);
    let ca = server.path().join("ca.pem");
    let mut connection = TlsText::connect(&server, &ca);
    // Without a line end, as the original sends it.
    connection.send("3 Caju -20");
    assert_eq!(connection.reply(), "Caju: R$2.0, Estoque: 40");
    // More than a record, and more than is read at once.
    let count = 3000;
    connection.send(&"3 Caju 1\n1 Maca\n".repeat(count));
    for index in 1..=count {
        assert_eq!(connection.reply(), format!("Caju: R$2.0, Estoque: {}", 40 + index));
        assert_eq!(connection.reply(), "Maca: R$3.0, Estoque: 20");
    }
    assert_eq!(connection.ask("5"), "Até logo.");
    let mut rest = Vec::new();
    connection.0.read_to_end(&mut rest).expect("the end is told, and not cut off");

    // A command whose end was cut off on the way is none, line ended or not.
    let mut cut = TlsText::connect(&server, &ca);
    assert_eq!(cut.ask("1 Caju"), "Caju: R$2.0, Estoque: 3040");
    cut.send("3 Caju -3");
    cut.0.sock.shutdown(std::net::Shutdown::Both).unwrap();
    let mut cut = TlsText::connect(&server, &ca);
    cut.send("3 Caju -3");
    cut.0.sock.shutdown(std::net::Shutdown::Write).unwrap();
    if let Err(error) = cut.0.read_to_end(&mut rest) {
        assert_broken(&error);
    }
    assert_eq!(rest, b"");
    assert_eq!(TlsText::connect(&server, &ca).ask("1 Caju"), "Caju: R$2.0, Estoque: 3040");
}

/// A client that leaves Nagle's algorithm on, as most do that were not written for this.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_waits_for_acknowledgements_is_answered_at_once() {
    let (folder, _) = certified();
    let authority = folder.path().join("ca.pem");
    let server = Server::start_in(folder, &TLS);
    let first_answer = || {
        let mut text = TlsText::connect(&server, &authority);
        while text.0.conn.is_handshaking() {
            text.0.conn.complete_io(&mut text.0.sock).unwrap();
        }
        let start = Instant::now();
        assert_eq!(text.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
        start.elapsed()
    };
    // Not less than 40 ms, where the acknowledgement is put off. The machine may be busy.
    let quickest = (0..20).map(|_| first_answer()).min().unwrap();
    assert!(quickest < Duration::from_millis(30), "{quickest:?}");
}

#[test]
fn openssl_speaks_to_it() {
    let (folder, _) = certified();
    let server = Server::start_in(folder, &TLS);
    if try_run(Command::new("openssl").arg("version")).is_err() {
        Need::Openssl.skip("openssl is not installed");
        return;
    }
    for version in ["-tls1_2", "-tls1_3"] {
        let mut command = Command::new("openssl");
        command.current_dir(server.path()).args(["s_client", "-quiet", "-verify_return_error", version]);
        command.args(["-CAfile", "ca.pem", "-connect", &format!("localhost:{}", server.port)]);
        let ended = run(&mut command, "1 caju\n5\n");
        assert_eq!(ended.out, "Caju: R$2.0, Estoque: 60\n\nAté logo.\n\n", "{version}: {}", ended.err);
    }
    let mut old = Command::new("openssl");
    old.args(["s_client", "-tls1_1", "-connect", &format!("localhost:{}", server.port)]);
    assert_ne!(run(&mut old, "").code, 0);
}

#[test]
fn what_is_wrong_with_a_certificate_is_reported() {
    let (folder, authority) = certified();
    let path = folder.path().to_owned();
    Authority::new("outra").write(&path, "outra.pem");
    // One that only bears the name.
    Authority::new("autoridade").write(&path, "falsa.pem");
    authority.issue(&path, "outro-nome", &["loja.example"], |_| {});
    authority.issue(&path, "vencido", &["localhost"], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    authority.issue(&path, "futuro", &["localhost"], |params| {
        params.not_before = date_time_ymd(2090, 1, 1);
        params.not_after = date_time_ymd(2091, 1, 1);
    });
    let cases = [
        ("servidor", "outra.pem", "a autoridade que assinou o certificado do servidor é desconhecida"),
        ("servidor", "falsa.pem", "a autoridade que assinou o certificado do servidor é desconhecida"),
        ("servidor", "", "a autoridade que assinou o certificado do servidor é desconhecida"),
        ("outro-nome", "ca.pem", "o certificado do servidor não é de localhost, e sim de loja.example"),
        ("vencido", "ca.pem", "o certificado do servidor venceu"),
        ("futuro", "ca.pem", "o certificado do servidor ainda não vale"),
    ];
    let mut folder = Some(folder);
    for (own, trusted, expected) in cases {
        let (certificate, key) = (format!("{own}.pem"), format!("{own}.key"));
        let mut server =
            Server::start_in(folder.take().unwrap(), &["--tls-cert", &certificate, "--tls-key", &key]);
        for protocol in ["--socket", "--grpc"] {
            // The system's own authorities do not know ours, and there may be none.
            let mut args = vec!["query", protocol, "--tls"];
            if !trusted.is_empty() {
                args.extend(["--tls-ca", trusted]);
            } else if !Path::new("/etc/ssl/certs/ca-certificates.crt").exists() {
                continue;
            }
            let said = failing(&server, 5, &args);
            assert!(said.contains(expected), "{own}, {protocol}: {said}");
        }
        server.stop();
        folder = Some(std::mem::replace(&mut server.folder, tempfile::tempdir().unwrap()));
    }
}

#[test]
fn mutual_tls_lets_in_whom_the_authority_knows() {
    let (folder, authority) = certified();
    let path = folder.path().to_owned();
    authority.issue_client(&path);
    let clients = Authority::new("clientes");
    clients.write(&path, "clientes.pem");
    clients.issue(&path, "balcao", &["balcao"], |_| {});
    clients.issue(&path, "antigo", &["balcao"], |params| params.not_after = date_time_ymd(2021, 1, 1));
    let server = Server::start_in(folder, &[&TLS[..], &["--tls-client-ca", "clientes.pem"]].concat());
    for protocol in ["--socket", "--grpc"] {
        let query = ["query", "caju", protocol, "--tls-ca", "ca.pem"];
        let with = |name: &str| {
            let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
            let mut command = server.command(&query);
            run(command.args(["--tls-cert", &certificate, "--tls-key", &key]), "")
        };
        let ended = with("balcao");
        assert_eq!(ended.out, "Caju: R$2.0, Estoque: 60\n", "{}", ended.err);
        let said = failing(&server, 6, &query);
        assert!(said.contains("o servidor pede um certificado do cliente"), "{said}");
        for (name, expected) in [("cliente", "não conhece a autoridade"), ("antigo", "venceu")] {
            let ended = with(name);
            assert_eq!(ended.code, 6, "{}", ended.err);
            assert!(ended.err.contains("não aceita o certificado deste cliente"), "{}", ended.err);
            assert!(ended.err.contains(expected), "{}", ended.err);
        }
    }
}

#[test]
fn files_that_do_not_serve_are_reported_and_nothing_is_started() {
    let (folder, authority) = certified();
    let path = folder.path();
    authority.issue(path, "outro", &["localhost"], |_| {});
    fs::write(path.join("vazio"), "").unwrap();
    fs::write(path.join("cortado"), "-----BEGIN CERTIFICATE-----\nMIIB\n").unwrap();
    fs::write(path.join("longo"), vec![b' '; 2 * 1024 * 1024]).unwrap();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(path.join("cifrada"), encrypted).unwrap();
    for (certificate, key, expected) in [
        ("falta", "servidor.key", "não foi possível ler falta: não existe"),
        ("servidor.pem", "falta", "não foi possível ler falta: não existe"),
        ("vazio", "servidor.key", "não há certificado em vazio"),
        ("servidor.key", "servidor.key", "não há certificado em servidor.key"),
        ("cortado", "servidor.key", "cortado"),
        ("longo", "servidor.key", "longo não é um arquivo PEM"),
        ("servidor.pem", "servidor.pem", "não há chave privada em servidor.pem"),
        ("servidor.pem", "cifrada", "está cifrada com uma senha"),
        ("servidor.pem", "outro.key", "a chave outro.key não é a do certificado servidor.pem"),
    ] {
        let mut command = hortifruti(path);
        command.args(["serve", "--port", "0", "--tls-cert", certificate, "--tls-key", key]);
        let ended = run(&mut command, "");
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
        assert!(ended.err.contains(expected) && ended.err.contains("não foi iniciado"), "{}", ended.err);
        assert!(!path.join("hortifruti.db").exists());
    }
    for (args, expected) in [
        (&["--tls-cert", "servidor.pem"][..], "--tls-key"),
        (&["--tls-key", "servidor.key"], "--tls-cert"),
        (&["--tls-client-ca", "ca.pem"], "--tls-cert"),
    ] {
        let ended = run(hortifruti(path).arg("serve").args(args), "");
        assert!(ended.code == 2 && ended.err.starts_with("Erro: falta "), "{}", ended.err);
        assert!(ended.err.contains(expected), "{}", ended.err);
    }
    // A client's files are looked at before anything is sent.
    for (args, code, expected) in [
        (&["--tls-ca", "falta"][..], 1, "não foi possível ler falta: não existe. Nada foi enviado"),
        (&["--tls-cert", "servidor.pem"], 2, "falta --tls-key"),
        (&["--tls-cert", "servidor.pem", "--tls-key", "outro.key"], 1, "não é a do certificado"),
    ] {
        let ended = run(hortifruti(path).args(["query", "--server", "localhost:1"]).args(args), "");
        assert!(ended.code == code && ended.err.contains(expected), "{}", ended.err);
    }
}

#[test]
fn plain_and_tls_that_meet_are_reported() {
    let (folder, _) = certified();
    let with = Server::start_in(folder, &TLS);
    let mut plain = with.connect();
    let told = plain.ask("4");
    assert!(told.starts_with("Erro UNKNOWN_COMMAND: este servidor atende só por TLS."), "{told}");
    assert_eq!(plain.try_reply(), None);
    for protocol in [&[][..], &["--socket"], &["--grpc"]] {
        let said = failing(&with, 5, &[&["query"], protocol].concat());
        assert!(said.contains("atende só por TLS. Nada foi enviado; use --tls"), "{said}");
    }
    // A program that knows no more than HTTP/2 finds the reason in the GOAWAY.
    let mut raw = with.connect();
    raw.send(http2::opening(&[]));
    assert!(String::from_utf8_lossy(&raw.rest()).contains("atende só por TLS"));

    let without = Server::start(&[]);
    fs::copy(with.path().join("ca.pem"), without.path().join("ca.pem")).unwrap();
    for protocol in ["--socket", "--grpc"] {
        let said = failing(&without, 5, &["query", "--tls-ca", "ca.pem", protocol]);
        assert!(said.contains("o programa nesse endereço não usa TLS"), "{said}");
    }
    let mut hello = without.connect();
    hello.send(b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03");
    let told = String::from_utf8(hello.rest()).unwrap();
    assert!(told.starts_with("Erro UNKNOWN_COMMAND: este servidor atende sem TLS."), "{told}");
}

#[test]
fn certificates_are_read_again_at_a_hangup() {
    let (folder, authority) = certified();
    let path = folder.path().to_owned();
    let mut server = Server::start_logged_in(folder, &TLS);
    let ca = path.join("ca.pem");
    let mut before = TlsText::connect(&server, &ca);
    assert_eq!(before.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    assert!(server.console_line().starts_with("Conexão estabelecida"));
    assert_eq!(server.console_line(), "Comando recebido: 1 caju");

    // What does not serve changes nothing.
    let good = fs::read(path.join("servidor.key")).unwrap();
    fs::write(path.join("servidor.key"), "nada").unwrap();
    server.signal("HUP");
    server.log("não há chave privada em servidor.key");
    assert_eq!(TlsText::connect(&server, &ca).ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    fs::write(path.join("servidor.key"), good).unwrap();

    // Another authority's certificate, and whoever was there stays.
    let renewed = Authority::new("nova");
    renewed.write(&path, "nova.pem");
    renewed.issue_server(&path);
    while server.console_line() != "Aguardando conexão..." {}
    server.signal("HUP");
    assert_eq!(server.console_line(), "Certificado relido.");
    assert_eq!(TlsText::connect(&server, &path.join("nova.pem")).ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    assert!(failing(&server, 5, &["query", "--tls-ca", "ca.pem"]).contains("desconhecida"));
    assert_eq!(before.ask("3 caju -1"), "Caju: R$2.0, Estoque: 59");
    drop(authority);
    server.stop();
}

#[test]
fn half_a_handshake_holds_no_stop() {
    let (folder, _) = certified();
    let mut server = Server::start_in(folder, &TLS);
    let mut silent: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for connection in &mut silent[25..] {
        connection.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    }
    let ca = server.path().join("ca.pem");
    assert_eq!(TlsText::connect(&server, &ca).ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    server.signal("TERM");
    let (code, took) = server.wait_for_end();
    assert!(code == Some(0) && took < Duration::from_secs(5), "{code:?} {took:?}");
}

#[test]
fn newcomers_over_tls_are_refused_if_there_is_no_room() {
    let (folder, _) = certified();
    let server = Server::start_in(folder, &[&TLS[..], &["--max-connections", "1"]].concat());
    let ca = server.path().join("ca.pem");
    let mut served = TlsText::connect(&server, &ca);
    assert_eq!(served.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    for protocol in ["--socket", "--grpc"] {
        let said = failing(&server, 5, &["query", "caju", "--tls-ca", "ca.pem", protocol]);
        assert!(said.contains("já tem o máximo de conexões"), "{said}");
    }
    assert_eq!(served.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
}

// --- tokens -----------------------------------------------------------------------------

const ASKS: [&str; 2] = ["--token-file", "tokens"];

/// A server that asks for a token, and the secrets of one that may ask and one that may change.
fn guarded(args: &[&str]) -> (Server, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let reads = make_token(folder.path(), "vitrine", "leitura");
    let writes = make_token(folder.path(), "balcao", "ESCRITA");
    (Server::start_logged_in(folder, &[&ASKS[..], args].concat()), reads, writes)
}

#[test]
fn a_token_is_made_and_only_its_hash_is_kept() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let new = |args: &[&str]| run(hortifruti(folder.path()).args(["token", "new"]).args(args), "");
    let ended = new(&["balcao", "--role", "escrita", "--token-file", "tokens"]);
    let secret = ended.out.trim_end();
    assert!(ended.code == 0 && secret.len() == 64 && !ended.err.contains(secret), "{}", ended.err);
    let path = folder.path().join("tokens");
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept.starts_with("balcao escrita sha256:") && !kept.contains(secret), "{kept}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let alone = new(&["vitrine"]);
    let line = alone.err.lines().last().unwrap().to_owned();
    assert!(alone.code == 0 && line.starts_with("vitrine leitura sha256:"), "{}", alone.err);
    let again = new(&["balcao", "--token-file", "tokens"]);
    assert!(
        again.code == 1 && again.out.is_empty() && again.err.contains("já tem um token"),
        "{}",
        again.err
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), kept);
    symlink("alheio", folder.path().join("elo")).unwrap();
    let linked = new(&["outro", "--token-file", "elo"]);
    assert!(linked.code == 1 && linked.err.contains("link simbólico"), "{}", linked.err);
    for (args, expected) in [
        (&["dois nomes"][..], "o nome de um token"),
        (&["a", "--role", "dono"], "valor inválido para --role"),
        (&[], "falta <NOME>"),
    ] {
        let ended = new(args);
        assert!(ended.code == 2 && ended.err.contains(expected), "{}", ended.err);
    }
    let bare = run(hortifruti(folder.path()).arg("token"), "");
    assert!(bare.code == 2 && bare.err.contains("Uso: hortifruti token <COMANDO>"), "{}", bare.err);
    fs::write(folder.path().join("ruim"), "balcao escrita segredo\n").unwrap();
    let started = run(hortifruti(folder.path()).args(["serve", "--port", "0", "--token-file", "ruim"]), "");
    assert_eq!(started.code, 1);
    assert!(started.err.contains("a linha 1 de ruim não é um token"), "{}", started.err);
}

#[test]
fn a_token_that_cannot_be_written_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    let kept = format!("# {}\n", "x".repeat(1000));
    fs::write(&path, &kept).unwrap();
    // Room for a part of the line: a limit of 1,024 bytes, told by an error and not a signal.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" token new balcao --token-file tokens";
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(hortifruti(folder.path()).get_program()).current_dir(folder.path());
    let ended = run(&mut command, "");
    assert!(ended.code == 1 && ended.out.is_empty(), "{ended:?}");
    assert!(ended.err.contains("não foi possível escrever") && ended.err.contains("Nada foi criado"));
    assert_eq!(fs::read_to_string(&path).unwrap(), kept);
}

#[test]
fn a_secret_that_nobody_got_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = hortifruti(folder.path());
    command.args(["token", "new", "balcao", "--token-file", "tokens"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = finished(command.stdout(full).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("revogue balcao em tokens"), "{}", ended.err);
}

#[test]
fn roles_hold_over_text() {
    let (server, reads, writes) = guarded(&[]);
    let changes = ["3 Caju -1", "3 Caju -1 id=a motivo=venda"];
    let questions = ["1 Caju", "2 8", "4"];
    let refused = |reply: &str| reply.starts_with("Erro UNAUTHENTICATED: ");
    let mut connection = server.connect();
    for line in questions.iter().chain(&changes).chain(&["5", "6", "3 Caju", ""]) {
        let reply = connection.ask(line);
        assert!(refused(&reply) && reply.contains("este servidor pede um token"), "{line}: {reply}");
    }
    assert_eq!(connection.ask(&format!("token {reads}")), "Token aceito: leitura.");
    for line in questions {
        assert!(!refused(&connection.ask(line)), "{line}");
    }
    for line in changes {
        let reply = connection.ask(line);
        assert!(
            refused(&reply) && reply.contains("é de leitura, que não permite isto. Nada foi feito"),
            "{line}: {reply}"
        );
    }
    assert!(connection.ask("6").starts_with("Erro UNKNOWN_COMMAND: "));
    assert_eq!(connection.ask(&format!("TOKEN {writes}")), "Token aceito: escrita.");
    assert_eq!(connection.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    // Everything at once, answered in order.
    let mut connection = server.connect();
    connection.send(format!("4\ntoken {writes}\n3 Caju -1\n1 Caju\ntoken {reads}\n3 Caju -1\n1 Caju\n5\n"));
    let expected = [
        "Erro",
        "Token aceito: e",
        "Caju: R$2.0, Estoque: 58",
        "Caju: R$2.0, Estoque: 58",
        "Token aceito: l",
        "Erro",
        "Caju: R$2.0, Estoque: 58",
        "Até logo.",
    ];
    for start in expected {
        let reply = connection.reply();
        assert!(reply.starts_with(start), "{start}: {reply}");
    }
}

#[test]
fn the_originals_way_knows_tokens() {
    let (server, _, writes) = guarded(&[]);
    let open = Server::start(&[]);
    for (server, secret, reply) in [
        (&server, writes.as_str(), "Token aceito: escrita.\n\n"),
        (&open, "qualquer", "Este servidor não pede token.\n\n"),
    ] {
        let mut connection = server.connect();
        // One send without a line end, one receive.
        connection.send(format!("token {secret}"));
        assert_eq!(connection.receive(2048), reply);
        connection.send("3 Caju -20");
        assert_eq!(connection.receive(2048), "Caju: R$2.0, Estoque: 40\n\n");
    }
}

async fn channel(server: &Server) -> Channel {
    Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap().connect().await.unwrap()
}

/// Calls a method with an empty message, which is one of every call.
async fn call_empty(channel: &Channel, path: &str, token: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(Empty {});
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Empty, Empty>::default();
    // A watch has no end: the head of the answer says whether the call was refused.
    client.server_streaming(request, path.parse().unwrap(), codec).await.map(drop)
}

#[tokio::test]
async fn roles_hold_for_every_call_of_both_services() {
    let (server, reads, writes) = guarded(&[]);
    let channel = channel(&server).await;
    let exact = OPERATIONS.iter().filter(|spec| spec.message.is_some());
    let exact = exact.map(|spec| (format!("/{INVENTORY_SERVICE}/{}", spec.name), spec.permission));
    let legacy = LegacyCall::ALL.into_iter();
    let legacy = legacy
        .map(|call| (format!("/{PRODUTO_SERVICE}/{}", call.name()), call.operation().spec().permission));
    let calls: Vec<_> = exact.chain(legacy).collect();
    assert!(calls.iter().any(|(_, permission)| *permission == Permission::Read));
    for (token, may_read, may_write) in
        [(None, false, false), (Some(reads.as_str()), true, false), (Some(writes.as_str()), true, true)]
    {
        for (call, permission) in &calls {
            let answer = call_empty(&channel, call, token).await;
            if if *permission == Permission::Read { may_read } else { may_write } {
                // An empty message may ask for nothing that can be done.
                assert_ne!(answer.map_err(|status| status.code()), Err(Code::Unauthenticated), "{call}");
                continue;
            }
            let status = answer.expect_err(call);
            assert_eq!(status.code(), Code::Unauthenticated, "{call}");
            assert_eq!(status.get_details_error_info().unwrap().reason, "UNAUTHENTICATED");
            let expected =
                if may_read { "é de leitura, que não permite isto" } else { "este servidor pede um token" };
            assert!(status.message().contains(expected), "{call}: {status}");
        }
    }
    // Strangers do not learn which calls there are.
    let unknown = format!("/{INVENTORY_SERVICE}/DeleteEverything");
    let code = async |token| call_empty(&channel, &unknown, token).await.unwrap_err().code();
    assert_eq!((code(None).await, code(Some(&reads)).await), (Code::Unauthenticated, Code::Unimplemented));
}

#[test]
fn our_clients_show_their_token() {
    let (server, reads, _) = guarded(&[]);
    keep(&server.path().join("errado"), &"0".repeat(64));
    keep(&server.path().join("nada"), "");
    for protocol in ["--socket", "--grpc"] {
        let ended = server.run(&["query", "caju", protocol, "--token-file", "vitrine"]);
        assert_eq!(ended.out, "Caju: R$2.0, Estoque: 60\n", "{}", ended.err);
        let mut command = server.command(&["query", "caju", protocol]);
        let ended = run(command.env("HORTIFRUTI_TOKEN_FILE", "vitrine"), "");
        assert_eq!(ended.out, "Caju: R$2.0, Estoque: 60\n", "{}", ended.err);
        let said = failing(&server, 6, &["update", "caju", "-1", protocol, "--token-file", "vitrine"]);
        assert!(said.contains("é de leitura, que não permite isto"), "{said}");
        let said = failing(&server, 6, &["query", "caju", protocol]);
        assert!(said.contains("este servidor pede um token"), "{said}");
        let said = failing(&server, 6, &["query", "caju", protocol, "--token-file", "errado"]);
        assert!(said.contains("não conhece o token"), "{said}");
        let said = failing(&server, 1, &["query", protocol, "--token-file", "nada"]);
        assert!(said.contains("nada não contém um segredo") && said.contains("Nada foi enviado"), "{said}");
    }
    let shell = run(&mut server.command(&["shell", "--token-file", "balcao"]), "3 caju 1\n3 caju 1\n");
    assert_eq!(shell.out, "Caju: R$2.0, Estoque: 61\nCaju: R$2.0, Estoque: 62\n", "{}", shell.err);
    let ended = server.run(&["export", "--token-file", "vitrine"]);
    assert_eq!(ended.out.lines().count(), 5, "{}", ended.err);
    assert!(!server.log("a wrong token").contains(&reads));
}

#[test]
fn the_bench_measures_a_server_with_tls_and_tokens() {
    let (folder, _) = certified();
    let made = run(
        hortifruti(folder.path()).args(["token", "new", "a", "--role", "escrita", "--token-file", "tokens"]),
        "",
    );
    keep(&folder.path().join("segredo"), &made.out);
    let server = Server::start_in(folder, &[&TLS[..], &ASKS].concat());
    let address = format!("localhost:{}", server.port);
    let bench = ["bench", "--server", &address, "--duration", "1", "--connections", "2"];
    let measured = server.run(&[&bench[..], &["--tls-ca", "ca.pem", "--token-file", "segredo"]].concat());
    assert_eq!((measured.code, measured.err.as_str()), (0, ""));
    assert!(measured.out.contains("= estoque final, em 4 produtos."), "{}", measured.out);
    for way in ["socket", "gRPC unário", "gRPC stream"] {
        assert!(measured.out.contains(way), "{}", measured.out);
    }
    let said = failing(&server, 6, &[&bench[..], &["--tls-ca", "ca.pem"]].concat());
    assert!(said.contains("este servidor pede um token"), "{said}");
    let said = failing(&server, 5, &[&bench[..], &["--token-file", "segredo"]].concat());
    assert!(said.contains("atende só por TLS"), "{said}");
}

#[test]
fn a_token_that_others_can_read_is_reported() {
    let (server, ..) = guarded(&[]);
    let path = server.path().join("vitrine");
    for (mode, is_told) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let ended = server.run(&["query", "caju", "--token-file", "vitrine"]);
        assert_eq!((ended.code, ended.out.as_str()), (0, "Caju: R$2.0, Estoque: 60\n"), "{}", ended.err);
        assert_eq!(ended.err.is_empty(), !is_told, "{mode:o}: {}", ended.err);
        assert_eq!(ended.err.contains("chmod 600 vitrine"), is_told, "{mode:o}: {}", ended.err);
    }
}

#[test]
fn a_wrong_token_costs_a_wait_holds_up_nobody_and_is_logged_without_it() {
    let (mut server, reads, writes) = guarded(&[]);
    let secrets = [reads.as_str(), writes.as_str(), "segredo-errado", "Segredo2"];
    // Each waits for a second, and none for another: one by one they would take far longer
    // than anything may here.
    let start = Instant::now();
    let mut wrong: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for connection in &mut wrong {
        connection.send("token segredo-errado\n4\n");
    }
    let mut other = server.connect();
    assert_eq!(other.ask(&format!("token {writes}")), "Token aceito: escrita.");
    assert_eq!(other.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    for connection in &mut wrong {
        assert!(connection.reply().starts_with("Erro UNAUTHENTICATED: este servidor não conhece o token."));
        assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(connection.reply().starts_with("Erro UNAUTHENTICATED: este servidor pede um token."));
    }
    assert!(start.elapsed() < PATIENCE);
    let mut wrong = wrong.swap_remove(0);
    // A hash is no secret, and the third wrong one is the last.
    let kept = fs::read_to_string(server.path().join("tokens")).unwrap();
    let hash = kept.split_whitespace().last().unwrap();
    for token in [hash, "Segredo2"] {
        assert!(wrong.ask(&format!("token {token}")).contains("não conhece o token"));
    }
    assert_eq!(wrong.try_reply(), None);
    // A good one that is given up for a wrong one.
    assert!(other.ask("token Segredo2").contains("não conhece o token"));
    assert!(other.ask("1 caju").starts_with("Erro UNAUTHENTICATED"));
    // Mistyped, and forgotten before it.
    let mut careless = server.connect();
    for line in [format!("token:{reads}"), format!("TokeN{reads}"), reads.clone(), format!("1 {writes}")] {
        assert!(careless.ask(&line).starts_with("Erro UNAUTHENTICATED"));
    }

    let log = server.log("a wrong token peer=127.0.0.1:");
    // Not all: a flood must not fill the disk.
    assert!(log.matches("a wrong token").count() < 60, "{log}");
    server.stop();
    let console = server.rest_of_console();
    assert!(console.contains(&"Comando recebido: token …".to_owned()), "{console:#?}");
    assert!(console.contains(&"Comando recebido: (antes do token)".to_owned()), "{console:#?}");
    assert!(console.contains(&"Comando recebido: 1 caju".to_owned()), "{console:#?}");
    for secret in secrets {
        assert!(!log.contains(secret) && !console.iter().any(|line| line.contains(secret)), "{secret}");
    }
}

#[test]
fn a_client_that_waits_for_an_answer_is_not_silent() {
    // As long as a wrong token is answered late.
    let (server, reads, _) = guarded(&["--idle-seconds", "1"]);
    let mut connection = server.connect();
    assert!(connection.ask("token errado").contains("não conhece o token"));
    assert_eq!(connection.ask(&format!("token {reads}")), "Token aceito: leitura.");
}

#[tokio::test]
async fn wrong_tokens_of_one_grpc_connection_wait_for_each_other() {
    let (server, reads, _) = guarded(&[]);
    let channel = channel(&server).await;
    let ask = |token: &str| {
        let mut shop = InventoryServiceClient::new(channel.clone());
        let mut request = Request::new(GetProductRequest { name: "Caju".into() });
        request.metadata_mut().insert("authorization", format!("bearer {token}").parse().unwrap());
        async move { shop.get_product(request).await }
    };
    let start = Instant::now();
    let wrong: Vec<_> = (0..5).map(|index| tokio::spawn(ask(&format!("errado{index}")))).collect();
    // A good one beside them does not wait for its turn.
    ask(&reads).await.unwrap();
    assert!(!wrong.iter().all(tokio::task::JoinHandle::is_finished), "{:?}", start.elapsed());
    let mut answered = 0;
    for answer in wrong {
        let status = answer.await.unwrap().unwrap_err();
        answered += u32::from(status.code() == Code::Unauthenticated);
    }
    // Three in three seconds; then the connection is ended under the others.
    assert!(start.elapsed() >= Duration::from_secs(3) && answered >= 3, "{:?} {answered}", start.elapsed());
    let log = server.log("a wrong token peer=127.0.0.1:");
    assert!(!log.contains("errado"));
}

#[tokio::test]
async fn tokens_are_read_again_at_a_hangup() {
    let (server, reads, writes) = guarded(&[]);
    let path = server.path().join("tokens");
    let kept = fs::read_to_string(&path).unwrap();
    let mut reader = server.connect();
    let mut writer = server.connect();
    assert_eq!(reader.ask(&format!("token {reads}")), "Token aceito: leitura.");
    assert_eq!(writer.ask(&format!("token {writes}")), "Token aceito: escrita.");
    let mut shop = InventoryServiceClient::new(channel(&server).await);
    let (changes, sent) = tokio::sync::mpsc::channel(1);
    let mut request = Request::new(tokio_stream::wrappers::ReceiverStream::new(sent));
    request.metadata_mut().insert("authorization", format!("Bearer {writes}").parse().unwrap());
    let mut answers = shop.stream_adjust_stock(request).await.unwrap().into_inner();
    let change = || StreamAdjustStockRequest {
        adjustment: Some(AdjustStockRequest {
            name: "Caju".into(),
            delta_thousandths: 1000,
            ..Default::default()
        }),
    };
    changes.send(change()).await.unwrap();
    assert!(answers.message().await.unwrap().is_some());

    // What does not serve changes nothing.
    fs::write(&path, "nada\n").unwrap();
    server.signal("HUP");
    server.log("a linha 1 de tokens não é um token");
    assert_eq!(writer.ask("3 caju 1"), "Caju: R$2.0, Estoque: 62");

    // The one who could change is gone, and the one who could ask may change.
    let line = kept.lines().next().unwrap().replace(" leitura ", " escrita ");
    fs::write(&path, format!("# só a vitrine\n{line}\n")).unwrap();
    server.signal("HUP");
    while server.console_line() != "Tokens relidos." {}
    assert!(writer.ask("3 caju 1").starts_with("Erro UNAUTHENTICATED: este servidor pede um token."));
    changes.send(change()).await.unwrap();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(reader.ask("3 caju 1"), "Caju: R$2.0, Estoque: 63");
}

#[test]
fn an_open_network_is_refused_and_what_is_missing_is_said() {
    let (folder, _) = certified();
    let path = folder.path();
    run(hortifruti(path).args(["token", "new", "a", "--token-file", "tokens"]), "");
    let start = |args: &[&str]| {
        let ended =
            run(hortifruti(path).args(["serve", "--host", "192.0.2.1", "--port", "0"]).args(args), "");
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
        assert!(ended.err.contains("O servidor não foi iniciado"), "{}", ended.err);
        assert!(!path.join("hortifruti.db").exists());
        ended.err
    };
    let neither = start(&[]);
    assert!(
        neither.contains("falta --tls-cert e --tls-key") && neither.contains("--token-file"),
        "{neither}"
    );
    assert!(start(&ASKS).contains("falta --tls-cert e --tls-key"));
    assert!(start(&TLS).contains("falta --token-file"));
    // With both, or by consent, only the address is wrong: it is nobody's here.
    for args in [&[&TLS[..], &ASKS].concat()[..], &["--insecure"]] {
        let said = start(args);
        assert!(said.contains("o endereço não é desta máquina"), "{said}");
    }
}

#[test]
fn tokens_and_mutual_tls_together_from_python_and_openssl() {
    let (folder, authority) = certified();
    let path = folder.path().to_owned();
    authority.issue_client(&path);
    let made =
        run(hortifruti(&path).args(["token", "new", "a", "--role", "escrita", "--token-file", "tokens"]), "");
    keep(&path.join("segredo"), &made.out);
    let secret = made.out.trim_end();
    let server = Server::start_in(folder, &[&TLS[..], &ASKS, &["--tls-client-ca", "ca.pem"]].concat());
    let own = ["--tls-ca", "ca.pem", "--tls-cert", "cliente.pem", "--tls-key", "cliente.key"];
    for protocol in ["--socket", "--grpc"] {
        let ended =
            server.run(&[&["update", "caju", "1", protocol, "--token-file", "segredo"], &own[..]].concat());
        assert!(ended.out.starts_with("Caju: R$2.0"), "{}", ended.err);
    }
    if try_run(Command::new("openssl").arg("version")).is_ok() {
        let mut command = Command::new("openssl");
        command.current_dir(&path).args(["s_client", "-quiet", "-verify_return_error", "-CAfile", "ca.pem"]);
        command.args(["-cert", "cliente.pem", "-key", "cliente.key"]);
        command.args(["-connect", &format!("localhost:{}", server.port)]);
        let ended = run(&mut command, &format!("token {secret}\n1 caju\n5\n"));
        let expected = "Token aceito: escrita.\n\nCaju: R$2.0, Estoque: 62\n\nAté logo.\n\n";
        assert_eq!(ended.out, expected, "{}", ended.err);
    } else {
        Need::Openssl.skip("openssl is not installed");
    }
    if !crate::original_clients::generate_python_classes(&path) {
        return;
    }
    let script = r#"
import grpc, produtos_pb2 as pb, produtos_pb2_grpc as rpc
read = lambda name: open(name, "rb").read()
own = grpc.ssl_channel_credentials(read("ca.pem"), read("cliente.key"), read("cliente.pem"))
token = grpc.access_token_call_credentials(read("segredo").decode().strip())
address = "localhost:" + open("server_port.txt").read()
stub = rpc.ProdutoServiceStub(grpc.secure_channel(address, grpc.composite_channel_credentials(own, token)))
print(stub.AtualizarEstoque(pb.AtualizarRequest(nome="Caju", quantidade=-2)).mensagem)
try: rpc.ProdutoServiceStub(grpc.secure_channel(address, own)).ListarProdutos(pb.Empty())
except grpc.RpcError as error: print(error.code().name)
"#;
    let talked = run(Command::new("python3").current_dir(&path).args(["-c", script]), "");
    assert_eq!(talked.out, "Caju: R$2.0, Estoque: 60\nUNAUTHENTICATED\n", "{}", talked.err);
}
