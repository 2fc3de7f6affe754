//! Who may serve a provider type. Pure.

use super::Origin;
use crate::error::LoadError;
use kompox_core::driver::Descriptor;
use std::collections::BTreeSet;

/// What a driver asks for.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    name: String,
    types: BTreeSet<String>,
    origin: Origin,
}

impl Claim {
    pub(super) fn of(descriptor: &Descriptor, origin: Origin) -> Self {
        let types = descriptor.providers.iter().map(|provider| provider.type_.clone()).collect();
        Self { name: descriptor.name.clone(), types, origin }
    }

    /// Whether the driver was shipped with the operator.
    fn is_shipped(&self) -> bool {
        !matches!(self.origin, Origin::Installed(_))
    }
}

/// Refuses a driver that would take a type or a name from another: who serves a type receives its
/// credentials. An installed driver may take the types in `replaces` from built-in ones.
pub(super) fn admit(wanted: &Claim, known: &[Claim], replaces: &BTreeSet<String>) -> Result<(), LoadError> {
    for other in known {
        let may_replace = other.is_shipped() && !wanted.is_shipped();
        for type_ in wanted.types.intersection(&other.types) {
            if may_replace && replaces.contains(type_) {
                continue;
            }
            return Err(taken(wanted, type_, other, may_replace));
        }
        // A built-in driver that has lost every type is not called any more: its name is free.
        let displaced = may_replace && other.types.is_subset(&wanted.types);
        if wanted.name == other.name && !displaced {
            return Err(LoadError::NameTaken { driver: wanted.name.clone() });
        }
    }
    Ok(())
}

fn taken(wanted: &Claim, type_: &str, other: &Claim, built_in: bool) -> LoadError {
    let (driver, provider_type, holder) = (wanted.name.clone(), type_.to_owned(), other.name.clone());
    if built_in {
        return LoadError::BuiltInType { driver, provider_type, holder };
    }
    // The same driver twice: its name says more than the first of its types.
    if driver == holder {
        return LoadError::NameTaken { driver };
    }
    LoadError::TypeTaken { driver, provider_type, holder }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, types: &[&str], origin: Origin) -> Claim {
        Claim { name: name.to_owned(), types: types.iter().map(|t| (*t).to_owned()).collect(), origin }
    }

    #[test]
    fn a_type_is_only_taken_over_from_a_built_in_driver_and_only_by_grant() {
        let installed = |owner: &str| Origin::Installed(owner.to_owned());
        let known = [
            claim("eks", &["eks"], Origin::BuiltIn),
            claim("eks", &["eks"], Origin::Configured("eks".to_owned())),
            claim("acme", &["acme"], installed("acme")),
        ];
        type Types<'a> = &'a [&'a str];
        let cases: [(&str, Types<'_>, Types<'_>, &str); 8] = [
            ("new", &["new"], &[], ""),
            ("new", &["eks"], &[], "`grants.replaceBuiltInTypes`"),
            ("new", &["eks"], &["eks"], ""),
            ("eks", &["eks"], &["eks"], ""),
            ("eks", &["eks", "new"], &["eks"], ""),
            ("eks", &["new"], &["eks"], "same name"),
            ("new", &["acme"], &["acme"], "already served by driver `acme`"),
            ("acme", &["new"], &[], "same name"),
        ];
        for (name, types, replaces, expected) in cases {
            let wanted = claim(name, types, installed("mine"));
            let replaces = replaces.iter().map(|t| (*t).to_owned()).collect();
            let message =
                admit(&wanted, &known, &replaces).map_or_else(|e| e.to_string(), |()| String::new());
            assert!(
                message.contains(expected) && message.is_empty() == expected.is_empty(),
                "{name}: {message}"
            );
        }
    }

    #[test]
    fn built_in_drivers_never_take_from_each_other() {
        let known = [claim("eks", &["eks"], Origin::BuiltIn)];
        for (name, types, expected) in
            [("eks", "x", "same name"), ("eks", "eks", "same name"), ("other", "eks", "already served")]
        {
            let wanted = claim(name, &[types], Origin::BuiltIn);
            let error = admit(&wanted, &known, &["eks".to_owned()].into()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
