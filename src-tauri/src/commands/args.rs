//! What a command takes: the whole request as one type that refuses every member it does not know.
//! Tauri's own way reads arguments one by one and would let a forged one pass unseen.

use serde::de::DeserializeOwned;
use tauri::Runtime;
use tauri::ipc::{CommandArg, CommandItem, InvokeBody, InvokeError};

use crate::refusal::Refusal;

/// A command's request.
pub(crate) struct Args<T>(pub(crate) T);

impl<'de, R: Runtime, T: DeserializeOwned> CommandArg<'de, R> for Args<T> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let InvokeBody::Json(body) = command.message.payload() else { return Err(Refusal::INVALID_REQUEST.into()) };
        T::deserialize(body).map(Self).map_err(|_| Refusal::INVALID_REQUEST.into())
    }
}
