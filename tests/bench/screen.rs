//! A screen of its own for a measurement: an X server, a session bus, home folders; programs on it, and what can be seen of
//! them. Nothing is shared with this machine's own.
//!
//! A window counts as painted when it is mapped and there is something on it: pixels of more colours than an empty ground
//! with a frame has. What is looked at is what a person would see, so it is the same for every toolkit.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt, ImageFormat, MOTION_NOTIFY_EVENT, MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Time between two looks: short beside what is measured, long beside what a look costs.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A program that has painted nothing by then never will.
const PATIENCE: Duration = Duration::from_mins(1);
/// Toolkits keep windows of a few pixels for themselves.
const LEAST_PIXELS: u16 = 200;
/// Colours of a window with text on it, whose edges are smoothed; an empty one with a frame has two or three.
const LEAST_COLOURS: usize = 16;
/// Time between two turns of the wheel: that of a screen's frames.
const TURN_EVERY: Duration = Duration::from_micros(16_667);
/// Notches of a turn. Somebody who looks for something far down turns it as far as it goes.
const NOTCHES: usize = 6;
/// The wheel's button that scrolls down.
const WHEEL_DOWN: u8 = 5;
/// What is painted within this time is one frame.
const ONE_FRAME: Duration = Duration::from_millis(4);
/// No service of this machine may answer, its keyring for one.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// The screen.
pub struct Screen {
    home: PathBuf,
    display: String,
    bus_address: String,
    servers: [Child; 2],
    connection: RustConnection,
    root: Window,
}

/// A program on the screen; ended, with every process it started, when dropped.
pub struct Program {
    child: Child,
    began: Instant,
}

impl Screen {
    /// Sets it up. Programs find their home in `home`, with the usual folders in it: `config`, `data`, `cache`, `run`.
    pub fn new(home: &Path) -> Self {
        for folder in ["config", "data", "cache", "run"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        let bus_file = home.join("bus.conf");
        fs::write(&bus_file, BUS).unwrap();
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-noreset", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`./x bench` installs Xvfb");
        let display = format!(":{}", first_line(&mut server));
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", bus_file.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`./x bench` installs dbus-daemon");
        let bus_address = first_line(&mut bus);
        let (connection, number) = x11rb::connect(Some(&display)).unwrap();
        let root = connection.setup().roots[number].root;
        Self { home: home.to_owned(), display, bus_address, servers: [server, bus], connection, root }
    }

    /// Starts a program.
    pub fn start(&self, program: &Path) -> Program {
        self.start_with(program, &[])
    }

    /// Starts a program with arguments.
    pub fn start_with(&self, program: &Path, arguments: &[&str]) -> Program {
        let mut command = Command::new(program);
        command.args(arguments);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &self.home);
        for (variable, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(variable, self.home.join(folder));
        }
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("DISPLAY", &self.display)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("LC_ALL", "C.UTF-8")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let began = Instant::now();
        Program { child: command.spawn().unwrap(), began }
    }

    /// Waits until a window other than `before` is painted.
    pub fn wait_for_window(&self, before: Option<Window>) -> Window {
        let began = Instant::now();
        loop {
            let windows = self.windows();
            if let Some(&window) = windows.iter().find(|&&window| Some(window) != before && self.is_painted(window)) {
                return window;
            }
            assert!(began.elapsed() < PATIENCE, "no window was painted");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Types a line into a window.
    pub fn type_line(&self, window: Window, line: &str) {
        let window = window.to_string();
        let typed = Command::new("xdotool")
            .env("DISPLAY", &self.display)
            .args(["windowfocus", "--sync", &window, "type", "--delay", "10", "--", line])
            .status()
            .expect("`./x bench` installs xdotool");
        assert!(typed.success());
        let sent = Command::new("xdotool").env("DISPLAY", &self.display).args(["key", "Return"]).status().unwrap();
        assert!(sent.success());
    }

    /// Turns the wheel over a place of a window for a while. Gives how long each frame stayed that was painted meanwhile:
    /// the times between what the X server was told to draw.
    pub fn scroll(&self, window: Window, (x, y): (i16, i16), lasting: Duration) -> Vec<Duration> {
        let connection = &self.connection;
        connection.damage_query_version(1, 1).unwrap().reply().unwrap();
        let damage = connection.generate_id().unwrap();
        connection.damage_create(damage, window, ReportLevel::RAW_RECTANGLES).unwrap().check().unwrap();
        let place = connection.translate_coordinates(window, self.root, x, y).unwrap().reply().unwrap();
        self.fake(MOTION_NOTIFY_EVENT, 0, (place.dst_x, place.dst_y));
        let began = Instant::now();
        let mut next_turn = began;
        let mut painted: Vec<Instant> = Vec::new();
        while began.elapsed() < lasting {
            if Instant::now() >= next_turn {
                next_turn += TURN_EVERY;
                for _ in 0..NOTCHES {
                    self.fake(BUTTON_PRESS_EVENT, WHEEL_DOWN, (0, 0));
                    self.fake(BUTTON_RELEASE_EVENT, WHEEL_DOWN, (0, 0));
                }
                connection.flush().unwrap();
            }
            while let Some(event) = connection.poll_for_event().unwrap() {
                if matches!(event, Event::DamageNotify(_)) {
                    painted.push(Instant::now());
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
        connection.damage_destroy(damage).unwrap().check().unwrap();
        painted.dedup_by(|later, before| *later - *before < ONE_FRAME);
        painted.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) {
        self.connection.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, self.root, x, y, 0).unwrap();
    }

    /// Windows of the screen itself: without a window manager these are the programs'.
    fn windows(&self) -> Vec<Window> {
        let tree = self.connection.query_tree(self.root).unwrap().reply().unwrap();
        tree.children
    }

    /// A window may be gone between two questions; then it is not painted.
    fn is_painted(&self, window: Window) -> bool {
        self.colours(window).is_some_and(|colours| colours >= LEAST_COLOURS)
    }

    /// How many colours a window shows, as far as it matters; none for one that nobody can see.
    fn colours(&self, window: Window) -> Option<usize> {
        let attributes = self.connection.get_window_attributes(window).ok()?.reply().ok()?;
        if attributes.map_state != MapState::VIEWABLE || attributes.override_redirect {
            return None;
        }
        let size = self.connection.get_geometry(window).ok()?.reply().ok()?;
        if size.width < LEAST_PIXELS || size.height < LEAST_PIXELS {
            return None;
        }
        let all_planes = u32::MAX;
        let asked = self.connection.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, size.width, size.height, all_planes);
        let image = asked.ok()?.reply().ok()?.data;
        let mut colours: Vec<&[u8]> = Vec::new();
        // Four bytes a pixel, the last of them unused (a screen 24 bits deep).
        for pixel in image.chunks_exact(4).map(|pixel| &pixel[..3]) {
            if !colours.contains(&pixel) {
                colours.push(pixel);
                if colours.len() >= LEAST_COLOURS {
                    break;
                }
            }
        }
        Some(colours.len())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Program {
    /// Time since it was started.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// What all its processes have in memory, in KiB: what they share is counted in parts (`Pss` of proc(5)).
    pub fn memory_kib(&self) -> u32 {
        self.processes().into_iter().map(proportional_kib).sum()
    }

    /// It, and every process it started.
    fn processes(&self) -> Vec<u32> {
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|process| Some((process, parent_of(process)?)))
            .collect();
        let mut family = vec![self.child.id()];
        let mut known = 0;
        while known < family.len() {
            let parent = family[known];
            family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
            known += 1;
        }
        family
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let processes = self.processes();
        let _ = Command::new("kill").arg("-KILL").args(processes.iter().map(u32::to_string)).status();
        let _ = self.child.wait();
    }
}

/// "pid (name) state parent …", where the name may hold anything. `proc_pid_stat(5)`.
fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

fn proportional_kib(process: u32) -> u32 {
    let sums = match fs::read_to_string(format!("/proc/{process}/smaps_rollup")) {
        Ok(sums) => sums,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            panic!("the memory of a program that shields it is seen by root alone")
        }
        // It has ended meanwhile.
        Err(_) => return 0,
    };
    let line = sums.lines().find_map(|line| line.strip_prefix("Pss:")).expect("proc(5) promises it");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}
