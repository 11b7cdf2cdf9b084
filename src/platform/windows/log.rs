//! The place of a server's log: standard error, or the event log of Windows for a service, which has no console.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use winsafe::{HEVENTLOG, HKEY, RegistryValue, co};

use super::system_error;

/// The name of the source of this program's events.
const SOURCE: &str = "hortifruti";

/// The number of all events. The registered file of messages, which every Windows has for `eventcreate`, shows those
/// of 1 to 1000 as their text alone.
const EVENT: u32 = 1;
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";

/// The key with the sources of the log of applications.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";

/// The kinds of events that the source has: errors, warnings and information.
const KINDS: u32 = 7;

/// The longest text of an event, in characters, of those that `ReportEvent` accepts (31,839).
const CHARACTERS_MAX: usize = 30_000;

/// Whether this process logs to the event log.
static HAS_EVENTS: AtomicBool = AtomicBool::new(false);

/// The writer of the log.
pub(crate) fn writer(is_of_service: bool) -> BoxMakeWriter {
    HAS_EVENTS.store(is_of_service, Ordering::Relaxed);
    if is_of_service { BoxMakeWriter::new(EventLog) } else { BoxMakeWriter::new(io::stderr) }
}

/// Reports to the event log that a service starts or stops.
pub(crate) fn note(text: &str) {
    if HAS_EVENTS.load(Ordering::Relaxed) {
        report(co::EVENTLOG::INFORMATION_TYPE, text);
    }
}

/// Reports to the event log why a service ends.
pub(super) fn failed(text: &str) {
    report(co::EVENTLOG::ERROR_TYPE, text);
}

/// Registers this program as a source of events.
pub(super) fn register() -> io::Result<()> {
    let key = format!(r"{SOURCES}\{SOURCE}");
    let opened =
        HKEY::LOCAL_MACHINE.RegCreateKeyEx(&key, None, co::REG_OPTION::NON_VOLATILE, co::KEY::WRITE, None);
    let (source, _) = opened.map_err(system_error)?;
    let set = |name, value| source.RegSetValueEx(Some(name), value).map_err(system_error);
    set("EventMessageFile", RegistryValue::ExpandSz(MESSAGES.to_owned()))?;
    set("TypesSupported", RegistryValue::Dword(KINDS))
}

/// Removes the source. Its events stay, without their messages.
pub(super) fn unregister() -> io::Result<()> {
    let opened = HKEY::LOCAL_MACHINE.RegOpenKeyEx(Some(SOURCES), co::REG_OPTION::default(), co::KEY::WRITE);
    opened.and_then(|sources| sources.RegDeleteKey(SOURCE)).map_err(system_error)
}

/// Adds an event. Nothing depends on whether the system accepts it.
fn report(kind: co::EVENTLOG, text: &str) {
    let text: String = text.trim_end().replace('\0', " ").chars().take(CHARACTERS_MAX).collect();
    let _ = HEVENTLOG::RegisterEventSource(None, SOURCE)
        .and_then(|log| log.ReportEvent(kind, 0, EVENT, None, &[text], &[]));
}

/// The log of a service.
struct EventLog;

impl<'a> MakeWriter<'a> for EventLog {
    type Writer = Event;

    fn make_writer(&'a self) -> Event {
        Event(co::EVENTLOG::INFORMATION_TYPE)
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Event {
        Event(match *about.level() {
            Level::ERROR => co::EVENTLOG::ERROR_TYPE,
            Level::WARN => co::EVENTLOG::WARNING_TYPE,
            _ => co::EVENTLOG::INFORMATION_TYPE,
        })
    }
}

/// A writer whose writes are an event each.
struct Event(co::EVENTLOG);

impl Write for Event {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        report(self.0, &String::from_utf8_lossy(text));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
