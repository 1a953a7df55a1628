//! The order of names in which `web2` comes before `web10`.

use std::cmp::Ordering;

/// Compares names as Docker's client does where it sorts them: numbers in them by their value, digits before all other
/// characters, and of two that are equal but for zeros in front of a number the one with fewer of them first.
///
/// ```
/// let mut names = ["web10", "web2", "web02", "web-1"];
/// names.sort_by(|a, b| listing::natural(a, b));
/// assert_eq!(names, ["web2", "web02", "web10", "web-1"]);
/// ```
#[must_use]
pub fn natural(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        let (Some(a), Some(b)) = (left.first(), right.first()) else {
            return left.len().cmp(&right.len());
        };
        if a.is_ascii_digit() && b.is_ascii_digit() {
            let (first, second) = (number(&mut left), number(&mut right));
            let order = first.digits.len().cmp(&second.digits.len());
            let order = order.then_with(|| first.digits.cmp(second.digits));
            let order = order.then_with(|| first.zeros.cmp(&second.zeros));
            if order.is_ne() {
                return order;
            }
            continue;
        }
        let order = b.is_ascii_digit().cmp(&a.is_ascii_digit()).then(a.cmp(b));
        if order.is_ne() {
            return order;
        }
        (left, right) = (&left[1..], &right[1..]);
    }
}

/// A number of any length.
struct Number<'a> {
    /// How many zeros are in front of it.
    zeros: usize,
    /// The digits behind those.
    digits: &'a [u8],
}

/// Takes the number at the beginning off the text.
fn number<'a>(text: &mut &'a [u8]) -> Number<'a> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (all, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    let zeros = all.iter().take_while(|&&digit| digit == b'0').count();
    Number {
        zeros,
        digits: &all[zeros..],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Recorded from `docker volume ls --quiet` 28.2.
    #[test]
    fn names_are_in_dockers_order() {
        let recorded = [
            "1.9", "1.10", "9a", "10", "A1", "a1", "a-1", "a_1", "v1", "v01", "v001", "v2", "v10",
            "x9y3", "x10y2", "x10y10", "zz",
        ];
        let mut names = recorded;
        names.sort_unstable();
        assert_ne!(names, recorded);
        names.sort_unstable_by(|a, b| natural(a, b));
        assert_eq!(names, recorded);
    }

    proptest! {
        /// What `sort` asks of an order.
        #[test]
        fn it_is_an_order(names in prop::collection::vec("[a1-]?[0-2]{0,3}[a-]?", 3)) {
            let [a, b, c] = [&names[0], &names[1], &names[2]];
            prop_assert_eq!(natural(a, b), natural(b, a).reverse());
            prop_assert_eq!(natural(a, b).is_eq(), a == b);
            if natural(a, b).is_le() && natural(b, c).is_le() {
                prop_assert!(natural(a, c).is_le());
            }
        }
    }
}
