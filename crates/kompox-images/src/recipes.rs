//! What is in each image. A new image is a line in [`RECIPES`] and a function of its own.

mod base;
mod demo;
mod nginx;
mod postgres;
mod redis;

use std::collections::BTreeSet;

use crate::{Error, Image, Pool, Tree};

/// How an image is made.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// The name that Compose files use.
    pub tag: &'static str,
    /// The Debian packages whose files it holds. No dependency is followed: the lists are what the programs
    /// load, and so stay a tenth of what apt would install.
    packages: &'static [&'static [&'static str]],
    make: fn(&Sources<'_>) -> Result<Image, Error>,
}

/// What recipes take files from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Debian's packages.
    pub pool: &'a Pool,
    /// The demo service, a static executable.
    pub demo: &'a [u8],
}

/// All images, by name.
pub const RECIPES: &[Recipe] = &[
    Recipe { tag: "busybox:1", packages: &[base::SHELL], make: base::busybox },
    Recipe { tag: "kompox/demo:1", packages: &[base::SHELL], make: demo::with_shell },
    Recipe { tag: "kompox/demo:1-static", packages: &[], make: demo::without_shell },
    Recipe { tag: "kompox/demo:1-user", packages: &[base::SHELL], make: demo::with_user },
    Recipe { tag: "kompox/pause:1", packages: &[], make: demo::pause },
    Recipe {
        tag: "nginx:1.22",
        packages: &[base::SHELL, base::LIBC, base::TLS, nginx::PACKAGES],
        make: nginx::image,
    },
    Recipe {
        tag: "postgres:15",
        packages: &[base::SHELL, base::LIBC, base::TLS, base::SYSTEMD, postgres::PACKAGES],
        make: postgres::image,
    },
    Recipe {
        tag: "redis:7",
        packages: &[base::SHELL, base::LIBC, base::TLS, base::SYSTEMD, redis::PACKAGES],
        make: redis::image,
    },
];

/// The packages of all recipes.
#[must_use]
pub fn packages() -> BTreeSet<&'static str> {
    RECIPES.iter().flat_map(Recipe::packages).collect()
}

impl Recipe {
    fn packages(&self) -> impl Iterator<Item = &'static str> {
        self.packages.iter().flat_map(|group| group.iter().copied())
    }

    /// Makes the image from what is in the sources.
    ///
    /// # Errors
    /// When a package is damaged, or holds what an image cannot hold.
    pub fn image(&self, sources: &Sources<'_>) -> Result<Image, Error> {
        (self.make)(sources)
    }
}

impl Sources<'_> {
    /// Adds every package of the groups to the tree.
    fn unpack(&self, tree: &mut Tree, groups: &[&[&str]], keep: fn(&str) -> bool) -> Result<(), Error> {
        groups.iter().flat_map(|group| group.iter()).try_for_each(|name| self.pool.unpack(name, tree, keep))
    }
}

/// Owned copies, for lists in configurations.
fn texts<C: FromIterator<String>>(texts: &[&str]) -> C {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
