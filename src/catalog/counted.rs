//! Counts in sentences for people.

use std::fmt;

/// A count with its word in the singular or the plural: `1 produto`, `2 produtos`.
pub fn counted<N: fmt::Display + From<u8> + PartialEq>(count: N, one: &str, many: &str) -> String {
    let word = if count == N::from(1) { one } else { many };
    format!("{count} {word}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn only_one_is_singular() {
        let shown = [0, 1, 2].map(|count| counted(count, "linha errada", "linhas erradas"));
        assert_eq!(shown, ["0 linhas erradas", "1 linha errada", "2 linhas erradas"]);
    }
}
