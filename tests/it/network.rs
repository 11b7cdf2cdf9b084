//! On an open network: TLS, tokens, and who is let in. Certificates are made here.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::http2;
use crate::support::{Ended, FOUR_PRODUCTS, PATIENCE, Server, hortifruti, run};

/// Somebody who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Leaves the authority's own certificate in a file.
    fn write(&self, folder: &Path, name: &str) {
        fs::write(folder.join(name), &self.pem).unwrap();
    }

    /// Leaves `NAME.pem` and `NAME.key` in a folder, for these hosts.
    fn issue(&self, folder: &Path, name: &str, hosts: &[&str], change: impl FnOnce(&mut CertificateParams)) {
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

const TLS: [&str; 4] = ["--tls-cert", "servidor.pem", "--tls-key", "servidor.key"];

/// A folder with an authority and a server's certificate.
fn certified() -> (TempDir, Authority) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("autoridade");
    authority.write(folder.path(), "ca.pem");
    authority.issue_server(folder.path());
    (folder, authority)
}

/// A text connection over TLS, as some other program makes it.
struct TlsText(StreamOwned<ClientConnection, TcpStream>);

impl TlsText {
    fn connect(server: &Server, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
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
    assert!(cut.0.read_to_end(&mut rest).is_err() || rest.is_empty());
    assert_eq!(TlsText::connect(&server, &ca).ask("1 Caju"), "Caju: R$2.0, Estoque: 3040");
}

#[test]
fn openssl_speaks_to_it() {
    let (folder, _) = certified();
    let server = Server::start_in(folder, &TLS);
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: openssl is not installed");
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

/// The README's commands, word for word.
#[test]
fn the_readmes_authority_is_made_and_serves() {
    let readme = fs::read_to_string(crate::support::project().join("README.md")).unwrap();
    let commands = readme.split("```sh\n").find(|block| block.starts_with("openssl req")).unwrap();
    let commands = commands.split("```").next().unwrap();
    assert_eq!(commands.matches("openssl ").count(), 5);
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: openssl is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = run(Command::new("bash").current_dir(folder.path()).args(["-ec", commands]), "");
    assert_eq!(made.code, 0, "{}", made.err);
    let server = Server::start_in(folder, &[&TLS[..], &["--tls-client-ca", "ca.pem"]].concat());
    let own = ["--tls-ca", "ca.pem", "--tls-cert", "balcao.pem", "--tls-key", "balcao.key"];
    for protocol in ["--socket", "--grpc"] {
        let ended = server.run(&[&["query", "maçã", protocol], &own[..]].concat());
        assert_eq!(ended.out, "Maca: R$3.0, Estoque: 20\n", "{}", ended.err);
        failing(&server, 6, &["query", "maçã", protocol, "--tls-ca", "ca.pem"]);
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_told() {
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
        ("servidor", "outra.pem", "quem assinou o certificado do servidor é desconhecido"),
        ("servidor", "falsa.pem", "quem assinou o certificado do servidor é desconhecido"),
        ("servidor", "", "quem assinou o certificado do servidor é desconhecido"),
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
        for (name, expected) in [("cliente", "é desconhecido lá"), ("antigo", "venceu")] {
            let ended = with(name);
            assert_eq!(ended.code, 6, "{}", ended.err);
            assert!(ended.err.contains("não aceita o certificado deste cliente"), "{}", ended.err);
            assert!(ended.err.contains(expected), "{}", ended.err);
        }
    }
}

#[test]
fn files_that_do_not_serve_are_told_and_nothing_is_started() {
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
fn plain_and_tls_that_meet_are_told() {
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
        assert!(said.contains("o que responde lá não fala TLS"), "{said}");
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
    assert!(failing(&server, 5, &["query", "--tls-ca", "ca.pem"]).contains("desconhecido"));
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
    let (code, took) = server.wait();
    assert!(code == Some(0) && took < Duration::from_secs(5), "{code:?} {took:?}");
}

#[test]
fn newcomers_over_tls_are_told_that_there_is_no_room() {
    let (folder, _) = certified();
    let server = Server::start_in(folder, &[&TLS[..], &["--max-connections", "1"]].concat());
    let ca = server.path().join("ca.pem");
    let mut served = TlsText::connect(&server, &ca);
    assert_eq!(served.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    for protocol in ["--socket", "--grpc"] {
        let said = failing(&server, 5, &["query", "caju", "--tls-ca", "ca.pem", protocol]);
        assert!(said.contains("já atende todas as conexões"), "{said}");
    }
    assert_eq!(served.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
}
