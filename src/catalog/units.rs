//! The units of a catalog, each label kept once, however many products are sold by it.

use std::collections::HashMap;

use super::product::Unit;

/// A table of units.
#[derive(Debug, Default)]
pub(super) struct Units {
    indexes: HashMap<Unit, u32>,
    units: Vec<Unit>,
}

impl Units {
    /// The same unit, as it is kept.
    pub(super) fn shared(&mut self, unit: &Unit) -> Unit {
        if let Some((kept, _)) = self.indexes.get_key_value(unit) {
            return kept.clone();
        }
        // No more than products and changes of them, which are below 2^32 each.
        self.indexes.insert(unit.clone(), self.units.len() as u32);
        self.units.push(unit.clone());
        unit.clone()
    }

    /// The index of a unit that is kept.
    pub(super) fn index(&self, unit: &Unit) -> u32 {
        self.indexes.get(unit).copied().unwrap_or_default()
    }

    /// The unit with this index, which [`Units::index`] gave.
    pub(super) fn get(&self, index: u32) -> &Unit {
        &self.units[index as usize]
    }
}
