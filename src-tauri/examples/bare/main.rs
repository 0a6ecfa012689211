//! The least a program with a Tauri window can be: one static page, no commands. `./x bench` holds Coffer against it
//! (S13). An example, so that no package has it.

fn main() {
    tauri::Builder::default()
        .run(tauri::generate_context!("examples/bare/tauri.conf.json"))
        .expect("a window can be opened where this is measured");
}
