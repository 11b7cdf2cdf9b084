//! Money as Brazilians write it.

use std::fmt;

/// Centavos as Brazilians write them: `R$ 1.234,50`, `−R$ 0,05`.
pub fn in_reais(centavos: i64) -> impl fmt::Display {
    let sign = if centavos < 0 { "\u{2212}" } else { "" };
    let (reais, centavos) = ((centavos.unsigned_abs() / 100).to_string(), centavos.unsigned_abs() % 100);
    fmt::from_fn(move |f| {
        write!(f, "{sign}R$ ")?;
        for (index, digit) in reais.char_indices() {
            let is_group = index > 0 && (reais.len() - index).is_multiple_of(3);
            write!(f, "{}{digit}", if is_group { "." } else { "" })?;
        }
        write!(f, ",{centavos:02}")
    })
}

#[cfg(test)]
mod tests {
    use super::in_reais;

    #[test]
    fn shows_what_brazilians_write() {
        for (centavos, text) in [
            (0, "R$ 0,00"),
            (350, "R$ 3,50"),
            (-5, "\u{2212}R$ 0,05"),
            (99_905, "R$ 999,05"),
            (123_450, "R$ 1.234,50"),
            (1_000_000_000_000, "R$ 10.000.000.000,00"),
        ] {
            assert_eq!(in_reais(centavos).to_string(), text);
        }
    }
}
