//! Reading all pages of a list that must be whole, with a bound.

use crate::types::{Error, ErrorCode};

/// One page of a provider's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries of this page; may be none even if there is a next one.
    pub items: Vec<T>,
    /// The provider's token for the next page; none or empty is the last page.
    pub next: Option<String>,
}

/// Reads page after page, at most `max_pages`.
///
/// # Errors
/// What `fetch` returns, and `internal` if the list does not end within `max_pages` or the provider
/// hands out the same token twice in a row: half a list must never look like a whole one.
pub fn all<T>(
    max_pages: usize,
    mut fetch: impl FnMut(Option<&str>) -> Result<Page<T>, Error>,
) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..max_pages {
        let page = fetch(token.as_deref())?;
        items.extend(page.items);
        let next = page.next.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(items);
        }
        if next == token {
            break;
        }
        token = next;
    }
    Err(Error::new(ErrorCode::Internal, "EndlessList", "the provider's list does not end"))
}

#[cfg(test)]
mod tests {
    use super::{Page, all};
    use crate::types::{Error, ErrorCode};

    fn page(items: &[u8], next: Option<&str>) -> Page<u8> {
        Page { items: items.to_vec(), next: next.map(str::to_owned) }
    }

    #[test]
    fn pages_are_joined_until_the_last() {
        let got = all(9, |token| {
            Ok(match token {
                None => page(&[1], Some("a")),
                Some("a") => page(&[], Some("b")),
                _ => page(&[2, 3], Some("")),
            })
        });
        assert_eq!(got.unwrap(), [1, 2, 3]);
    }

    #[test]
    fn half_a_list_is_an_error() {
        let same = all(9, |_| Ok(page(&[1], Some("a"))));
        assert_eq!(same.unwrap_err().reason, "EndlessList");
        let mut count = 0;
        let long = all(3, |_| {
            count += 1;
            Ok(page(&[1], Some(&count.to_string())))
        });
        assert_eq!((long.unwrap_err().reason.as_str(), count), ("EndlessList", 3));
        let failed = all::<u8>(3, |_| Err(Error::new(ErrorCode::Throttled, "X", "x")));
        assert_eq!(failed.unwrap_err().code, ErrorCode::Throttled);
    }
}
