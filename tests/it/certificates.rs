//! Certificates that `tls` makes, and self-signed ones that other programs make.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::network::{TLS, certified};
use crate::support::{Ended, Need, Server, hortifruti, run, try_run};

const CAJU: &str = "Caju: R$2.0, Estoque: 60\n";

/// What a server with a self-signed certificate says at the start.
const SELF_SIGNED: &str = "não é assinado por uma autoridade, e sim por ele mesmo";

fn tls(folder: &Path, args: &[&str]) -> Ended {
    run(hortifruti(folder).arg("tls").args(args), "")
}

/// A folder in which `tls new` has run.
fn issued(names: &[&str]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let ended = tls(folder.path(), &[&["new"], names].concat());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    (folder, ended.out)
}

/// Runs openssl, unless it is not installed.
fn openssl(folder: &Path, args: &[&str]) -> Option<Ended> {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(args);
    match try_run(&mut command) {
        Ok(ended) => {
            assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
            Some(ended)
        }
        Err(_) => {
            Need::Openssl.skip("openssl is not installed");
            None
        }
    }
}

/// The answers of a query by both protocols, with these files.
fn queries(server: &Server, files: &[&str]) -> [Ended; 2] {
    ["--socket", "--grpc"].map(|protocol| server.run(&[&["query", "caju", protocol], files].concat()))
}

fn assert_all(ended: &[Ended], code: i32, out: &str, said: &str) {
    for ended in ended {
        assert_eq!((ended.code, ended.out.as_str()), (code, out), "{ended:?}");
        assert!(ended.err.contains(said), "{ended:?}");
    }
}

#[test]
fn one_command_makes_what_a_server_and_its_clients_need() {
    let (folder, said) = issued(&["loja.local", "192.0.2.7"]);
    for line in [
        "Autoridade: ca.pem, até 20",
        "A chave dela é ca.key: guarde-a fora do servidor.",
        "para loja.local, 192.0.2.7, ",
        "localhost, 127.0.0.1, ::1.\n",
        "\n  hortifruti serve --tls-cert servidor.pem --tls-key servidor.key\n",
        "\n  hortifruti shell --server loja.local:8082 --tls-ca ca.pem\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    for name in ["ca.pem", "ca.key", "servidor.pem", "servidor.key"] {
        assert_eq!(
            folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
    let server = Server::start_logged_in(folder, &TLS);
    assert_all(&queries(&server, &["--tls-ca", "ca.pem"]), 0, CAJU, "");
    // Without the authority, nobody believes it.
    assert_all(&queries(&server, &["--tls"]), 5, "", "tls-ca");
    assert!(!fs::read_to_string(server.path().join("stderr.txt")).unwrap().contains(SELF_SIGNED));

    let Some(shown) = openssl(server.path(), &["x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256"])
    else {
        return;
    };
    let fingerprint = shown.out.trim().split('=').next_back().unwrap();
    assert!(said.contains(&format!("Impressão digital (SHA-256) da autoridade: {fingerprint}\n")), "{said}");
    openssl(
        server.path(),
        &["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "servidor.pem"],
    );
    for (option, name) in
        [("-verify_hostname", "loja.local"), ("-verify_ip", "192.0.2.7"), ("-verify_ip", "::1")]
    {
        openssl(server.path(), &["verify", option, name, "-CAfile", "ca.pem", "servidor.pem"]);
    }
    let address = format!("localhost:{}", server.port);
    let mut client = Command::new("openssl");
    client.current_dir(server.path()).args([
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-CAfile",
        "ca.pem",
    ]);
    client.args(["-verify_hostname", "localhost", "-connect", &address]);
    let ended = run(&mut client, "1 caju\n5\n");
    assert_eq!(ended.out, format!("{CAJU}\nAté logo.\n\n"), "{}", ended.err);
}

#[test]
fn a_client_gets_a_certificate_for_mutual_tls() {
    let (folder, _) = issued(&[]);
    let ended = tls(folder.path(), &["client", "balcao-2"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    assert!(ended.out.contains("--tls-client-ca ca.pem\n"), "{}", ended.out);
    assert!(ended.out.contains("--tls-ca ca.pem --tls-cert balcao-2.pem --tls-key balcao-2.key\n"));
    // A client of another shop.
    let (other, _) = issued(&[]);
    assert_eq!(tls(other.path(), &["client", "alheio"]).code, 0);
    for name in ["alheio.pem", "alheio.key"] {
        fs::copy(other.path().join(name), folder.path().join(name)).unwrap();
    }
    let server = Server::start_in(folder, &[&TLS[..], &["--tls-client-ca", "ca.pem"]].concat());
    let with = |name: &str| {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        queries(&server, &["--tls-ca", "ca.pem", "--tls-cert", &certificate, "--tls-key", &key])
    };
    assert_all(&with("balcao-2"), 0, CAJU, "");
    assert_all(&with("alheio"), 6, "", "não aceita o certificado deste cliente");
    assert_all(&queries(&server, &["--tls-ca", "ca.pem"]), 6, "", "pede um certificado do cliente");
    openssl(
        server.path(),
        &["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "ca.pem", "balcao-2.pem"],
    );
}

#[test]
fn nothing_that_exists_is_replaced_and_a_renewal_keeps_the_authority() {
    let (folder, said) = issued(&["loja.local"]);
    let path = folder.path().to_owned();
    let contents = || {
        let names = ["ca.key", "ca.pem", "servidor.key", "servidor.pem"];
        names.map(|name| fs::read_to_string(path.join(name)).unwrap())
    };
    let first = contents();
    for (args, advice) in [
        (&["new"][..], "`hortifruti tls new --renew`"),
        (&["client", "servidor"], "dê outro nome ao cliente"),
        (&["client", "ca"], "dê outro nome ao cliente"),
    ] {
        let ended = tls(&path, args);
        assert!(ended.code == 1 && ended.err.contains("já existe. Nada foi criado"), "{ended:?}");
        assert!(ended.err.contains(advice), "{ended:?}");
        assert_eq!(contents(), first);
    }
    // One of the names is taken, and none is made.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("servidor.pem"), "importante").unwrap();
    assert_eq!(tls(&path, &["new", "--folder", other.path().to_str().unwrap()]).code, 1);
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);
    // A folder is made, and named in the lines to paste.
    let ended = tls(other.path(), &["new", "--folder", "a/b"]);
    assert!(ended.code == 0 && ended.out.contains("--tls-cert a/b/servidor.pem"), "{ended:?}");
    for name in ["a/b", ".oculto", "caixa 1", ""] {
        let ended = tls(&path, &["client", name]);
        assert!(ended.code == 2 && ended.err.contains("64 letras"), "{name}: {ended:?}");
    }
    for name in ["loja:8082", "dois nomes", "https://loja.local"] {
        let ended = tls(other.path(), &["new", "--folder", "c", name]);
        assert!(ended.code == 2 && ended.err.contains("só o nome ou o endereço"), "{name}: {ended:?}");
    }
    assert!(!other.path().join("c").exists());

    let mut server = Server::start_in(folder, &TLS);
    let ended = tls(&path, &["new", "--renew", "loja.local"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    let line = |text: &str| text.lines().find(|line| line.starts_with("Impressão")).unwrap().to_owned();
    assert_eq!(line(&ended.out), line(&said));
    let second = contents();
    assert_eq!(second[..2], first[..2]);
    assert!(second[2] != first[2] && second[3] != first[3]);
    server.signal("HUP");
    while server.console_line() != "Certificado relido." {}
    assert_all(&queries(&server, &["--tls-ca", "ca.pem"]), 0, CAJU, "");
    server.stop();

    // The names of before stay unless others are given, and those that go are named.
    assert_eq!(tls(&path, &["new", "--renew", "loja.local", "10.1.2.3", "fd00::12"]).code, 0);
    let named = |text: &str| text.lines().find(|line| line.starts_with("Servidor: ")).unwrap().to_owned();
    let kept = tls(&path, &["new", "--renew"]);
    assert!(named(&kept.out).contains(", para loja.local, 10.1.2.3, fd00::12, "), "{kept:?}");
    assert!(!kept.out.contains("Saíram"), "{kept:?}");
    let other = tls(&path, &["new", "--renew", "balcao.local"]);
    assert!(named(&other.out).contains(", para balcao.local, "), "{other:?}");
    assert!(other.out.contains("Saíram do certificado: loja.local, 10.1.2.3, fd00::12. "), "{other:?}");
    // A certificate that cannot be read is what a renewal mends.
    for spoilt in [&second[3][..200], ""] {
        fs::write(path.join("servidor.pem"), spoilt).unwrap();
        let mended = tls(&path, &["new", "--renew", "loja.local"]);
        assert!(mended.code == 0 && named(&mended.out).contains(", para loja.local, "), "{mended:?}");
        assert!(mended.err.contains("não se sabe que nomes tinha"), "{mended:?}");
    }

    // Another file in the place of the certificate stays, and the key with it.
    let (key, own) = (contents()[2].clone(), contents()[3].clone());
    fs::write(path.join("servidor.pem"), "importante").unwrap();
    assert_eq!(tls(&path, &["new", "--renew", "loja.local"]).code, 1);
    assert_eq!(contents()[2..], [key.clone(), "importante".to_owned()]);
    fs::write(path.join("servidor.pem"), &own).unwrap();
    fs::rename(path.join("servidor.pem"), path.join("outro.pem")).unwrap();
    symlink("outro.pem", path.join("servidor.pem")).unwrap();
    let linked = tls(&path, &["new", "--renew"]);
    assert!(linked.code == 1 && linked.err.contains("servidor.pem: é um link simbólico"), "{linked:?}");
    assert_eq!(contents()[2..], [key, own]);
    fs::rename(path.join("outro.pem"), path.join("servidor.pem")).unwrap();

    // The key of another authority, and no PEM in the place of a certificate.
    let (stranger, _) = issued(&[]);
    fs::copy(stranger.path().join("ca.key"), path.join("ca.key")).unwrap();
    let ended = tls(&path, &["new", "--renew"]);
    assert!(ended.code == 1 && ended.err.contains("não são de uma autoridade que"), "{ended:?}");
    fs::write(path.join("ca.key"), &first[0]).unwrap();
    fs::write(path.join("servidor.key"), "importante").unwrap();
    assert_eq!(tls(&path, &["new", "--renew"]).code, 1);
    assert_eq!(fs::read_to_string(path.join("servidor.key")).unwrap(), "importante");
}

#[test]
fn a_self_signed_certificate_is_accepted_by_whoever_has_exactly_it() {
    let folder = tempfile::tempdir().unwrap();
    // The line of most instructions, whose certificate is an authority's and names no host, and one that is a
    // server's; the third has the same names and another key.
    let authority: &[&str] = &[];
    let leaf: &[&str] = &["-addext", "basicConstraints=critical,CA:FALSE"];
    for (name, key, more) in [
        ("autoridade", "rsa:2048", authority),
        ("folha", "rsa:2048", leaf),
        ("outra", "rsa:2048", authority),
        ("outra-folha", "rsa:2048", leaf),
    ] {
        let (certificate, key_file) = (format!("{name}.pem"), format!("{name}.key"));
        let line = ["req", "-x509", "-newkey", key, "-nodes", "-days", "365", "-subj", "/CN=loja"];
        let files = ["-keyout", &key_file, "-out", &certificate];
        if openssl(folder.path(), &[&line[..], &files, more].concat()).is_none() {
            return;
        }
    }
    let mut folder = Some(folder);
    for (own, other) in [("autoridade", "outra"), ("folha", "outra-folha")] {
        let (certificate, key) = (format!("{own}.pem"), format!("{own}.key"));
        let options = ["--tls-cert", &certificate, "--tls-key", &key];
        let mut server = Server::start_logged_in(folder.take().unwrap(), &options);
        server.log(SELF_SIGNED);
        assert_all(&queries(&server, &["--tls-ca", &certificate]), 0, CAJU, "");
        let address = format!("127.0.0.1:{}", server.port);
        assert_all(&queries(&server, &["--tls-ca", &certificate, "--server", &address]), 0, CAJU, "");
        let other = format!("{other}.pem");
        assert_all(&queries(&server, &["--tls-ca", &other]), 5, "", "certificado");
        assert_all(&queries(&server, &["--tls"]), 5, "", "");
        server.stop();
        folder = Some(std::mem::replace(&mut server.folder, tempfile::tempdir().unwrap()));
    }
}

#[test]
fn an_expired_certificate_is_refused_even_by_whoever_has_it() {
    let (folder, _) = certified();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2021, 1, 1);
    fs::write(folder.path().join("vencido.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.path().join("vencido.key"), key.serialize_pem()).unwrap();
    let server = Server::start_in(folder, &["--tls-cert", "vencido.pem", "--tls-key", "vencido.key"]);
    assert_all(&queries(&server, &["--tls-ca", "vencido.pem"]), 5, "", "o certificado do servidor venceu");
}
