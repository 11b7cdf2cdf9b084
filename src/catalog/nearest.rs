//! The names that look like one that is not in the catalog.

use super::key::Key;
use super::name::Name;
use super::products::Products;

/// Names offered: what fits on a line or two.
const NEAREST_MAX: usize = 5;

/// Products looked at, so that a wrong name on a huge catalog costs a few milliseconds.
const SCANNED_MAX: usize = 5_000;

/// Least likeness that is worth offering, from 0 (nothing in common) to 1 (the same).
const LIKENESS_MIN: f64 = 0.6;

/// Up to five names, the likest first. Names that hold every word typed come before names
/// that are merely spelt alike, because people type the part that they remember:
/// `maracuja azedo` for `MARACUJÁ AZEDO A`.
pub fn nearest(products: &Products, key: &Key) -> Vec<Name> {
    let words: Vec<&str> = key.as_str().split(' ').filter(|word| !word.is_empty()).collect();
    let mut found: Vec<(f64, &Name)> = products
        .iter_after(None)
        .take(SCANNED_MAX)
        .filter_map(|product| {
            let candidate = product.name.key();
            let likeness = strsim::jaro_winkler(candidate.as_str(), key.as_str());
            let holds_all = !words.is_empty() && words.iter().all(|word| candidate.as_str().contains(word));
            let score = if holds_all { 1.0 + likeness } else { likeness };
            (score >= LIKENESS_MIN).then_some((score, &product.name))
        })
        .collect();
    // A stable sort: equals stay in catalog order.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().take(NEAREST_MAX).map(|(_, name)| name.clone()).collect()
}
