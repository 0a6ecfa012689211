//! Favourites: records an account has marked for itself. A mark is no version of the record and says nothing to others.

use coffer_model::event::Event;
use coffer_model::id::RecordId;

use super::bulk::BulkError;
use crate::policy::Action;
use crate::session::Session;
use crate::view::FavouriteView;

impl Session {
    /// Marks a record as a favourite of this account, or takes the mark back. A record in the trash is not found.
    pub fn set_favourite(&self, id: RecordId, favourite: bool) -> Result<FavouriteView, BulkError> {
        let event = |record, _| if favourite { Event::FavouriteSet(record) } else { Event::FavouriteUnset(record) };
        let done = self.change_many(Action::MarkFavourite, &[id], event, |tx, selection| {
            selection.keys.iter().try_for_each(|&key| Ok(tx.set_favourite(key, favourite)?))
        });
        done.map(|_| FavouriteView { id, favourite })
    }
}
