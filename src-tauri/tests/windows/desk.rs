//! A desk of its own for a test: an X server, a session bus, home folders, the program, and a driver of its web view.
//! Native windows are driven by xdotool, as a person would; nothing is shared with another test or with this machine.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, WebDriver};
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};

/// Longest wait for anything on the screen: the machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The bus of the test starts no services: no keyring of this machine may answer.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// Everything a test has.
pub struct Desk {
    pub home: TempDir,
    display: String,
    bus_address: String,
    inspector: u16,
    theme: &'static str,
    began: Instant,
    children: Vec<Child>,
    program: Option<Child>,
    driver_port: u16,
}

impl Desk {
    /// Sets the desk up. `theme` is `light` or `dark`.
    pub fn new(theme: &'static str) -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["config/coffer", "data", "cache", "run"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let settings = json!({"language": "en", "theme": theme, "clipboard_seconds": 30,
                              "lock_preset": "convenient", "idle_seconds": 900});
        fs::write(home.path().join("config/coffer/settings.json"), settings.to_string()).unwrap();
        fs::write(home.path().join("bus.conf"), BUS).unwrap();

        let mut display = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-noreset", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let display_name = format!(":{}", first_line(&mut display));
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", home.path().join("bus.conf").display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed");
        let bus_address = first_line(&mut bus);
        let (inspector, driver_port) = (free_port(), free_port());
        let driver = Command::new("WebKitWebDriver")
            .args([format!("--port={driver_port}"), format!("--target=127.0.0.1:{inspector}")])
            // A session ends with the process that knew, without a word to the driver.
            .arg("--replace-on-new-session")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("WebKitWebDriver is installed");
        Self {
            home,
            display: display_name,
            bus_address,
            inspector,
            theme,
            began: Instant::now(),
            children: vec![driver, bus, display],
            program: None,
            driver_port,
        }
    }

    /// Gives the desk a keyring, unlocked, as after somebody has logged in.
    pub fn with_keyring(mut self) -> Self {
        let keyring = self
            .command("gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .env("HOME", self.home.path())
            .env("XDG_DATA_HOME", self.home.path().join("data"))
            .env("XDG_RUNTIME_DIR", self.home.path().join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut keyring = keyring.expect("gnome-keyring is installed");
        keyring.stdin.take().unwrap().write_all(b"pw").unwrap();
        // The services of a desk end with their bus, the last of them.
        self.children.insert(0, keyring);
        self
    }

    /// A path in this desk's home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Starts the program; `chosen` is what it gets from each file dialog.
    pub fn start(&mut self, chosen: &[(&str, PathBuf)]) {
        let home = self.home.path();
        let mut program = Command::new(env!("CARGO_BIN_EXE_coffer-desktop"));
        program
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("DISPLAY", &self.display)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("LC_ALL", "C.UTF-8")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("WEBKIT_INSPECTOR_SERVER", format!("127.0.0.1:{}", self.inspector));
        for (variable, path) in chosen {
            program.env(variable, path);
        }
        let log = File::create(self.path("program.log")).unwrap();
        program.stdout(log.try_clone().unwrap()).stderr(log);
        self.program = Some(program.spawn().expect("the program was built for this test"));
    }

    /// The program's process, which stays the same over a lock.
    pub fn process(&self) -> u32 {
        self.program.as_ref().unwrap().id()
    }

    /// The processes WebKit runs for the program.
    pub fn web_processes(&self) -> Vec<u32> {
        let parent = self.process().to_string();
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let is_child = |process: &u32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(parent.as_str()))
        };
        processes.filter(is_child).collect()
    }

    /// Takes the web view's reins, once there is one.
    pub async fn web(&self) -> Web<'_> {
        let began = Instant::now();
        loop {
            let driver = WebDriver::new(format!("http://127.0.0.1:{}", self.driver_port), Capabilities::new()).await;
            match driver {
                Ok(driver) => {
                    self.xdotool(&[
                        "search",
                        "--sync",
                        "--onlyvisible",
                        "--name",
                        "^Coffer$",
                        "windowsize",
                        "1280",
                        "720",
                        "windowmove",
                        "0",
                        "0",
                    ]);
                    return Web { driver: ManuallyDrop::new(driver), desk: self };
                }
                Err(error) => assert!(began.elapsed() < PATIENCE, "no web view to drive: {error}"),
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits for a native window whose title matches, gives it the keyboard, and says its whole title.
    pub fn native(&self, title: &str) -> String {
        let window = self.xdotool(&["search", "--sync", "--onlyvisible", "--name", title]);
        let window = window.lines().last().unwrap().to_owned();
        // Without a window manager nobody else gives a window the keyboard.
        self.xdotool(&["windowfocus", "--sync", &window]);
        thread::sleep(Duration::from_millis(300));
        self.xdotool(&["getwindowname", &window]).trim().to_owned()
    }

    /// Waits until no native window's title matches.
    pub fn native_gone(&self, title: &str) {
        let began = Instant::now();
        while self.is_native(title) {
            assert!(began.elapsed() < PATIENCE, "the window '{title}' is still there");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether there is a native window whose title matches.
    pub fn is_native(&self, title: &str) -> bool {
        let found = self.command("xdotool").args(["search", "--onlyvisible", "--name", title]).output().unwrap();
        found.status.success()
    }

    /// Chooses a file in the system's own dialog, as a person does who knows where it is.
    pub fn choose_file(&self, title: &str, path: &Path) {
        self.native(title);
        self.press(&["ctrl+l"]);
        self.press(&["ctrl+a"]);
        self.type_text(path.to_str().unwrap());
        self.picture("file-dialog");
        self.press(&["Return"]);
        self.native_gone(title);
    }

    /// Asks the program to close a window, as a window manager does (ICCCM §4.2.8.1). Not part of what xdotool can.
    pub fn close_window(&self, title: &str) {
        let found = self.xdotool(&["search", "--sync", "--onlyvisible", "--name", title]);
        let window: u32 = found.lines().last().unwrap().parse().unwrap();
        let (connection, _) = x11rb::connect(Some(&self.display)).unwrap();
        let atom = |name: &[u8]| connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let [protocols, delete] = [atom(b"WM_PROTOCOLS"), atom(b"WM_DELETE_WINDOW")];
        let event = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        connection.send_event(false, window, EventMask::NO_EVENT, event).unwrap();
        // A round trip: a busy server may drop what somebody asked for who is gone before it looked.
        connection.get_input_focus().unwrap().reply().unwrap();
    }

    /// Waits until the program has ended by itself.
    pub fn ended(&mut self) {
        let began = Instant::now();
        while self.program.as_mut().unwrap().try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "the program goes on");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Does something to a native window, and waits until it has grown by what it then asks or says: what is typed before
    /// that would be lost.
    pub fn grows(&self, title: &str, by: impl FnOnce()) {
        let before = self.height(title);
        by();
        let began = Instant::now();
        while self.height(title) <= before {
            assert!(began.elapsed() < PATIENCE, "the window '{title}' asks for nothing more");
            thread::sleep(LOOK_EVERY);
        }
        // It is there, and now it gets the keyboard.
        thread::sleep(Duration::from_millis(300));
    }

    /// Answers the unlock window, where the passphrase is asked for, and takes the web view's reins.
    pub async fn unlock(&self, passphrase: &str) -> Web<'_> {
        self.type_text(passphrase);
        self.press(&["Return"]);
        self.native_gone("Unlock Coffer");
        self.web().await
    }

    fn height(&self, title: &str) -> u32 {
        let window = self.xdotool(&["search", "--sync", "--onlyvisible", "--name", title]);
        let facts = self.xdotool(&["getwindowgeometry", "--shell", window.lines().last().unwrap()]);
        facts.lines().find_map(|line| line.strip_prefix("HEIGHT=")).unwrap().parse().unwrap()
    }

    /// Types text where the keyboard is.
    pub fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "15", "--", text]);
    }

    /// Presses keys one after the other.
    pub fn press(&self, keys: &[&str]) {
        let mut arguments = vec!["key", "--delay", "60"];
        arguments.extend(keys);
        self.xdotool(&arguments);
    }

    /// Answers the window that asks for a new passphrase.
    pub fn choose_passphrase(&self, passphrase: &str) {
        self.native("Choose a passphrase");
        self.type_text(passphrase);
        self.press(&["Tab", "Tab"]);
        self.type_text(passphrase);
        self.press(&["Return"]);
    }

    /// What is on the clipboard.
    pub fn clipboard(&self) -> String {
        let output = self.command("xclip").args(["-selection", "clipboard", "-o"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Copies a text in another program.
    pub fn copy(&self, text: &str) {
        let mut command = self.command("xclip");
        command.args(["-selection", "clipboard", "-in"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut xclip = command.spawn().unwrap();
        xclip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(xclip.wait().unwrap().success());
        self.clipboard_once(|copied| copied == text);
    }

    /// Waits until the clipboard holds what is meant.
    pub fn clipboard_once(&self, is_it: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let text = self.clipboard();
            if is_it(&text) {
                return text;
            }
            assert!(began.elapsed() < PATIENCE, "the clipboard does not hold it");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits for what was typed to be shown, as a person would; keeps a picture of the screen if `COFFER_SCREENSHOTS`
    /// names a folder for them.
    pub fn picture(&self, name: &str) {
        self.picture_of_theme(name, self.theme);
    }

    fn picture_of_theme(&self, name: &str, theme: &str) {
        thread::sleep(Duration::from_millis(600));
        let Some(folder) = std::env::var_os("COFFER_SCREENSHOTS") else { return };
        fs::create_dir_all(&folder).unwrap();
        let file = Path::new(&folder).join(format!("{name}-{theme}.png"));
        assert!(self.command("import").args(["-window", "root"]).arg(file).status().unwrap().success());
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let mut all = vec![PATIENCE.as_secs().to_string(), "xdotool".to_owned()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let run = || self.command("timeout").args(&all).output().unwrap();
        let began = Instant::now();
        let mut output = run();
        // A window that goes while all of them are looked through ends the search, not the wait for another one.
        while String::from_utf8_lossy(&output.stderr).contains("BadWindow") && began.elapsed() < PATIENCE {
            output = run();
        }
        assert!(
            output.status.success(),
            "xdotool {arguments:?}: {}\nprogram: {}",
            String::from_utf8_lossy(&output.stderr),
            fs::read_to_string(self.path("program.log")).unwrap_or_default(),
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("DISPLAY", &self.display);
        command
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(mut program) = self.program.take() {
            let web = program.id();
            let _ = Command::new("pkill").args(["-KILL", "-P", &web.to_string()]).status();
            let _ = program.kill();
            let _ = program.wait();
        }
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The web view, driven.
pub struct Web<'d> {
    /// Never told to quit: the session ends with the process that knew, and a quit would wait for it in vain.
    driver: ManuallyDrop<WebDriver>,
    desk: &'d Desk,
}

impl Web<'_> {
    /// Waits for the first element an XPath finds that is shown.
    pub async fn find(&self, path: &str) -> WebElement {
        self.wait_for(path, true).await
    }

    async fn wait_for(&self, path: &str, shown: bool) -> WebElement {
        let began = Instant::now();
        loop {
            for element in self.driver.find_all(By::XPath(path)).await.unwrap_or_default() {
                if !shown || element.is_displayed().await.unwrap_or(false) {
                    return element;
                }
            }
            if began.elapsed() > PATIENCE {
                self.desk.picture("failed");
                let page = self.driver.find(By::Tag("body")).await.unwrap().text().await.unwrap_or_default();
                panic!("not on the page: {path}\n{page}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for some text. Whether it is shown is not asked: WebDriver takes cells of a scrolled table for hidden.
    pub async fn see(&self, text: &str) -> WebElement {
        self.wait_for(&format!("//*[text()[contains(normalize-space(.), {})]]", quoted(text)), false).await
    }

    /// Scrolls a heading to the top of its view: WebDriver's own way scrolls what cannot be scrolled, too, and leaves a
    /// button where it is that shows no more than its edge.
    pub async fn scroll_to(&self, heading: &str) {
        self.see(heading).await;
        self.script(&format!(
            "const heading = [...document.querySelectorAll('h3')].find((h3) => h3.textContent.trim() === {heading:?});
             const view = heading.closest('.view');
             view.scrollTop += heading.getBoundingClientRect().top - view.getBoundingClientRect().top - 24"
        ))
        .await;
    }

    /// Waits for a button that can be pressed, by its words or its label, and presses it.
    pub async fn press(&self, words: &str) {
        let began = Instant::now();
        while let Err(error) = self.button(words).await.click().await {
            if began.elapsed() > PATIENCE {
                self.desk.picture("failed");
                let place = self.script(WHERE_THINGS_ARE).await;
                panic!("'{words}' cannot be pressed: {error}\n{place}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Presses the button that locks. The process that would answer is gone before it can.
    pub async fn press_lock(&self) {
        let _ = self.button("Lock").await.click().await;
    }

    async fn button(&self, words: &str) -> WebElement {
        let words = quoted(words);
        let pressable = "//button[not(@disabled)]";
        let exact = format!("{pressable}[normalize-space(.) = {words} or @aria-label = {words}]");
        let alike = format!("contains(normalize-space(.), {words}) or starts-with(@aria-label, {words})");
        // One of just these words is meant before any that has more of them.
        self.find(&format!("{exact} | {pressable}[{alike}][not({exact})]")).await
    }

    /// Fills the control of a label with text.
    pub async fn fill(&self, label: &str, text: &str) {
        let control = self.find(&format!("//*[@id = //label[normalize-space(.) = {}]/@for]", quoted(label))).await;
        control.clear().await.unwrap();
        control.send_keys(text).await.unwrap();
    }

    /// Sends keys to whatever has the focus.
    pub async fn keys(&self, keys: impl AsRef<str>) {
        self.driver.active_element().await.unwrap().send_keys(keys.as_ref()).await.unwrap();
    }

    /// Runs a script and gives what it returns.
    pub async fn script(&self, script: &str) -> Value {
        self.driver.execute(script, vec![]).await.unwrap().json().clone()
    }

    /// Creates a vault, from the first page to the open window; `COFFER_E2E_NEW_VAULT` and `COFFER_E2E_KIT` say where.
    pub async fn found(&self, login: &str, passphrase: &str) {
        self.press("Create a vault").await;
        self.press("Choose name and place").await;
        self.fill("Login name", login).await;
        self.press("Continue to the passphrase").await;
        self.desk.choose_passphrase(passphrase);
        self.see("Your recovery kit").await;
        self.press("Save…").await;
        self.see("Saved as").await;
        self.confirm_kit().await;
        self.press("Open the vault").await;
    }

    /// Types the two groups that are asked for from the kit that was saved.
    async fn confirm_kit(&self) {
        let kit = fs::read_to_string(self.desk.path("kit.txt")).unwrap();
        let code = kit.split_once("Recovery code").unwrap().1.split_once("To restore").unwrap().0;
        let groups: Vec<&str> = code.split_whitespace().collect();
        self.press("Confirm…").await;
        let title = self.desk.native("Check the recovery kit");
        let asked: Vec<usize> = title.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        self.desk.type_text(groups[asked[0] - 1]);
        self.desk.press(&["Tab"]);
        self.desk.type_text(groups[asked[1] - 1]);
        self.desk.press(&["Return"]);
        self.desk.native_gone("Check the recovery kit");
    }

    /// Looks at the screen: a picture, and no violation that axe knows. Then at the same in the other theme, where nothing
    /// but the colours may differ.
    pub async fn inspect(&self, name: &str) {
        // Where the time goes, and where it stood still, for whoever reads a failure.
        println!("{:>6.1} s  {name}", self.desk.began.elapsed().as_secs_f32());
        self.desk.picture(name);
        // Once for each page.
        if self.driver.execute("return 'axe' in window;", vec![]).await.unwrap().json() == &json!(false) {
            let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
            let axe = fs::read_to_string(axe).expect("the UI's packages are installed");
            self.driver.execute(axe, vec![]).await.unwrap();
        }
        assert_eq!(self.violations("{}").await, json!([]), "axe on {name}");

        let own = self.desk.theme;
        let other = if own == "dark" { "light" } else { "dark" };
        self.set_theme(other).await;
        self.desk.picture_of_theme(name, other);
        let colours = "{ runOnly: { type: 'rule', values: ['color-contrast'] } }";
        assert_eq!(self.violations(colours).await, json!([]), "axe on {name}, {other}");
        self.set_theme(own).await;
    }

    /// What axe finds with its options, a script's text: each rule with one place that breaks it.
    async fn violations(&self, options: &str) -> Value {
        let run = format!(
            "const done = arguments[arguments.length - 1];
             axe.run({options}).then(({{ violations }}) => done(violations.map(({{ id, nodes }}) => [id, nodes[0].html])),
                                     (error) => done([['axe', String(error)]]));"
        );
        self.driver.execute_async(run, vec![]).await.unwrap().json().clone()
    }

    async fn set_theme(&self, theme: &str) {
        let set = "document.documentElement.dataset.theme = arguments[0];";
        self.driver.execute(set, vec![json!(theme)]).await.unwrap();
    }
}

/// Says of each thing that can be pressed where it is, and how large the page is: what a failure far away is known by.
const WHERE_THINGS_ARE: &str = "
    const place = (thing) => {
        const { x, y, width, height } = thing.getBoundingClientRect();
        return [x, y, width, height].map(Math.round).join(' ') + ' ' + thing.textContent.trim().slice(0, 40);
    };
    return {
        page: [innerWidth, innerHeight, scrollX, scrollY, visualViewport.width, visualViewport.height],
        scrolled: [...document.querySelectorAll('*')].filter((thing) => thing.scrollTop > 0).map(place),
        dialogs: [...document.querySelectorAll('dialog[open]')].map(place),
        buttons: [...document.querySelectorAll('button')].map(place),
    }";

/// Text as an XPath literal.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "no text of the interface that a test looks for has double quotes");
    format!("\"{text}\"")
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
