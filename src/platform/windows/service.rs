//! The service manager of Windows, if it started this process.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult as Handled, ServiceStatusHandle,
};
use windows_service::{define_windows_service, service_dispatcher};

use super::{log, stop};

/// The name of the service.
pub(super) const NAME: &str = "hortifruti";

/// The time after which the service manager doubts a start or a stop: the longest that a large database, or a client
/// that takes its answers slowly, needs.
const START_WAIT: Duration = Duration::from_secs(120);
pub(super) const STOP_WAIT: Duration = Duration::from_secs(60);

/// The exit code of a service that failed, from which the service manager starts it again.
const FAILED: u32 = 1;

/// The connection to the service manager, of a service.
static MANAGER: OnceLock<ServiceStatusHandle> = OnceLock::new();

/// The work of the service, which the service manager begins on a thread of its own. Returns the error.
static WORK: Mutex<Option<Box<dyn FnOnce() -> Option<String> + Send>>> = Mutex::new(None);

define_windows_service!(service_main, begin);

/// Whether the service manager started this process.
pub(super) fn is_service() -> bool {
    MANAGER.get().is_some()
}

/// Runs a server for the service manager, in this folder.
///
/// # Errors
/// If there is no such folder, or the service manager did not start this process.
pub(crate) fn run<E: Display + Send + 'static>(
    folder: &Path,
    server: impl FnOnce() -> Result<(), E> + Send + 'static,
) -> io::Result<Result<(), E>> {
    env::set_current_dir(folder)?;
    let (result, ended) = channel();
    let work = move || {
        let served = server();
        let error = served.as_ref().err().map(|error| format!("{error:#}"));
        let _ = result.send(served);
        error
    };
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
    service_dispatcher::start(NAME, service_main).map_err(manager_error)?;
    ended.try_recv().map_err(|_| io::Error::other("o gerenciador de serviços não começou o servidor"))
}

/// The service itself.
fn begin(_: Vec<OsString>) {
    let handler = |control| match control {
        ServiceControl::Stop => {
            let _ = report_stopping();
            stop::request(None);
            Handled::NoError
        }
        ServiceControl::Shutdown => {
            let _ = report_stopping();
            stop::request(Some(stop::CLOSE_TIME));
            Handled::NoError
        }
        ServiceControl::Interrogate => Handled::NoError,
        _ => Handled::NotImplemented,
    };
    let Ok(manager) = service_control_handler::register(NAME, handler) else { return };
    let _ = MANAGER.set(manager);
    let _ = report(ServiceState::StartPending, START_WAIT, ServiceExitCode::NO_ERROR);
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).take();
    let code = match work.and_then(|work| work()) {
        None => ServiceExitCode::NO_ERROR,
        Some(error) => {
            log::failed(&error);
            ServiceExitCode::ServiceSpecific(FAILED)
        }
    };
    let _ = report(ServiceState::Stopped, Duration::ZERO, code);
}

/// Reports that clients can connect.
pub(crate) fn report_ready() -> io::Result<()> {
    report(ServiceState::Running, Duration::ZERO, ServiceExitCode::NO_ERROR)
}

/// Reports that the server stops.
pub(crate) fn report_stopping() -> io::Result<()> {
    report(ServiceState::StopPending, STOP_WAIT, ServiceExitCode::NO_ERROR)
}

/// Does nothing: the service manager does not ask.
pub(crate) fn report_alive() -> io::Result<()> {
    Ok(())
}

/// The time after which the service manager starts a silent server again: it does not watch.
pub(crate) fn silence_max() -> Option<Duration> {
    None
}

fn report(state: ServiceState, wait: Duration, code: ServiceExitCode) -> io::Result<()> {
    let Some(manager) = MANAGER.get() else { return Ok(()) };
    let controls = match state {
        ServiceState::Running => ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN,
        _ => ServiceControlAccept::empty(),
    };
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: controls,
        exit_code: code,
        checkpoint: 0,
        wait_hint: wait,
        process_id: None,
    };
    manager.set_service_status(status).map_err(manager_error)
}

/// The system's error behind one of `windows_service`.
pub(super) fn manager_error(error: windows_service::Error) -> io::Error {
    match error {
        windows_service::Error::Winapi(error) => error,
        error => io::Error::other(error),
    }
}
