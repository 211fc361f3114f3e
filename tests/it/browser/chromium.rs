//! A real Chromium without a window, spoken to by the DevTools protocol over two pipes
//! (`--remote-debugging-pipe`: JSON, each message ended by a NUL). No port, no WebSocket, no crate; when the
//! pipes close, with this process or before, Chromium ends itself. Every wait is bounded.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// For one answer: a busy machine with two cores prints thousands of checks.
const ANSWER: Duration = Duration::from_secs(60);
/// Until it is gone, before it is killed.
const GOODBYE: Duration = Duration::from_secs(5);

/// One browser, its profile in a directory that goes with it.
pub struct Chromium {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    events: VecDeque<Value>,
    last: u64,
    place: tempfile::TempDir,
}

impl Chromium {
    pub fn start() -> Self {
        let place = tempfile::Builder::new()
            .prefix("gonogo-chromium-")
            .tempdir()
            .unwrap();
        // The shell moves the pipes to where Chromium looks for them; `exec` keeps the process id.
        let script = r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null 2>"$0""#;
        let mut child = Command::new("sh")
            .args(["-c", script])
            .arg(place.path().join("stderr"))
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                // Root in a container has no sandbox of its own; the pages are ours, and nothing is fetched.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-extensions",
                "--disable-sync",
                "--no-first-run",
                "--no-default-browser-check",
                "--no-pings",
                // Whatever would still be asked for by name is answered nowhere.
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ])
            .arg(format!("--user-data-dir={}", place.path().display()))
            .arg("about:blank")
            .env("HOME", place.path())
            .env("XDG_CONFIG_HOME", place.path())
            .env("XDG_CACHE_HOME", place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while out.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                let told = serde_json::from_slice(message.strip_suffix(b"\0").unwrap_or(&message));
                if sender.send(told.unwrap()).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut chromium = Self {
            to: child.stdin.take(),
            child,
            from,
            events: VecDeque::new(),
            last: 0,
            place,
        };
        chromium.call("Browser.getVersion", json!({}));
        chromium
    }

    /// A page of its own, which reports what it asks for and what goes wrong in it.
    pub fn page(&mut self) -> Page<'_> {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = target["targetId"].as_str().unwrap().to_owned();
        let attached = self.call(
            "Target.attachToTarget",
            json!({"targetId": target, "flatten": true}),
        );
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut page = Page {
            browser: self,
            target,
            session,
        };
        for domain in ["Page", "Runtime", "Log", "Network", "DOM", "Accessibility"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.call_in(None, method, params)
    }

    #[track_caller]
    fn call_in(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        let sent = self.to.as_mut().unwrap().write_all(&bytes);
        if let Err(cause) = sent {
            self.gone(method, &cause.to_string());
        }
        let until = Instant::now() + ANSWER;
        loop {
            let told = self.next(method, until);
            if told["id"] == id {
                assert!(told.get("error").is_none(), "{method}: {}", told["error"]);
                return told["result"].clone();
            }
            self.events.push_back(told);
        }
    }

    #[track_caller]
    fn next(&mut self, why: &str, until: Instant) -> Value {
        match self
            .from
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            Ok(told) => told,
            Err(RecvTimeoutError::Timeout) => {
                panic!("chromium: no answer to {why} within {ANSWER:?}")
            }
            Err(RecvTimeoutError::Disconnected) => self.gone(why, "it ended"),
        }
    }

    #[track_caller]
    fn gone(&mut self, why: &str, cause: &str) -> ! {
        let said = fs::read_to_string(self.place.path().join("stderr")).unwrap_or_default();
        let hint = "is Debian's package chromium installed? `scripts/test` does it";
        panic!("chromium: {why}: {cause} ({hint}); it said: {said}")
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Without its pipe it ends by itself.
        self.to = None;
        let until = Instant::now() + GOODBYE;
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One page of the browser.
pub struct Page<'a> {
    browser: &'a mut Chromium,
    target: String,
    session: String,
}

impl Page<'_> {
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let session = self.session.clone();
        self.browser.call_in(Some(&session), method, params)
    }

    /// As wide and high as a screen, light or dark, and then the file. Says how long it took to open.
    #[track_caller]
    pub fn open(&mut self, file: &Path, (width, height): (u32, u32), scheme: &str) -> Duration {
        self.screen((width, height), scheme);
        self.browser.events.clear();
        let begun = Instant::now();
        let url = format!("file://{}", file.display());
        let answer = self.call("Page.navigate", json!({"url": url}));
        assert!(answer.get("errorText").is_none(), "{answer}");
        let until = begun + ANSWER;
        let is_loaded = |told: &Value| told["method"] == "Page.loadEventFired";
        while !self.browser.events.iter().any(is_loaded) {
            let told = self.browser.next("the end of loading", until);
            self.browser.events.push_back(told);
        }
        // Styled and laid out, not merely read.
        self.number("document.documentElement.scrollHeight");
        begun.elapsed()
    }

    pub fn screen(&mut self, (width, height): (u32, u32), scheme: &str) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call("Emulation.setEmulatedMedia", json!({"features": [scheme]}));
    }

    /// The value of an expression, by the debugger: the page's own policy admits no script.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer.get("exceptionDetails").is_none(), "{answer:#}");
        answer["result"]["value"].clone()
    }

    #[track_caller]
    pub fn number(&mut self, expression: &str) -> f64 {
        self.eval(expression).as_f64().unwrap()
    }

    /// A list of words.
    #[track_caller]
    pub fn list(&mut self, expression: &str) -> Vec<String> {
        serde_json::from_value(self.eval(expression)).unwrap()
    }

    pub fn tab(&mut self) {
        for kind in ["rawKeyDown", "keyUp"] {
            let key =
                json!({"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9});
            self.call("Input.dispatchKeyEvent", key);
        }
    }

    /// The page on paper, as the bytes of a PDF.
    pub fn print(&mut self) -> Vec<u8> {
        use base64::Engine as _;
        let params = json!({"preferCSSPageSize": true, "printBackground": true});
        let told = self.call("Page.printToPDF", params);
        let data = told["data"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD
            .decode(data)
            .unwrap()
    }

    /// What it asked for beyond its own file, and what was complained of, since it was opened.
    pub fn complaints(&mut self) -> Vec<String> {
        // One more answer, so that what happened before it is here.
        self.eval("0");
        let of = |told: &Value| match told["method"].as_str()? {
            "Network.requestWillBeSent" => {
                let url = told["params"]["request"]["url"].as_str()?;
                let is_page = told["params"]["type"] == "Document" && url.starts_with("file:///");
                (!is_page).then(|| format!("asked for {url}"))
            }
            "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" => {
                Some(told["params"].to_string())
            }
            "Log.entryAdded" => Some(told["params"]["entry"]["text"].to_string()),
            "Page.javascriptDialogOpening" | "Page.frameAttached" | "Page.windowOpen" => {
                Some(told["method"].to_string())
            }
            _ => None,
        };
        self.browser.events.iter().filter_map(of).collect()
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let target = json!({"targetId": self.target});
            self.browser.call("Target.closeTarget", target);
        }
        self.browser.events.clear();
    }
}
