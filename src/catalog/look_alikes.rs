//! Products of earlier builds whose names look the same.

use std::fmt;

use super::name::Name;
use super::product::{Product, ProductId};

/// Two products whose names have the same key. Each is found by its exact stored name, and the first also
/// by any other spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAlikes {
    first: (ProductId, Name),
    second: (ProductId, Name),
}

impl LookAlikes {
    pub(super) fn new(first: &Product, second: &Product) -> Self {
        Self { first: (first.id, first.name.clone()), second: (second.id, second.name.clone()) }
    }
}

impl LookAlikes {
    /// The product that was created first.
    pub fn first(&self) -> ProductId {
        self.first.0
    }

    /// The product that was created later.
    pub fn second(&self) -> ProductId {
        self.second.0
    }
}

impl fmt::Display for LookAlikes {
    /// Both names, and the first characters in which they differ.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(first, first_name), (second, second_name)] = [&self.first, &self.second];
        write!(f, "{second_name} (produto {}) e {first_name} (produto {})", second.number(), first.number())?;
        let differs = |(one, other): &(char, char)| one != other;
        let mut pairs = second_name.as_str().chars().zip(first_name.as_str().chars());
        match pairs.find(differs) {
            Some((second, first)) => {
                write!(f, ": {second} é U+{:04X}, {first} é U+{:04X}", u32::from(second), u32::from(first))
            }
            None => Ok(()),
        }
    }
}
