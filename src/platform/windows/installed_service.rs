//! The service of Windows that starts the server with the machine: its program, its folders, and its rights.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceFailureActions,
    ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::service::{NAME, STOP_WAIT, manager_error};
use super::{files, log, machine};

/// The names under which people see the service.
const DISPLAY_NAME: &str = "hortifruti";
const DESCRIPTION: &str = "Guarda o estoque da loja e atende o painel e os clientes do hortifruti.";

/// The account of the service, which Windows makes for each service and which has no rights elsewhere.
const ACCOUNT: &str = r"NT SERVICE\hortifruti";

/// Well-known accounts, by numbers that do not depend on the language of Windows.
const SYSTEM: &str = "*S-1-5-18";
const ADMINISTRATORS: &str = "*S-1-5-32-544";
const USERS: &str = "*S-1-5-32-545";

/// The waits before the first, the second and every further start of a service that failed.
const RESTART_AFTER: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(60)];

/// The time without a failure after which the next failure counts as the first.
const FAILURES_RESET: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest wait for a start, in which a person would doubt it, and the time between two looks at the service.
const START_WAIT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Errors of the service manager: the service runs already, is marked to be deleted, does not exist, or does not run.
const ALREADY_RUNNING: i32 = 1056;
const DOES_NOT_EXIST: i32 = 1060;
const NOT_ACTIVE: i32 = 1062;

/// Installs the service, or changes the installed one to this program and these options of `serve`. Returns the folder
/// of the shop.
///
/// # Errors
/// If the caller is no administrator ([`ErrorKind::PermissionDenied`]), or the system refuses a step.
pub(crate) fn install(options: &[OsString]) -> io::Result<PathBuf> {
    let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
    let manager = ServiceManager::local_computer(None::<&str>, access).map_err(manager_error)?;
    let installed = match open(&manager) {
        Ok(service) => Some(service),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(service) = &installed {
        end(service)?;
    }
    let about = ServiceInfo {
        name: NAME.into(),
        display_name: DISPLAY_NAME.into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: copy_program()?,
        // The variables of a service may name another folder.
        launch_arguments: [&["serve".into(), "--service".into(), machine::service_folder().into()], options]
            .concat(),
        dependencies: Vec::new(),
        account_name: Some(ACCOUNT.into()),
        account_password: None,
    };
    let service = match installed {
        Some(service) => service.change_config(&about).map(|()| service),
        None => manager.create_service(&about, access_to_service()),
    };
    let service = service.map_err(manager_error)?;
    service.set_description(DESCRIPTION).map_err(manager_error)?;
    let restart = |delay| ServiceAction { action_type: ServiceActionType::Restart, delay };
    let recovery = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(FAILURES_RESET),
        reboot_msg: None,
        command: None,
        actions: Some(RESTART_AFTER.map(restart).to_vec()),
    };
    service.update_failure_actions(recovery).map_err(manager_error)?;
    // Without it only a crash is a failure.
    let _ = service.set_failure_actions_on_non_crash_failures(true);
    log::register()?;
    make_folders()?;
    Ok(machine::service_folder())
}

/// Starts the service. Returns whether clients can connect.
///
/// # Errors
/// If the service is not installed ([`ErrorKind::NotFound`], without a number of the system), the caller is no administrator
/// ([`ErrorKind::PermissionDenied`]), or the system refuses.
pub(crate) fn start() -> io::Result<bool> {
    let service = connect()?;
    match service.start::<OsString>(&[]).map_err(manager_error) {
        Err(error) if error.raw_os_error() != Some(ALREADY_RUNNING) => return Err(error),
        _ => {}
    }
    Ok(state_once(&service, |state| state != ServiceState::StartPending, START_WAIT)?
        == ServiceState::Running)
}

/// Stops the service as Ctrl-C stops a server. Returns whether the server ended.
///
/// # Errors
/// If [`start`] would fail.
pub(crate) fn stop() -> io::Result<bool> {
    end(&connect()?)
}

/// Stops the service, and removes all of it but the shop. Returns the folder of the shop.
///
/// # Errors
/// If [`start`] would fail.
pub(crate) fn remove() -> io::Result<PathBuf> {
    let service = connect()?;
    end(&service)?;
    service.delete().map_err(manager_error)?;
    // The rest is of no use any more, and may be in use.
    let _ = log::unregister();
    let program = program();
    let _ = fs::remove_file(&program);
    let _ = program.parent().map(fs::remove_dir);
    Ok(machine::service_folder())
}

fn connect() -> io::Result<Service> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT);
    open(&manager.map_err(manager_error)?)
}

fn open(manager: &ServiceManager) -> io::Result<Service> {
    let opened = manager.open_service(NAME, access_to_service()).map_err(manager_error);
    opened.map_err(|error| match error.raw_os_error() {
        Some(DOES_NOT_EXIST) => ErrorKind::NotFound.into(),
        _ => error,
    })
}

fn access_to_service() -> ServiceAccess {
    ServiceAccess::QUERY_STATUS
        | ServiceAccess::START
        | ServiceAccess::STOP
        | ServiceAccess::CHANGE_CONFIG
        | ServiceAccess::DELETE
}

/// Ends the server of a service. Returns whether it has ended.
fn end(service: &Service) -> io::Result<bool> {
    match service.stop().map_err(manager_error) {
        Err(error) if error.raw_os_error() == Some(NOT_ACTIVE) => return Ok(true),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    // The service may report only later that it stops.
    Ok(state_once(service, |state| state == ServiceState::Stopped, STOP_WAIT)? == ServiceState::Stopped)
}

/// The state of a service once it is one of those that are awaited, or after this time.
fn state_once(
    service: &Service,
    is_awaited: impl Fn(ServiceState) -> bool,
    wait: Duration,
) -> io::Result<ServiceState> {
    let give_up = Instant::now() + wait;
    loop {
        let state = service.query_status().map_err(manager_error)?.current_state;
        if is_awaited(state) || Instant::now() >= give_up {
            return Ok(state);
        }
        sleep(LOOK_EVERY);
    }
}

/// The program of the service, in a folder to which only administrators write.
fn program() -> PathBuf {
    let programs =
        env::var_os("ProgramFiles").map_or_else(|| PathBuf::from(r"C:\Program Files"), PathBuf::from);
    programs.join(r"hortifruti\hortifruti.exe")
}

/// Copies this program to the place of the service's program.
fn copy_program() -> io::Result<PathBuf> {
    let (own, program) = (env::current_exe()?, program());
    let is_same = |one: &Path, other: &Path| {
        let (one, other) = (files::stat(one).ok(), files::stat(other).ok());
        one.is_some() && one == other
    };
    if !is_same(&own, &program) {
        let copy = program.with_extension("novo");
        program.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(own, &copy)?;
        files::rename(&copy, &program)?;
    }
    Ok(program)
}

/// Makes the folder of the shop, which is the service's and administrators' alone, and the one of the port file, which
/// all users can read.
fn make_folders() -> io::Result<()> {
    let (shop, port) = (machine::service_folder(), machine::service_port_file());
    let port = port.parent().unwrap_or(&shop);
    fs::create_dir_all(port)?;
    // Another user may have made the folder before: its owner could change the rights later.
    let _ = set_rights(&shop, &["/setowner", ADMINISTRATORS, "/T", "/C", "/Q"]);
    set_rights(&shop, &["/reset", "/T", "/C", "/Q"])?;
    let grants = [
        format!("{SYSTEM}:(OI)(CI)F"),
        format!("{ADMINISTRATORS}:(OI)(CI)F"),
        format!("{ACCOUNT}:(OI)(CI)M"),
    ];
    let words: Vec<&str> =
        ["/inheritance:r", "/grant:r"].into_iter().chain(grants.iter().map(String::as_str)).collect();
    set_rights(&shop, &words)?;
    set_rights(port, &["/grant", &format!("{USERS}:(OI)(CI)RX")])
}

/// Changes the rights of a folder by the system's own program.
fn set_rights(folder: &Path, words: &[&str]) -> io::Result<()> {
    let system = env::var_os("SystemRoot").map_or_else(|| PathBuf::from(r"C:\Windows"), PathBuf::from);
    let ended = Command::new(system.join(r"System32\icacls.exe")).arg(folder).args(words).output()?;
    match ended.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("os direitos de {} não puderam ser postos", folder.display()))),
    }
}
