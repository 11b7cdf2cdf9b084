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
    /// The unit as the table keeps it, so that its label is shared.
    pub(super) fn shared(&mut self, unit: &Unit) -> Unit {
        if let Some((kept, _)) = self.indexes.get_key_value(unit) {
            return kept.clone();
        }
        // There are no more units than products and changes of products, both below 2^32.
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
