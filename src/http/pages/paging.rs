//! Long lists, page by page: each page begins after the last row of the one before, and has no more rows than the settings allow.

use projections::{Page, query::PAGE_MAX};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{
    config::Limits,
    protocol::{OAuthError, Parameters},
};

/// Rows of a page where the reader names no number.
const USUAL: u32 = 50;

/// Which rows of a list a page shows.
pub(super) struct Paging {
    after: Option<String>,
    limit: u32,
    /// What is searched for, kept from page to page.
    pub(super) search: Option<String>,
}

impl Paging {
    /// Reads `after` (a row's id), `limit` and `q` (what is searched for).
    ///
    /// # Errors
    /// `invalid_request` for what is no id or no number.
    pub(super) fn read(parameters: &Parameters, limits: &Limits) -> Result<Self, OAuthError> {
        let after = parameters.get("after").map(Uuid::try_parse).transpose().map_err(|_| malformed("after", "an id"))?;
        let limit = parameters.get("limit").map(str::parse).transpose().map_err(|_| malformed("limit", "a number"))?;
        let most = limits.page_size_max.clamp(1, PAGE_MAX - 1);
        Ok(Self {
            after: after.map(|id| id.hyphenated().to_string()),
            limit: limit.unwrap_or(USUAL).clamp(1, most),
            search: parameters.get("q").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        })
    }

    /// What to ask the store for: a row more than is shown, to know whether there is a next page.
    pub(super) fn page(&self) -> Page<'_> {
        Page { after: self.after.as_deref(), limit: self.limit + 1 }
    }

    /// Takes away the row too many; gives the address of the next page if there is one.
    pub(super) fn next<T>(&self, rows: &mut Vec<T>, path: &str, id: impl Fn(&T) -> &str) -> Option<String> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if rows.len() <= limit {
            return None;
        }
        rows.truncate(limit);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("after", id(rows.last()?)).append_pair("limit", &self.limit.to_string());
        if let Some(search) = &self.search {
            query.append_pair("q", search);
        }
        Some(format!("{path}?{}", query.finish()))
    }

    /// Whether there are rows before these.
    pub(super) const fn is_further(&self) -> bool {
        self.after.is_some()
    }
}

fn malformed(name: &'static str, what: &str) -> OAuthError {
    OAuthError::invalid_request("malformed_page", format!("{name} must be {what}")).saw("parameter", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};

    fn read(query: &str) -> Result<Paging, OAuthError> {
        let settings = Settings::load(&Source::default()).unwrap();
        Paging::read(&Parameters::parse(query.as_bytes()).unwrap(), &settings.limits)
    }

    #[test]
    fn a_page_is_bounded_whatever_is_asked_for() {
        for (query, limit) in [("", 51), ("limit=7", 8), ("limit=4000000000", 201), ("limit=0", 2)] {
            assert_eq!(read(query).unwrap().page().limit, limit, "{query}");
        }
        for query in ["limit=-1", "limit=all", "limit=99999999999", "after=x", "after=' OR 1=1"] {
            assert_eq!(read(query).err().map(|error| error.rule), Some("malformed_page"), "{query}");
        }
    }

    #[test]
    fn the_next_page_goes_on_after_the_last_row_with_the_same_search() {
        let paging = read("limit=2&q=a%26b").unwrap();
        let mut rows = vec!["1", "2", "3"];
        assert_eq!(paging.next(&mut rows, "/x/", |row| row).as_deref(), Some("/x/?after=2&limit=2&q=a%26b"));
        assert_eq!(rows, ["1", "2"]);
        assert_eq!(paging.next(&mut rows, "/x/", |row| row), None);
    }
}
