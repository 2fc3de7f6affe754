//! Reading volumes and snapshots. Only filters, never id lists: an id list with one unknown id fails
//! as a whole, while a filter leaves out what is not there. As the describe actions cannot be limited
//! to single resources by IAM, a success shows the whole account and region: what it leaves out does
//! not exist.

use crate::client::Client;
use crate::tags;
use crate::xml::Element;
use kompox_driver_sdk::form::Form;
use kompox_driver_sdk::paging::{self, Page};
use kompox_driver_sdk::types::{Error, Query};

/// Most handles of one query, by the contract.
const MAX_HANDLES: usize = 100;
/// More pages than 100 handles can fill, or than one name should.
const MAX_PAGES: usize = 20;
const PAGE_LENGTH: u32 = 200;
/// EC2's own bounds of `MaxResults`.
const PAGE_BOUNDS: (u32, u32) = (5, 500);

/// What differs between volumes and snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    action: &'static str,
    set: &'static str,
    id_filter: &'static str,
    id_prefix: &'static str,
    id_element: &'static str,
    /// Only what the account owns; of the public snapshots there are tens of thousands.
    owner: bool,
}

/// Volumes.
pub(crate) const VOLUMES: Kind = Kind {
    action: "DescribeVolumes",
    set: "volumeSet",
    id_filter: "volume-id",
    id_prefix: "vol-",
    id_element: "volumeId",
    owner: false,
};
/// Snapshots.
pub(crate) const SNAPSHOTS: Kind = Kind {
    action: "DescribeSnapshots",
    set: "snapshotSet",
    id_filter: "snapshot-id",
    id_prefix: "snap-",
    id_element: "snapshotId",
    owner: true,
};

/// A page of objects, and the handles that cannot be looked for.
pub(crate) struct Found {
    pub(crate) page: Page<Element>,
    pub(crate) unread: Vec<String>,
}

/// The filters of a request.
#[derive(Default)]
struct Filters {
    form: Form,
    count: usize,
}

impl Filters {
    fn add<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        self.count += 1;
        self.form.push(format!("Filter.{}.Name", self.count), name);
        for (index, value) in (1..).zip(values) {
            self.form.push(format!("Filter.{}.Value.{index}", self.count), tags::filter_value(value));
        }
    }
}

impl Kind {
    /// Whether `handle` has the form of an id of this kind.
    pub(crate) fn is_id(self, handle: &str) -> bool {
        let digits = handle.strip_prefix(self.id_prefix).unwrap_or_default();
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (8..=17).contains(&digits.len()) && digits.bytes().all(hex)
    }

    /// One page for the host's query.
    pub(crate) fn find(
        self,
        client: &mut Client<'_>,
        query: &Query,
        token: Option<&str>,
    ) -> Result<Found, Error> {
        if !query.handles.is_empty() {
            return self.by_handles(client, &query.handles);
        }
        let mut filters = Filters::default();
        if let Some(name) = &query.name {
            filters.add(&format!("tag:{}", tags::NAME_KEY), std::iter::once(name.as_str()));
        }
        for (key, value) in &query.tags {
            filters.add(&format!("tag:{key}"), std::iter::once(value.as_str()));
        }
        if let Some(disk) = query.disk_handle.as_deref().filter(|_| self.owner) {
            filters.add("volume-id", std::iter::once(disk));
        }
        let page = self.page(client, &filters.form, query.limit, token)?;
        Ok(Found { page, unread: Vec::new() })
    }

    fn by_handles(self, client: &mut Client<'_>, handles: &[String]) -> Result<Found, Error> {
        if handles.len() > MAX_HANDLES {
            return Err(Error::invalid("handles", "TooMany", format!("at most {MAX_HANDLES} handles")));
        }
        let (ids, other): (Vec<&String>, Vec<&String>) =
            handles.iter().partition(|handle| self.is_id(handle));
        // Never asked for, so nothing is known of them.
        let unread =
            other.iter().map(|handle| format!("{handle}: not an id of the form {}…", self.id_prefix));
        let unread = unread.collect();
        let items = if ids.is_empty() { Vec::new() } else { self.by_ids(client, &ids)? };
        Ok(Found { page: Page { items, next: None }, unread })
    }

    fn by_ids(self, client: &mut Client<'_>, ids: &[&String]) -> Result<Vec<Element>, Error> {
        let mut filters = Filters::default();
        filters.add(self.id_filter, ids.iter().map(|id| id.as_str()));
        paging::all(MAX_PAGES, |token| self.page(client, &filters.form, 0, token))
    }

    /// The object of that id, if there is one.
    pub(crate) fn get(self, client: &mut Client<'_>, id: &str) -> Result<Option<Element>, Error> {
        if !self.is_id(id) {
            let message = format!("\"{id}\" is not an id of the form {}…", self.id_prefix);
            return Err(Error::invalid("handle", "MalformedId", message));
        }
        Ok(self.by_ids(client, &[&id.to_owned()])?.into_iter().next())
    }

    /// The object of that id, even if another account shares it; for sources of restores.
    pub(crate) fn get_any_owner(self, client: &mut Client<'_>, id: &str) -> Result<Option<Element>, Error> {
        Self { owner: false, ..self }.get(client, id)
    }

    /// All objects that bear a name.
    pub(crate) fn named(self, client: &mut Client<'_>, name: &str) -> Result<Vec<Element>, Error> {
        let mut filters = Filters::default();
        filters.add(&format!("tag:{}", tags::NAME_KEY), std::iter::once(name));
        paging::all(MAX_PAGES, |token| self.page(client, &filters.form, 0, token))
    }

    fn page(
        self,
        client: &mut Client<'_>,
        filters: &Form,
        limit: u32,
        token: Option<&str>,
    ) -> Result<Page<Element>, Error> {
        let wanted = if limit == 0 { PAGE_LENGTH } else { limit };
        let length = wanted.clamp(PAGE_BOUNDS.0, PAGE_BOUNDS.1);
        let mut form = Form::new().with("MaxResults", length.to_string()).with_some("NextToken", token);
        if self.owner {
            form.push("Owner.1", "self");
        }
        for (name, value) in filters.pairs() {
            form.push(name.as_str(), value.as_str());
        }
        let root = client.read(self.action, form)?;
        let items: Vec<Element> = root.items(self.set).cloned().collect();
        // An object that cannot be read must not look like one that is not there.
        if items.iter().any(|item| item.text(self.id_element).is_none()) {
            return Err(Error::unreadable("an entry of the list has no id").read_only());
        }
        Ok(Page { items, next: root.text("nextToken").map(str::to_owned) })
    }
}
