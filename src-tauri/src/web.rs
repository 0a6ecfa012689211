//! The web view's window and its processes. It has no network, keeps nothing, opens nothing but the program's own pages.

use std::fs;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tauri::utils::config::Color;
use tauri::{AppHandle, Manager, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::native::look;

/// The one window with a web view, as the capability file names it.
pub(crate) const LABEL: &str = "main";

/// Opens the window, or brings it to the front and has it begin anew.
pub(crate) fn open<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.reload()?;
        return window.set_focus();
    }
    let builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("Coffer")
        .inner_size(1240.0, 720.0)
        .min_inner_size(900.0, 560.0)
        .center()
        .background_color(background())
        // Nothing of a page's storage or cache is written to the disk.
        .incognito(!is_driven())
        .on_navigation(is_own_page)
        .on_download(|_, _| false)
        .zoom_hotkeys_enabled(true);
    #[cfg(feature = "e2e")]
    let builder = builder.user_agent(crate::automation::MARK);
    builder.build()?.with_webview(|view| take_away(&view.inner()))
}

/// Takes away what no page of ours has a use for: less that a compromised page could reach (THREAT-MODEL T8), and fewer copies
/// of what was shown.
fn take_away(view: &webkit2gtk::WebView) {
    use webkit2gtk::{CacheModel, SettingsExt as _, WebContextExt as _, WebViewExt};
    if let Some(context) = WebViewExt::context(view) {
        context.set_cache_model(CacheModel::DocumentViewer);
    }
    let Some(settings) = WebViewExt::settings(view) else { return };
    settings.set_enable_webgl(false);
    settings.set_enable_webaudio(false);
    settings.set_enable_webrtc(false);
    settings.set_enable_media(false);
    settings.set_enable_media_stream(false);
    settings.set_enable_mediasource(false);
    settings.set_enable_encrypted_media(false);
    settings.set_enable_fullscreen(false);
    settings.set_enable_html5_database(false);
    settings.set_enable_html5_local_storage(false);
    settings.set_enable_dns_prefetching(false);
    settings.set_enable_hyperlink_auditing(false);
    // A page that was left would stay whole in memory.
    settings.set_enable_page_cache(false);
    settings.set_javascript_can_access_clipboard(false);
}

/// The window, if it is open.
pub(crate) fn window<R: Runtime>(app: &AppHandle<R>) -> Option<WebviewWindow<R>> {
    app.get_webview_window(LABEL)
}

/// The window as GTK knows it, as a parent for dialogs. On the main thread only.
pub(crate) fn gtk_window<R: Runtime>(app: &AppHandle<R>) -> Option<gtk::Window> {
    use gtk::glib::Cast as _;
    Some(window(app)?.gtk_window().ok()?.upcast())
}

/// Ends the process that renders the pages, and with it every value it was shown. On the main thread only.
pub(crate) fn terminate_renderer<R: Runtime>(app: &AppHandle<R>) {
    use webkit2gtk::WebViewExt as _;
    if let Some(window) = window(app) {
        let _ = window.hide();
        let _ = window.with_webview(|view| view.inner().terminate_web_process());
    }
}

/// Kills what is left of the web view's processes and waits for each: none outlives the image that started it.
pub(crate) fn end_processes() {
    let children = web_processes();
    for &child in &children {
        let _ = kill_process(child, Signal::KILL);
    }
    for child in children {
        // Somebody else, GLib's child watch for one, may have waited for it already.
        let _ = waitpid(Some(child), WaitOptions::empty());
    }
}

/// The children of this process that WebKit started, by the names it gives them. proc_pid_stat(5).
fn web_processes() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let is_ours = |process: &i32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // "pid (name) state parent …", where the name may hold anything.
        stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).is_some_and(|(name, rest)| {
            name.starts_with("WebKit") && rest.split_whitespace().nth(1) == Some(own.as_str())
        })
    };
    processes.filter(is_ours).filter_map(Pid::from_raw).collect()
}

/// Whether a page is the program's own: its protocol, in every form Tauri gives it.
fn is_own_page(url: &tauri::Url) -> bool {
    url.scheme() == "tauri" && url.host_str() == Some("localhost")
}

/// What is seen until the first page is painted: the ground of the theme, so that nothing flashes.
fn background() -> Color {
    if look::is_dark() { Color(17, 19, 22, 255) } else { Color(242, 243, 246, 255) }
}

fn is_driven() -> bool {
    #[cfg(feature = "e2e")]
    return crate::automation::is_driven();
    #[cfg(not(feature = "e2e"))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_pages_are_opened() {
        for (url, own) in [
            ("tauri://localhost/index.html", true),
            ("tauri://elsewhere/index.html", false),
            ("https://localhost/", false),
            ("https://example.org/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
            ("javascript:alert(1)", false),
            ("about:blank", false),
        ] {
            assert_eq!(is_own_page(&url.parse().unwrap()), own, "{url}");
        }
    }
}
