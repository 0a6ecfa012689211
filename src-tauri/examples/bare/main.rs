//! The least a program with a Tauri window can be: one page, no commands. `./x bench` holds Coffer against it (S13): a static
//! page; and with the argument `list`, a page that scrolls through 1,000,000 rows (S14). An example, so that no package
//! has it.

use tauri::WebviewUrl;

fn main() {
    let page = if std::env::args().any(|argument| argument == "list") { "list.html" } else { "index.html" };
    let mut context = tauri::generate_context!("examples/bare/tauri.conf.json");
    for window in &mut context.config_mut().app.windows {
        window.url = WebviewUrl::App(page.into());
    }
    tauri::Builder::default().run(context).expect("a window can be opened where this is measured");
}
