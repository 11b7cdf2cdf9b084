//! What packages bring along: units of systemd, and the version that they are called by.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::waiting::published_port;
use crate::support::{
    Connection, Need, SERVICE_PORT_FILE_VARIABLE, Server, executable, finished, hortifruti, project, run,
    service_port_file, signal, try_run,
};

/// The units.
const UNITS: [&str; 3] = ["hortifruti.service", "hortifruti-backup.service", "hortifruti-backup.timer"];

/// The most that `systemd-analyze security` may count against a service, in tenths. Without any confinement a service
/// has 96.
const EXPOSURE_MAX: &str = "15";

fn packaging(name: &str) -> String {
    fs::read_to_string(project().join("packaging/systemd").join(name)).unwrap()
}

/// The command of a unit, with folders of a test's own in the places of the machine's.
fn command_of(unit: &str, folder: &Path) -> Command {
    let text = packaging(unit);
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/hortifruti ")).unwrap();
    let here = folder.to_str().unwrap();
    let line = line.replace("/var/lib/hortifruti", here).replace("/run/hortifruti", here);
    let line = line.replace("$HORTIFRUTI_KEEP", "14").replace("$HORTIFRUTI_OPTIONS", "--port 0");
    let mut command = hortifruti(folder);
    command.args(line.split(' '));
    command
}

#[test]
fn the_units_are_sound_and_confined() {
    let folder = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let text = packaging(unit).replace("/usr/bin/hortifruti", executable().to_str().unwrap());
        fs::write(folder.path().join(unit), text).unwrap();
    }
    let analyze = |args: &[&str]| {
        try_run(Command::new("systemd-analyze").args(args).current_dir(folder.path())).map_err(|error| {
            Need::Systemd.skip(format!("systemd-analyze cannot be run ({error})"));
        })
    };
    let paths = UNITS.map(|unit| format!("./{unit}"));
    let [server, backup, timer] = paths.each_ref().map(String::as_str);
    let Ok(verified) = analyze(&["verify", "--man=no", server, backup, timer]) else { return };
    assert_eq!((verified.code, verified.err.as_str()), (0, ""), "{verified:?}");
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    for unit in [server, backup] {
        let looked = analyze(&["security", "--offline=yes", "--no-pager", &threshold, unit]).unwrap();
        assert_eq!(looked.code, 0, "{unit}: {}{}", looked.out, looked.err);
    }
}

#[test]
fn the_lines_of_the_units_serve_and_copy() {
    let folder = tempfile::tempdir().unwrap();
    let server = command_of(UNITS[0], folder.path()).stdout(Stdio::null()).spawn().unwrap();
    let mut client = Connection::new(published_port(folder.path()));
    assert_eq!(client.ask("3 Caju -20"), "Caju: R$2.0, Estoque: 40");
    let copied = run(&mut command_of(UNITS[1], folder.path()), "");
    drop(client);
    signal(server.id(), "TERM");
    assert_eq!(finished(server).code, 0);
    assert_eq!((copied.code, copied.err.as_str()), (0, ""), "{copied:?}");
    let copies: Vec<_> = fs::read_dir(folder.path().join("copias")).unwrap().collect();
    assert_eq!(copies.len(), 1);
    let copy = copies.into_iter().next().unwrap().unwrap().path();
    assert!(run(hortifruti(folder.path()).arg("verify").arg(copy), "").out.contains("\nMovimentos: 5\n"));
}

#[test]
fn clients_find_the_service_of_the_machine_from_every_folder() {
    let machine = tempfile::tempdir().unwrap();
    let port_file = service_port_file(machine.path());
    fs::create_dir(port_file.parent().unwrap()).unwrap();
    let mut server = Server::start_in(machine, &["--port-file", port_file.to_str().unwrap()]);
    let elsewhere = tempfile::tempdir().unwrap();
    let usual = elsewhere.path().join("arquivo");
    fs::write(&usual, "").unwrap();
    // Whoever may read a file of this user reads it.
    assert_eq!(fs::metadata(&port_file).unwrap().permissions(), fs::metadata(&usual).unwrap().permissions());
    let asked = |folder: &Path| {
        let mut command = hortifruti(folder);
        run(command.args(["query", "Caju"]).env(SERVICE_PORT_FILE_VARIABLE, &port_file), "")
    };
    assert_eq!(asked(elsewhere.path()).out, "Caju: R$2.0, Estoque: 60\n");
    // The server of the folder comes first.
    let own = Server::start_in(elsewhere, &["--empty"]);
    assert_eq!(asked(own.path()).code, 3);
    server.stop();
    assert!(!port_file.exists());
}

/// The texts between quotes of a line.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

#[test]
fn what_packages_bring_along_is_there() {
    let manifest = fs::read_to_string(project().join("Cargo.toml")).unwrap();
    let (_, assets) = manifest.split_once("assets = [\n").unwrap();
    let assets: Vec<Vec<&str>> = assets.lines().take_while(|line| *line != "]").map(quoted).collect();
    let build = fs::read_to_string(project().join("packaging/build")).unwrap();
    for asset in &assets {
        let [from, to, mode] = asset[..] else { panic!("{asset:?}") };
        assert!(!to.starts_with('/') && ["644", "755"].contains(&mode), "{asset:?}");
        match from.strip_prefix("target/packaging/") {
            Some(made) => assert!(build.contains(made.split('/').next().unwrap()), "{asset:?}"),
            None => assert!(project().join(from).is_file(), "{asset:?}"),
        }
    }
    let is_installed = |path: &str| assets.iter().any(|asset| asset[0] == path);
    for shell in ["_hortifruti", "hortifruti.bash", "hortifruti.fish"] {
        assert!(is_installed(&format!("completions/{shell}")), "{shell}");
    }
    // The units' settings and user are installed with them.
    let unit = packaging(UNITS[0]);
    assert!(
        unit.contains("EnvironmentFile=-/etc/default/hortifruti\n") && unit.contains("User=hortifruti\n")
    );
    assert!(is_installed("packaging/systemd/default") && is_installed("packaging/sysusers/hortifruti.conf"));
    let settings = packaging("default");
    for variable in ["HORTIFRUTI_OPTIONS", "HORTIFRUTI_KEEP"] {
        let is_used = UNITS.iter().any(|unit| packaging(unit).contains(&format!("${variable}")));
        assert!(is_used && settings.contains(&format!("\n{variable}=")), "{variable}");
    }
}

#[test]
fn the_version_is_that_of_the_changelog_and_names_the_schema() {
    let changelog = fs::read_to_string(project().join("CHANGELOG.md")).unwrap();
    let versions: Vec<&str> = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## [")?.split_once(']').map(|(version, _)| version))
        .filter(|version| *version != "Unreleased")
        .collect();
    let said = run(hortifruti(&project()).arg("--version"), "").out;
    let rest =
        said.strip_prefix(&format!("hortifruti {} (", versions[0])).unwrap_or_else(|| panic!("{said}"));
    // The commit stands before the schema in a release build.
    assert!(rest.ends_with("esquema 9)\n"), "{said}");
}
