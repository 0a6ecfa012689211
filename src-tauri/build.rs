//! Makes one permission of every command, so that a command nobody granted is refused before it runs; and translates
//! the interface's colour tokens for the native windows, so that a colour is decided in one file.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::time::SystemTime;
use std::{env, fs, io};

include!("src/commands/names.rs");

/// Where every colour is decided.
const TOKENS: &str = "../ui/src/tokens.css";

fn main() {
    println!("cargo::rerun-if-changed={TOKENS}");
    let tokens = fs::read_to_string(TOKENS).expect("the tokens are part of the source");
    let out = env::var("OUT_DIR").expect("Cargo sets OUT_DIR for build scripts");
    let [light, dark] = gtk_colours(&tokens);
    fs::write(Path::new(&out).join("light.css"), light).expect("OUT_DIR can be written");
    fs::write(Path::new(&out).join("dark.css"), dark).expect("OUT_DIR can be written");

    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("tauri.conf.json and the capabilities are part of the source");
    // Another user's checkout cannot be touched: then the program is built once more, and that is all.
    let _ = age(Path::new("permissions"));
}

/// Takes the time of writing from what tauri-build wrote: Cargo holds what a build script writes for a change since it ran,
/// and would build the program a second time.
fn age(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            age(&entry?.path())?;
        }
    }
    File::open(path)?.set_modified(SystemTime::UNIX_EPOCH)
}

/// Every `--name: light-dark(oklch(…), oklch(…));` as GTK's `@define-color name …;`, once for light and once for dark.
/// Colours that depend on a tenant's hue are not for native windows.
fn gtk_colours(tokens: &str) -> [String; 2] {
    let mut themes = [String::new(), String::new()];
    for line in tokens.lines() {
        let Some((name, value)) = line.trim().strip_prefix("--").and_then(|line| line.split_once(": light-dark("))
        else {
            continue;
        };
        let mut colours =
            value.split("oklch(").skip(1).map(|colour| parse_oklch(colour.split(')').next().unwrap_or("")));
        for theme in &mut themes {
            let Some(Some([red, green, blue, alpha])) = colours.next() else { break };
            writeln!(theme, "@define-color {name} rgba({red:.0}, {green:.0}, {blue:.0}, {alpha});")
                .expect("a string takes everything");
        }
    }
    assert!(themes.iter().all(|theme| theme.contains("@define-color ink ")), "{TOKENS} is not what it was");
    themes
}

/// `L C H` or `L C H / alpha` to sRGB from 0 to 255. CSS Color Module Level 4, §9.3 and §18.
fn parse_oklch(colour: &str) -> Option<[f64; 4]> {
    let mut numbers = colour.split([' ', '/']).filter(|part| !part.is_empty()).map(str::parse);
    let mut next = || numbers.next()?.ok();
    let (lightness, chroma, hue): (f64, f64, f64) = (next()?, next()?, next()?);
    let alpha = next().unwrap_or(1.0);
    let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
    let cube = |x: f64| x * x * x;
    let l = cube(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b);
    let m = cube(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b);
    let s = cube(lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b);
    let encode = |linear: f64| {
        let linear = linear.clamp(0.0, 1.0);
        255.0 * if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
    };
    Some([
        encode(4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s),
        encode(-1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s),
        encode(-0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s),
        alpha,
    ])
}
