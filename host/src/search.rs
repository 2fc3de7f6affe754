//! Complete searches in a cloud: all pages, bounded, as one [`Sighting`].

use crate::providers::Resolved;
use kompox_core::{
    cloud::Sighting,
    driver::{DiskInfo, DriverError, DriverResult, Effect, ErrorCode, Query, SnapshotInfo},
};

/// Pages of one search at most; with a page of a hundred this is ten thousand objects.
const PAGES: usize = 100;

/// Searches disks.
///
/// # Errors
/// What the driver answers, or too many pages.
pub async fn disks(resolved: &Resolved, query: &Query) -> DriverResult<Sighting<DiskInfo>> {
    let (mut items, mut unread, mut next) = (Vec::new(), Vec::new(), None);
    for _ in 0..PAGES {
        let page = resolved.driver.find_disks(&resolved.call, query, next.as_deref()).await?;
        items.extend(page.items);
        unread.extend(page.unread);
        next = page.next;
        if next.is_none() {
            return Ok(Sighting::of(items, unread));
        }
    }
    Err(endless())
}

/// Searches snapshots.
///
/// # Errors
/// What the driver answers, or too many pages.
pub async fn snapshots(resolved: &Resolved, query: &Query) -> DriverResult<Sighting<SnapshotInfo>> {
    let (mut items, mut unread, mut next) = (Vec::new(), Vec::new(), None);
    for _ in 0..PAGES {
        let page = resolved.driver.find_snapshots(&resolved.call, query, next.as_deref()).await?;
        items.extend(page.items);
        unread.extend(page.unread);
        next = page.next;
        if next.is_none() {
            return Ok(Sighting::of(items, unread));
        }
    }
    Err(endless())
}

fn endless() -> DriverError {
    let message = format!("the search did not end within {PAGES} pages");
    DriverError::new(ErrorCode::Internal, Effect::None, "EndlessSearch", message)
}
