//! The mix of reads and writes of a measurement.

use std::fmt;
use std::str::FromStr;

/// The reads and the writes in a hundred operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Operations in a hundred that read one product.
    pub read: u32,
    /// Operations in a hundred that change a stock.
    pub write: u32,
}

impl FromStr for Mix {
    type Err = String;

    /// Reads a mix such as `read=80,write=20`. A missing part is the rest to a hundred.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} não é uma mistura; escreva como read=80,write=20, somando 100");
        let (mut read, mut write) = (None, None);
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let place = match name.trim() {
                "read" => &mut read,
                "write" => &mut write,
                _ => return Err(wrong()),
            };
            let value = value.trim().parse().ok().filter(|value| *value <= 100).ok_or_else(wrong)?;
            if place.replace(value).is_some() {
                return Err(wrong());
            }
        }
        let mix = match (read, write) {
            (Some(read), Some(write)) => Self { read, write },
            (Some(read), None) => Self { read, write: 100 - read },
            (None, Some(write)) => Self { read: 100 - write, write },
            (None, None) => return Err(wrong()),
        };
        if mix.read + mix.write == 100 { Ok(mix) } else { Err(wrong()) }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read={},write={}", self.read, self.write)
    }
}

#[cfg(test)]
mod tests {
    use super::Mix;

    #[test]
    fn mixes() {
        assert_eq!("read=80,write=20".parse(), Ok(Mix { read: 80, write: 20 }));
        assert_eq!("write=100".parse(), Ok(Mix { read: 0, write: 100 }));
        for text in ["", "read", "read=80,write=30", "read=x", "read=101", "read=50,read=50", "list=100"] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
    }
}
