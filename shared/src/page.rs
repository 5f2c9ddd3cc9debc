//! Numbered pages: what a client asks for and what it gets.

use serde::Serialize;

use crate::error::Violations;

const DEFAULT_SIZE: u32 = 50;
const MAX_SIZE: u32 = 200;

/// Which page, in numbers that are known to be sane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    pub page: u32,
    /// From 1 to 200.
    pub page_size: u32,
}

impl PageRequest {
    /// Takes the two query parameters, absent ones by their defaults (1 and 50), and notes in
    /// `violations` what is out of bounds.
    pub fn new(page: Option<u32>, page_size: Option<u32>, violations: &mut Violations) -> Self {
        let request =
            Self { page: page.unwrap_or(1), page_size: page_size.unwrap_or(DEFAULT_SIZE) };
        if request.page == 0 {
            violations.add("page", "must be at least 1");
        }
        if request.page_size == 0 || request.page_size > MAX_SIZE {
            violations.add("page_size", "must be between 1 and 200");
        }
        request
    }

    /// Rows to take.
    #[must_use]
    pub fn limit(self) -> i64 {
        self.page_size.into()
    }

    /// Rows to pass over.
    #[must_use]
    pub fn offset(self) -> i64 {
        (i64::from(self.page) - 1) * i64::from(self.page_size)
    }
}

/// One page of a list. A page past the end has no items and the true total.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// Rows in the whole list.
    pub total: i64,
    /// The page asked for.
    pub page: u32,
    /// The size asked for.
    pub page_size: u32,
    /// Pages in the whole list.
    pub pages: i64,
}

impl<T> Page<T> {
    /// The page that `request` asked for.
    #[must_use]
    pub fn new(items: Vec<T>, total: i64, request: PageRequest) -> Self {
        let pages = total.div_euclid(request.limit()) + i64::from(total % request.limit() != 0);
        Self { items, total, page: request.page, page_size: request.page_size, pages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_and_no_more() {
        for (total, pages) in [(0, 0), (1, 1), (50, 1), (51, 2), (1234, 25)] {
            let request = PageRequest { page: 1, page_size: 50 };
            assert_eq!(Page::<()>::new(vec![], total, request).pages, pages);
        }
    }

    #[test]
    fn the_last_possible_page_does_not_overflow() {
        let request = PageRequest { page: u32::MAX, page_size: MAX_SIZE };
        assert_eq!(request.offset(), (i64::from(u32::MAX) - 1) * 200);
    }
}
