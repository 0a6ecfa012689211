//! How a native window answers whoever asked: once, or not at all when it was closed.

use std::cell::RefCell;
use std::rc::Rc;

use gtk::prelude::*;
use tauri::async_runtime::{Receiver, Sender, channel};
use tauri::{AppHandle, Runtime};

/// The one answer of a window. Dropped without an answer, the question counts as declined.
pub(crate) struct Reply<T>(Rc<RefCell<Option<Sender<T>>>>);

impl<T> Clone for Reply<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Reply<T> {
    /// A reply, and what hears it.
    pub(crate) fn pair() -> (Self, Receiver<T>) {
        let (sender, receiver) = channel(1);
        (Self::over(sender), receiver)
    }

    fn over(sender: Sender<T>) -> Self {
        Self(Rc::new(RefCell::new(Some(sender))))
    }

    /// Answers. Whoever asked may be gone; then nobody hears it.
    pub(crate) fn send(&self, answer: T) {
        if let Some(sender) = self.0.take() {
            let _ = sender.try_send(answer);
        }
    }

    /// Closes a window, and answers once it is gone. While another window that holds everything up is on the screen, GTK drops
    /// the wish to close this one; so whoever asked must not show the next before.
    pub(crate) fn close_and_send(&self, window: &gtk::Window, answer: T)
    where
        T: 'static,
    {
        let waiting = RefCell::new(self.0.take().map(|sender| (sender, answer)));
        window.connect_destroy(move |_| {
            if let Some((sender, answer)) = waiting.take() {
                let _ = sender.try_send(answer);
            }
        });
        window.close();
    }

    /// Declines, unless it was answered: whoever asked waits no longer.
    pub(crate) fn decline(&self) {
        drop(self.0.take());
    }
}

/// Waits for the answer; `None` if it was declined.
pub(crate) async fn wait<T>(mut receiver: Receiver<T>) -> Option<T> {
    receiver.recv().await
}

/// Shows something on the main thread, where GTK lives, and waits for the answer; `None` if there is none.
pub(crate) async fn ask<T: Send + 'static, R: Runtime>(
    app: &AppHandle<R>,
    show: impl FnOnce(Reply<T>) + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = channel(1);
    app.run_on_main_thread(move || show(Reply::over(sender))).ok()?;
    wait(receiver).await
}
