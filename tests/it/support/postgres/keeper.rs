//! The end of clusters: each has a keeper, a process that ends it after the tests that made it.
//!
//! A run of the tests may be killed together with its keepers. Each folder of a cluster names the process that made it
//! and its keeper, and a later run sweeps the folders of which both are gone. Folders of other users are left alone.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::run;

/// The beginning of the name of each cluster's folder.
pub(super) const PREFIX: &str = "hortifruti-pg-";

/// Waits for the end of its input, and then ends the server of a folder and removes the folder. The number of
/// the process may be another's by now, so the process must stand in the folder. Processes that were stopped go on,
/// and those that do not end are killed. A server that was killed leaves its lock, a segment of shared memory, whose
/// number is in the seventh line of the file.
const KEEPER: &str = r#"
cat > /dev/null
folder=$1
processes() { find /proc/[0-9]*/cwd -maxdepth 0 -lname "$folder/data" | cut -d / -f 3; }
kill -CONT $(processes)
pid=$(head -n 1 "$folder/data/postmaster.pid")
if processes | grep -qx "$pid"; then
    kill -QUIT "$pid"
    for _ in $(seq 100); do processes | grep -qx "$pid" || break; sleep 0.05; done
fi
kill -KILL $(processes)
lock=$(sed -n '7s/.* //p' "$folder/data/postmaster.pid")
[ -n "$lock" ] && ipcrm -m "$lock"
mountpoint -q "$folder" && umount --lazy "$folder"
rm -rf "$folder"
"#;

/// The file in the folder of a cluster that names the processes which keep it: the number of each, and the time at
/// which it was started, by which a later process of the same number is known.
const OWNERS: &str = "owners";

/// Starts the keeper of a cluster.
pub(super) fn keep(folder: &Path) -> Child {
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(folder).current_dir("/");
    let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    note_owners(folder, [std::process::id(), keeper.id()]);
    keeper
}

/// Notes the processes that keep a cluster.
fn note_owners(folder: &Path, processes: [u32; 2]) {
    let lines = processes.map(|process| format!("{process} {}\n", started_at(process).unwrap_or_default()));
    fs::write(folder.join(OWNERS), lines.concat()).unwrap();
}

/// Ends the clusters in this folder that nobody keeps.
pub(super) fn sweep(temporary: &Path) {
    let own_user = fs::metadata("/proc/self").unwrap().uid();
    let entries = fs::read_dir(temporary).unwrap().filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    let is_stale = |folder: &Path| {
        let file = folder.join(OWNERS);
        // Another run may remove the folder at the same time.
        let owners = fs::read_to_string(&file).ok();
        let user = fs::metadata(&file).map(|file| file.uid()).ok();
        user == Some(own_user) && owners.is_some_and(|owners| owners.lines().all(has_ended))
    };
    for folder in folders.map(|entry| entry.path()).filter(|folder| is_stale(folder)) {
        let ended = run(Command::new("sh").args(["-c", KEEPER, "keeper"]).arg(&folder).current_dir("/"), "");
        assert_eq!(ended.code, 0, "{}: {ended:?}", folder.display());
        println!("ended {}, which a killed run has left", folder.display());
    }
}

/// Whether the process of a line has ended.
fn has_ended(line: &str) -> bool {
    line.split_once(' ').is_none_or(|(process, start)| {
        process.parse().ok().and_then(started_at).is_none_or(|now| now != start)
    })
}

/// The time at which a process was started, in ticks since the start of the system; `None` if it has ended.
fn started_at(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Fields 3 and 22 of proc_pid_stat(5), counted behind the name, which may have spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
    // A zombie has ended, and nobody has asked how.
    (fields[0] != "Z").then(|| fields[19].to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Cluster, versions};
    use super::*;
    use crate::support::waiting::{end_of, kill};

    #[test]
    fn a_cluster_that_nobody_keeps_is_ended_and_one_that_is_kept_is_not() {
        for version in versions() {
            let (kept, mut left) = (Cluster::new(version), Cluster::new(version));
            // A keeper that is killed, as by the end of a container, ends nothing.
            kill(&mut left.keeper);
            left.freeze(true);
            let temporary = std::env::temp_dir();
            sweep(&temporary);
            assert!(left.is_running(), "the process that made it is still there");
            let mut gone = Command::new("true").spawn().unwrap();
            let gone_id = gone.id();
            end_of(&mut gone);
            note_owners(&left.folder, [gone_id, gone_id]);
            sweep(&temporary);
            assert!(!left.is_running() && !left.folder.exists());
            assert_eq!(kept.sql("postgres", "SELECT 1"), "1");
        }
    }
}
