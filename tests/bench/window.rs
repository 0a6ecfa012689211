//! S13: start to a usable unlock window, memory of all processes, size of the package, against a bare window.

use crate::table::Table;

/// Measures what a display stack is needed for.
pub fn measure(table: &mut Table) {
    table.add_unmeasured("S13", "start to a usable window; memory; package", "needs a display");
}
