//! A headless Chromium of its own for a test, driven through chromedriver by WebDriver.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::{ParseError, Url};

use crate::support::waiting::{end_of, lines, wait_for};
use crate::support::{Need, PATIENCE, without_environment};

/// Keys that write nothing, as WebDriver numbers them.
pub(super) const ALT: char = '\u{e00a}';
pub(super) const CONTROL: char = '\u{e009}';
pub(super) const DOWN: char = '\u{e015}';
pub(super) const ENTER: char = '\u{e007}';
pub(super) const ESCAPE: char = '\u{e00c}';
pub(super) const F2: char = '\u{e032}';
pub(super) const F4: char = '\u{e034}';
pub(super) const F8: char = '\u{e038}';

/// The window of a till, and that of a small phone.
pub(super) const WIDE: (u32, u32) = (1280, 700);
pub(super) const NARROW: (u32, u32) = (360, 740);

/// The field that has the id of an element in the value of a script, as WebDriver calls it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Looks for the first element that a person sees among those of a selector, with a text in it.
const FIND: &str = "
    const [selector, text] = arguments;
    const plain = (node) => `${node.innerText ?? node.textContent} ${node.value ?? ''} ${node.getAttribute('aria-label') ?? ''}`.replace(/\\s+/g, ' ');
    return [...document.querySelectorAll(selector)].find((node) => node.checkVisibility() && plain(node).includes(text)) ?? null;";

/// Elements beyond the right edge, if the page can be moved to see them; and a page that is moved beside its content.
pub(super) const TOO_WIDE: &str = "
    const page = document.scrollingElement;
    if (page.scrollHeight > page.clientHeight) return [`the page is ${page.scrollHeight} high, and its window ${page.clientHeight}`];
    const hasBar = (node) => node.scrollWidth > node.clientWidth && node.offsetHeight - node.clientHeight >= 10;
    const moved = [...document.querySelectorAll('body *')].filter(hasBar);
    if (moved.length > 0) return moved.map((node) => `${node.tagName} ${node.className} has a horizontal scrollbar`);
    if (page.scrollWidth <= page.clientWidth && document.body.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll('body *')].filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 5).map((node) => `${node.tagName} ${node.className} ${node.getBoundingClientRect().right}`);";

/// A browser with an empty profile, which ends with this.
pub(super) struct Browser {
    client: Client,
    runtime: Runtime,
    driver: Child,
    /// Requests that the browser made, and messages of its console.
    requests: RefCell<Vec<String>>,
    /// The origin of the pages that were opened.
    origin: RefCell<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one. None, and the test is skipped, if this machine has no Chromium.
    pub(super) fn start() -> Option<Self> {
        let Some(chromium) = program("chromium") else {
            Need::Browser.skip("there is no chromium");
            return None;
        };
        let Some(chromedriver) = program("chromedriver") else {
            Need::Browser.skip("there is no chromedriver");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(chromedriver);
        without_environment(&mut command, profile.path());
        // Chromium stays in the group of its driver, and ends with it whatever happens to the test.
        command.arg("--port=0").env("HOME", profile.path()).env("LANGUAGE", "pt_BR").process_group(0);
        let mut driver =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said = lines(driver.stdout.take().unwrap());
        let port = std::iter::from_fn(|| said.recv_timeout(PATIENCE).ok())
            .find_map(|line| {
                line.split_once("successfully on port ")
                    .map(|(_, port)| port.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver starts");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connected = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities(&chromium, profile.path()));
            let address = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
            tokio::time::timeout(PATIENCE, builder.connect(&address)).await
        });
        let browser = |client| Self {
            client,
            runtime,
            driver,
            requests: RefCell::default(),
            origin: RefCell::default(),
            _profile: profile,
        };
        let browser = browser(connected.expect("chromium starts in time").expect("chromium starts"));
        browser.window(WIDE, false);
        Some(browser)
    }

    fn wait<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> Result<T, CmdError> {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, command).await })
            .expect("the browser answers")
    }

    fn command(&self, path: &'static str, body: Value) -> Value {
        self.wait(self.client.issue_cmd(Extension { path, body })).unwrap()
    }

    /// Sends a command of the Chrome DevTools Protocol.
    fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": name, "params": parameters }))
    }

    /// Opens a page of the panel of the server at a port: `balcao`, `estoque`, …
    pub(super) fn open(&self, port: u16, page: &str) {
        let origin = format!("http://localhost:{port}");
        *self.origin.borrow_mut() = origin.clone();
        self.wait(self.client.goto(&format!("{origin}/#/{page}"))).unwrap();
        self.see("#main h1", "");
    }

    /// Goes to another page of the panel, as its navigation does.
    #[track_caller]
    pub(super) fn go(&self, page: &str) {
        self.run("location.hash = `#/${arguments[0]}`", json!([page]));
        self.until("return document.body.dataset.page === arguments[0] && document.querySelector('#main h1') !== null", json!([page]));
    }

    /// Leaves the panel for an empty page. The browser keeps the page that was left, to go back to.
    pub(super) fn leave(&self) {
        self.wait(self.client.goto("about:blank")).unwrap();
    }

    /// Runs a script in each page before its own.
    pub(super) fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// Loads the page again.
    pub(super) fn reload(&self) {
        self.wait(self.client.refresh()).unwrap();
    }

    /// Sets the size of the window, and whether the person prefers dark colours.
    pub(super) fn window(&self, (width, height): (u32, u32), is_dark: bool) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", features);
    }

    /// Runs the body of a function in the page, and returns its value.
    pub(super) fn run(&self, script: &str, arguments: Value) -> Value {
        let Value::Array(arguments) = arguments else { panic!("arguments are an array") };
        self.wait(self.client.execute(script, arguments)).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until the body of a function returns something other than null or false.
    #[track_caller]
    pub(super) fn until(&self, script: &str, arguments: Value) -> Value {
        wait_for(|| match self.run(script, arguments.clone()) {
            Value::Null | Value::Bool(false) => {
                Err(format!("not so: {script} {arguments}: {}", self.text("body")))
            }
            value => Ok(value),
        })
    }

    /// Waits until an element of this selector with this text in it is visible.
    #[track_caller]
    pub(super) fn see(&self, selector: &str, text: &str) {
        self.until(FIND, json!([selector, text]));
    }

    /// Waits until no element of this selector with this text in it is visible.
    #[track_caller]
    pub(super) fn see_no(&self, selector: &str, text: &str) {
        self.until(&format!("return !(function () {{ {FIND} }})(...arguments)"), json!([selector, text]));
    }

    /// The text of the first element of this selector, its spaces made plain.
    pub(super) fn text(&self, selector: &str) -> String {
        let script =
            "return document.querySelector(arguments[0])?.innerText.replace(/\\s+/g, ' ').trim() ?? null";
        self.run(script, json!([selector])).as_str().unwrap_or("nothing").to_owned()
    }

    /// Clicks on the first visible element of this selector with this text in it, once there is one.
    #[track_caller]
    pub(super) fn click(&self, selector: &str, text: &str) {
        wait_for(|| {
            let found = self.run(FIND, json!([selector, text]));
            if found.is_null() {
                return Err(format!("no {selector} {text}: {}", self.text("body")));
            }
            let id = found[ELEMENT].as_str().unwrap().to_owned();
            let element = Element::from_element_id(self.client.clone(), id.into());
            // A list that is drawn again has other elements, and a notice goes away.
            self.wait(element.click()).map_err(|error| format!("{selector} {text}: {error}"))
        });
    }

    /// Gives a field this text in the place of its own.
    #[track_caller]
    pub(super) fn fill(&self, selector: &str, text: &str) {
        self.see(selector, "");
        self.run(
            "const node = document.querySelector(arguments[0]); node.focus(); node.select?.();",
            json!([selector]),
        );
        self.type_keys(text);
    }

    /// Chooses a file in a field for files.
    pub(super) fn choose_file(&self, selector: &str, file: &Path) {
        let field = self.wait(self.client.find(Locator::Css(selector))).unwrap();
        self.wait(field.send_keys(file.to_str().unwrap())).unwrap();
    }

    /// Drags a file into the middle of the first element of this selector, and drops it there.
    pub(super) fn drop_file(&self, selector: &str, file: &Path) {
        let script =
            "const { x, y, width, height } = document.querySelector(arguments[0]).getBoundingClientRect();
            return [x + width / 2, y + height / 2];";
        let middle = self.run(script, json!([selector]));
        let data = json!({ "items": [], "files": [file], "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": middle[0], "y": middle[1], "data": data });
            self.devtools("Input.dispatchDragEvent", event);
        }
    }

    /// Presses these keys, one after the other and as fast as a scanner.
    pub(super) fn type_keys(&self, keys: &str) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys.chars() {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.wait(self.client.perform_actions(actions)).unwrap();
    }

    /// Presses a key while another is held.
    pub(super) fn chord(&self, held: char, value: char) {
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: held });
        self.wait(self.client.perform_actions(actions)).unwrap();
    }

    /// The window as a picture (PNG).
    pub(super) fn picture(&self) -> Vec<u8> {
        self.wait(self.client.screenshot()).unwrap()
    }

    /// Asserts that the console has no error or violation of the content policy, but for those with one of these
    /// texts, and that the browser asked no other host for anything.
    #[track_caller]
    pub(super) fn assert_clean(&self, expected: &[&str]) {
        let log = self.command("se/log", json!({ "type": "browser" }));
        let is_wrong = |entry: &&Value| {
            let message = entry["message"].as_str().unwrap();
            ["WARNING", "SEVERE"].iter().any(|level| entry["level"] == *level)
                && !expected.iter().any(|text| message.contains(text))
        };
        let wrong: Vec<&Value> = log.as_array().unwrap().iter().filter(is_wrong).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let log = self.command("se/log", json!({ "type": "performance" }));
        for entry in log.as_array().unwrap() {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let event = &event["message"];
            if event["method"] == "Network.requestWillBeSent" {
                self.requests
                    .borrow_mut()
                    .push(event["params"]["request"]["url"].as_str().unwrap().to_owned());
            }
        }
        let requests = self.requests.borrow();
        let own = format!("{}/", self.origin.borrow());
        assert!(requests.iter().any(|address| address.starts_with(&own)), "no request is seen");
        // Chromium's own pages and what a page makes itself come from no host.
        let has_host =
            |address: &&String| !["chrome:", "data:", "blob:"].iter().any(|own| address.starts_with(own));
        let is_foreign = |address: &&String| has_host(address) && !address.starts_with(&own);
        let foreign: Vec<&String> = requests.iter().filter(is_foreign).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that is asked to leaves its profile complete. Where a test fails, its end need not be orderly.
        if !std::thread::panicking() {
            let _ = self.wait(self.client.clone().close());
        }
        // The driver leads the group.
        let _ = killpg(Pid::from_raw(self.driver.id().cast_signed()), Signal::SIGKILL);
        if !std::thread::panicking() {
            end_of(&mut self.driver);
        }
    }
}

/// A command of chromedriver that is not in the WebDriver standard.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

fn capabilities(chromium: &Path, profile: &Path) -> Capabilities {
    let arguments = [
        "--headless=new",
        // Tests run as root in a container, and open nothing but their own server.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-crash-reporter",
        "--no-first-run",
        "--lang=pt-BR",
        &format!("--user-data-dir={}", profile.join("profile").display()),
    ];
    let capabilities = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "goog:chromeOptions": {
            "binary": chromium,
            "args": arguments,
            "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false },
        },
    });
    let Value::Object(capabilities) = capabilities else { unreachable!("written above") };
    capabilities
}

/// The path of an installed program.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
