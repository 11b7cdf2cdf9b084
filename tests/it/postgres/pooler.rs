//! PgBouncer between the servers and the engine: one that mixes connections is refused, one that does not is as good
//! as none.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::postgres::{Cluster, SUPERUSER, as_owner, free_port, shop_of, versions};
use crate::support::waiting::{kill, wait_for};
use crate::support::{Need, Server, hortifruti, run};

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler before a cluster.
struct Pooler {
    port: u16,
    child: Child,
}

impl Pooler {
    fn start(cluster: &Cluster, mode: &str) -> Self {
        let (port, folder) = (free_port(), cluster.folder());
        let [settings, users] = ["ini", "txt"].map(|kind| folder.join(format!("pooler-{port}.{kind}")));
        fs::write(&users, format!("\"{SUPERUSER}\" \"\"\n")).unwrap();
        let of_pooler = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {mode}\n",
            cluster.port,
            users.display()
        );
        fs::write(&settings, of_pooler).unwrap();
        let mut command = as_owner(&[], Path::new(PROGRAM));
        command.arg("-q").arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        wait_for(|| TcpStream::connect(("127.0.0.1", port)));
        Self { port, child }
    }

    /// The address of a shop by this pooler, from that by the engine itself.
    fn address(&self, cluster: &Cluster, shop: &str) -> String {
        shop.replace(&format!(":{}/", cluster.port), &format!(":{}/", self.port))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

#[test]
fn a_pooler_that_mixes_connections_is_refused_and_one_of_sessions_serves() {
    if !Path::new(PROGRAM).exists() {
        return Need::Pgbouncer.skip("pgbouncer is not installed");
    }
    for version in versions() {
        println!("{}", version.name);
        let cluster = version.shared();
        let shop = version.new_shop();
        for mode in ["transaction", "statement"] {
            let pooler = Pooler::start(cluster, mode);
            let folder = tempfile::tempdir().unwrap();
            let address = pooler.address(cluster, &shop);
            for args in [
                &["serve", "--port", "0", "--data", &address][..],
                &["verify", &address],
                &["move", &address, "copia.db"],
            ] {
                let ended = run(hortifruti(folder.path()).args(args), "");
                assert_eq!(ended.code, 1, "{mode}: {args:?}: {ended:?}");
                assert!(ended.err.contains("pool_mode = session"), "{mode}: {args:?}: {}", ended.err);
            }
        }
        let pooler = Pooler::start(cluster, "session");
        let address = pooler.address(cluster, &shop);
        let (mut writer, standby) =
            (Server::start(&["--data", &address]), Server::start(&["--data", &address]));
        assert_eq!(writer.connect().ask("3 Caju -1 id=p1"), "Caju: R$2.0, Estoque: 59");
        assert!(standby.connect().ask("historico limite=1").starts_with("#5 "));
        writer.stop();
        let answer = wait_for(|| {
            let answer = standby.connect().ask("3 Caju -1 id=p1");
            if answer.starts_with("Erro UNAVAILABLE") { Err(answer) } else { Ok(answer) }
        });
        assert_eq!(answer, "Caju: R$2.0, Estoque: 59");
        let verified = standby.run(&["verify", &address]);
        assert_eq!(verified.code, 0, "{} {}", shop_of(&shop), verified.err);
    }
}
