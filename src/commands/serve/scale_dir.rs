//! `serve --scale-dir`: a file for scales that follows the prices, in a folder that the scales' program reads.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::inventory::{Inventory, PriceWatch};
use crate::io_error::describe;
use crate::private_file::{AtomicFile, NameState, open_to_read};
use crate::scale_file::{self, DEPARTMENTS, ScaleEncoding, ScaleFormat, is_scale_file};

/// The time from the beginning of one file to the next: a program that reads the folder gets no more than one a
/// second, and a price is in the file after a second.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// The wait before a file that could not be written is tried again: a network folder may come back.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The most bytes of a load that are kept: a million products in the widest format are fewer. A longer file is none.
const LOAD_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The most loads of other programs that are kept: another program that writes the file, too, would fill the disk.
const COPIES_MAX: u32 = 100;

#[derive(Debug, Args)]
pub(super) struct ScaleDir {
    /// Mantém nesta pasta o arquivo das balanças: refeito até um segundo depois que um preço muda
    #[arg(long, value_name = "PASTA", value_hint = clap::ValueHint::DirPath)]
    scale_dir: Option<PathBuf>,
    /// Formato desse arquivo: itensmgv (o padrão), itensmgv4, txitens, filizola ou urano
    #[arg(long, value_name = "FORMATO", value_enum, requires = "scale_dir", hide_possible_values = true)]
    scale_format: Option<ScaleFormat>,
    /// Departamento desse arquivo, de 1 a 99. O padrão é 1
    #[arg(long, value_name = "N", requires = "scale_dir", value_parser = clap::value_parser!(u8).range(i64::from(*DEPARTMENTS.start())..=i64::from(*DEPARTMENTS.end())))]
    scale_department: Option<u8>,
    /// Letras desse arquivo: ascii (o padrão), sem acentos, ou windows-1252, com eles
    #[arg(long, value_name = "CODIFICACAO", value_enum, requires = "scale_dir", hide_possible_values = true)]
    scale_encoding: Option<ScaleEncoding>,
}

impl ValueEnum for ScaleFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &ScaleFormat::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

/// The files that are kept, and how.
struct Kept {
    folder: PathBuf,
    format: ScaleFormat,
    department: u8,
    encoding: ScaleEncoding,
    /// The files that were written last.
    last: HashMap<&'static str, Vec<u8>>,
    /// The message about what is not in the files, which is logged when it becomes another.
    missing: String,
}

/// The thread that keeps the files, until it is stopped.
pub(super) struct Keeper {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl ScaleDir {
    /// Refuses a folder in which the files cannot be kept.
    ///
    /// # Errors
    /// If the folder is missing, or another file has the name of one of them.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let Some(folder) = &self.scale_dir else { return Ok(()) };
        let shown = folder.display();
        if !folder.is_dir() {
            bail!(
                "{shown} não é uma pasta. O servidor não foi iniciado; crie-a, ou indique outra com --scale-dir"
            );
        }
        let format = self.scale_format.unwrap_or(ScaleFormat::Itensmgv);
        for name in [Some(format.file_name()), format.second_file_name()].into_iter().flatten() {
            let path = folder.join(name);
            let state = NameState::at(&path, has_written);
            let state = state.with_context(|| {
                format!("{} não pôde ser lido. O servidor não foi iniciado", path.display())
            })?;
            if let NameState::Other(obstacle) = state {
                bail!(
                    "{} {obstacle}, e só uma carga de balança pode ser substituída. O servidor não foi iniciado; mude o \
                     nome dele, ou indique outra pasta com --scale-dir",
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// Starts to keep the files, if a folder is given.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(super) fn keep(&self, inventory: &Inventory) -> anyhow::Result<Option<Keeper>> {
        let Some(folder) = &self.scale_dir else { return Ok(None) };
        let kept = Kept {
            folder: folder.clone(),
            format: self.scale_format.unwrap_or(ScaleFormat::Itensmgv),
            department: self.scale_department.unwrap_or(*DEPARTMENTS.start()),
            encoding: self.scale_encoding.unwrap_or_default(),
            last: HashMap::new(),
            missing: String::new(),
        };
        let watch = inventory.watch_prices().context("há acompanhamentos demais")?;
        let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("hortifruti-scales".to_owned());
        let thread = thread.spawn(move || runtime.block_on(kept.follow(watch, stopped)))?;
        Ok(Some(Keeper { stop, thread }))
    }
}

impl Keeper {
    /// Writes the last changes, and ends.
    pub(super) fn stop(self) {
        let Self { stop, thread } = self;
        let _ = stop.send(());
        if thread.join().is_err() {
            tracing::error!("the thread that keeps the scale files failed");
        }
    }
}

impl Kept {
    /// Writes the files after each change, until the stop.
    async fn follow(mut self, mut watch: PriceWatch, mut stopped: oneshot::Receiver<()>) {
        loop {
            let is_stopping = tokio::select! {
                () = watch.changed() => false,
                _ = &mut stopped => true,
            };
            let begun = Instant::now();
            let is_written = self.write(&watch).await;
            if is_stopping {
                return;
            }
            let pause = if is_written { WRITE_EVERY } else { RETRY_AFTER };
            tokio::select! {
                () = tokio::time::sleep_until(begun + pause) => {}
                _ = &mut stopped => {
                    self.write(&watch).await;
                    return;
                }
            }
            if !is_written {
                watch.look_again();
            }
        }
    }

    /// Writes the files, if they would be others than the last ones. Returns whether they are up to date.
    async fn write(&mut self, watch: &PriceWatch) -> bool {
        let products = match watch.products().await {
            Ok(products) => products,
            Err(refusal) => {
                tracing::warn!(%refusal, "the scale file was not written");
                return false;
            }
        };
        let (format, name) = (self.format, self.format.file_name());
        let (written, unfit) = scale_file::write_what_fits(format, self.department, self.encoding, &products);
        let missing = match (written.count, unfit) {
            (0, _) => format!(
                "o arquivo das balanças {name} ficou como estava: nenhum produto tem código de loja e preço que caiba, \
                 e uma carga vazia as esvaziaria. Se há nele uma carga da loja, importe-a com `hortifruti import`"
            ),
            (_, None) => String::new(),
            (_, Some(unfit)) => format!(
                "fora do arquivo das balanças {name}: {}. Corrija o cadastro, ou aposente o produto",
                unfit.lines().join("; ")
            ),
        };
        if missing != self.missing && !missing.is_empty() {
            tracing::error!("{missing}");
        }
        self.missing = missing;
        if written.count == 0 {
            // Nothing but another change mends this.
            return true;
        }
        let mut files = vec![(self.format.file_name(), written.bytes)];
        files.extend(self.format.second_file_name().zip(written.sectors));
        self.put(files)
    }

    /// Writes these files, if they are others than the last ones. Returns whether they are up to date.
    fn put(&mut self, files: Vec<(&'static str, Vec<u8>)>) -> bool {
        if files.iter().all(|(name, bytes)| self.last.get(name) == Some(bytes)) {
            return true;
        }
        for (name, bytes) in files {
            match replace(&self.folder.join(name), &bytes, self.last.get(name)) {
                Ok(None) => {}
                Ok(Some(kept)) => tracing::warn!(
                    "{name} era de outro programa, ou de antes, e está guardado em {}; para trazer os produtos dele, \
                     `hortifruti import`",
                    kept.display()
                ),
                Err(error) => {
                    tracing::error!(
                        "o arquivo das balanças {name} não pôde ser escrito: {}",
                        describe(&error)
                    );
                    return false;
                }
            }
            // If the next file cannot be written, this one is still the server's own.
            self.last.insert(name, bytes);
        }
        true
    }
}

/// Whether a file that begins so is a load of scales, or is empty.
fn has_written(head: &[u8]) -> bool {
    head.is_empty() || is_scale_file(head)
}

/// Writes a file in the place of an earlier one, by one rename. If that is not the last one of this server, it is
/// kept under the path that is returned.
fn replace(path: &Path, bytes: &[u8], last: Option<&Vec<u8>>) -> io::Result<Option<PathBuf>> {
    let earlier = match open_to_read(path) {
        Ok(earlier) => earlier,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return AtomicFile::write_shared(path, bytes, has_written).map(|()| None);
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    earlier.take(LOAD_BYTES_MAX + 1).read_to_end(&mut found)?;
    if found.len() as u64 > LOAD_BYTES_MAX {
        return Err(io::Error::other("o arquivo que está lá é grande demais para uma carga de balança"));
    }
    if found == bytes {
        return Ok(None);
    }
    let is_own = found.is_empty() || last.is_some_and(|last| *last == found);
    let kept = if is_own { None } else { Some(keep(path, &found)?) };
    AtomicFile::write_shared(path, bytes, has_written)?;
    Ok(kept)
}

/// Keeps a copy of a load beside it, under the first free name, unless there is one. Returns the path of the copy.
fn keep(path: &Path, load: &[u8]) -> io::Result<PathBuf> {
    for number in 1..=COPIES_MAX {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 1 { ".anterior".to_owned() } else { format!(".anterior-{number}") });
        let copy = PathBuf::from(name);
        if copy.is_file() {
            // Each further attempt to write the load would leave another copy.
            let is_as_long = copy.metadata().is_ok_and(|kept| kept.len() == load.len() as u64);
            if is_as_long && fs::read(&copy).is_ok_and(|kept| kept == load) {
                return Ok(copy);
            }
            continue;
        }
        let made = AtomicFile::begin_shared(&copy)?;
        made.file().write_all(load)?;
        match made.finish(false) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            finished => return finished.map(|()| copy),
        }
    }
    Err(io::Error::other(format!("há {COPIES_MAX} cópias ao lado dele; guarde-as noutra pasta")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_beside_one_that_cannot_be_written_is_known_as_own() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["CADTXT.TXT", "SETORTXT.TXT"];
        let mut kept = Kept {
            folder: folder.path().to_owned(),
            format: ScaleFormat::Filizola,
            department: 1,
            encoding: ScaleEncoding::default(),
            last: HashMap::new(),
            missing: String::new(),
        };
        let files = |price: u8| {
            let load = format!("000011UCAJU                  0000{price}00000").into_bytes();
            vec![(first, load), (second, b"FRUTAS".to_vec())]
        };
        fs::create_dir(folder.path().join(second)).unwrap();
        for price in 0..3 {
            assert!(!kept.put(files(price)));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        fs::remove_dir(folder.path().join(second)).unwrap();
        assert!(kept.put(files(2)));
        assert_eq!(fs::read(folder.path().join(second)).unwrap(), b"FRUTAS");
    }
}
