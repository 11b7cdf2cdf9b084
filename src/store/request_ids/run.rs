//! A sorted run of the index, before it is stored.

use super::entry::Entry;
use super::groups::Group;

/// A sorted run: ids that are stored together.
pub(in crate::store) struct Run {
    /// The entries, ordered by hash.
    pub(in crate::store) entries: Vec<Entry>,
    /// The group of the run, which includes this run.
    pub(in crate::store) group: Group,
    /// The last movement whose id, and those of all movements before it, are in this run or an earlier one.
    pub(in crate::store) through: i64,
}

impl Run {
    /// Sorts entries into a run, and adds the run to its group.
    pub(super) fn of(mut entries: Vec<Entry>, mut group: Group, through: i64) -> Self {
        entries.sort_unstable_by_key(|(hash, _)| *hash);
        group.add_run(entries.iter().map(|(hash, _)| *hash));
        Self { entries, group, through }
    }
}
