//! Tables of an index in memory, for tests.

use std::ops::Range;

use super::entry::{entries, half};
use super::{IdTables, Malformed, OnFound, Run, StoredRun, write_entries};

/// Entries of a chunk: few, so that a run has many chunks.
const CHUNK_ENTRIES: usize = 8;

/// The stored runs.
#[derive(Default)]
pub(super) struct MemoryTables {
    pub(super) runs: Vec<MemoryRun>,
}

pub(super) struct MemoryRun {
    pub(super) number: i64,
    pub(super) filter: Vec<u8>,
    pub(super) group_filter: Option<Vec<u8>>,
    chunks: Vec<Vec<u8>>,
}

impl MemoryTables {
    /// Stores a run.
    pub(super) fn store(&mut self, run: &Run) {
        let chunk = |entries: &[_]| {
            let mut bytes = Vec::new();
            write_entries(entries, &mut bytes);
            bytes
        };
        self.runs.push(MemoryRun {
            number: run.group.last_run(),
            filter: run.group.last_filter().unwrap(),
            group_filter: run.group.full_filter(),
            chunks: run.entries.chunks(CHUNK_ENTRIES).map(chunk).collect(),
        });
    }
}

impl IdTables for MemoryTables {
    type Error = Malformed;

    fn runs(
        &mut self,
        from: usize,
        each: &mut dyn FnMut(&StoredRun<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.runs.iter().skip(from).try_for_each(|run| {
            each(&StoredRun {
                number: run.number,
                filter: &run.filter,
                group_filter: run.group_filter.as_deref(),
            })
        })
    }

    fn chunks(
        &mut self,
        runs: Range<usize>,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.runs[runs].iter().flat_map(|run| &run.chunks).try_for_each(|chunk| each(chunk))
    }

    fn chunks_with(&mut self, wanted: &[(usize, i64)], each: &mut OnFound<'_>) -> Result<(), Malformed> {
        for (index, (run, hash)) in wanted.iter().enumerate() {
            for chunk in self.runs[*run].chunks.iter().rev() {
                let first = half(&entries(chunk)?[0], 0);
                if first <= *hash {
                    each(index, chunk)?;
                }
                if first < *hash {
                    break;
                }
            }
        }
        Ok(())
    }

    fn ids_after(&mut self, _: i64, _: &mut dyn FnMut(&str, i64)) -> Result<(), Malformed> {
        Ok(())
    }
}
