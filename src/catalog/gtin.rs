//! The check digit of a GTIN, as barcodes of 8, 12, 13 and 14 digits and scale labels end with it.

/// The check digit that belongs behind these digits. Counted from the right, the first digit weighs 3, the
/// second 1, and so on; the check digit makes the sum a multiple of ten.
pub fn check_digit(digits: &[u8]) -> u8 {
    let weights = [3, 1].into_iter().cycle();
    let sum: u32 = digits.iter().rev().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    // Less than ten, so that it fits.
    ((10 - sum % 10) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barcodes_end_with_their_check_digit() {
        // GS1's own examples of each length, and scale labels that makers publish.
        for barcode in ["40170725", "614141007349", "6291041500213", "10614141000415", "2010085025049"] {
            let digits: Vec<u8> = barcode.bytes().map(|byte| byte - b'0').collect();
            let (last, before) = digits.split_last().unwrap();
            assert_eq!(check_digit(before), *last, "{barcode}");
            for wrong in 1..10 {
                let mut changed = before.to_vec();
                changed[0] = (changed[0] + wrong) % 10;
                assert_ne!(check_digit(&changed), *last, "one wrong digit is always seen");
            }
        }
    }
}
