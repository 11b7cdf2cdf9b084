//! What the programs that `benches/compare` measures with share.

use std::path::Path;

use anyhow::{Context, ensure};

/// A generator that is the same in every run.
pub struct Random(u64);

impl Random {
    /// Any seed but zero.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// The next number (xorshift64).
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[(self.draw() % items.len() as u64) as usize]
    }
}

/// The products of a file, one name a line.
///
/// # Errors
/// Where it cannot be read or is empty.
pub fn read_names(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let names: Vec<String> = text.lines().map(str::to_owned).collect();
    ensure!(!names.is_empty(), "{} holds no name", path.display());
    Ok(names)
}
