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
    /// Types of built-in drivers that it may take over.
    replaces: BTreeSet<String>,
}

impl Claim {
    pub(super) fn of(descriptor: &Descriptor, origin: Origin, replaces: BTreeSet<String>) -> Self {
        let types = descriptor.providers.iter().map(|provider| provider.type_.clone()).collect();
        Self { name: descriptor.name.clone(), types, origin, replaces }
    }

    /// Whether the driver was shipped with the operator.
    fn is_shipped(&self) -> bool {
        !matches!(self.origin, Origin::Installed(_))
    }
}

/// Refuses a driver that would take a type or a name from another: who serves a type receives its
/// credentials. An installed driver may take the types in its `replaces` from built-in ones, whichever came first.
pub(super) fn admit(wanted: &Claim, known: &[Claim]) -> Result<(), LoadError> {
    // What is configured is a form of a built-in driver, and follows it.
    let is_form =
        |other: &Claim| wanted.origin == Origin::BuiltIn && matches!(other.origin, Origin::Configured(_));
    for other in known.iter().filter(|other| !is_form(other)) {
        let replacing = match (wanted.is_shipped(), other.is_shipped()) {
            (false, true) => Some((wanted, other)),
            (true, false) => Some((other, wanted)),
            _ => None,
        };
        let yields = |type_: &String| replacing.is_some_and(|(taker, _)| taker.replaces.contains(type_));
        if let Some(type_) = wanted.types.intersection(&other.types).find(|type_| !yields(type_)) {
            return Err(taken(wanted, type_, other));
        }
        // A built-in driver that has lost every type is not called any more: its name is free.
        let displaced = replacing.is_some_and(|(taker, loser)| loser.types.is_subset(&taker.types));
        if wanted.name == other.name && !displaced {
            return Err(LoadError::NameTaken { driver: wanted.name.clone() });
        }
    }
    Ok(())
}

fn taken(wanted: &Claim, type_: &str, other: &Claim) -> LoadError {
    let (driver, provider_type, holder) = (wanted.name.clone(), type_.to_owned(), other.name.clone());
    if other.is_shipped() && !wanted.is_shipped() {
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

    fn claim(name: &str, types: &[&str], origin: Origin, replaces: &[&str]) -> Claim {
        let set = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Claim { name: name.to_owned(), types: set(types), origin, replaces: set(replaces) }
    }

    fn installed(owner: &str) -> Origin {
        Origin::Installed(owner.to_owned())
    }

    fn refusal(wanted: &Claim, known: &[Claim]) -> String {
        admit(wanted, known).map_or_else(|error| error.to_string(), |()| String::new())
    }

    type Types<'a> = &'a [&'a str];

    #[test]
    fn a_type_is_only_taken_over_from_a_built_in_driver_and_only_by_grant() {
        let known = [
            claim("eks", &["eks"], Origin::BuiltIn, &[]),
            claim("eks", &["eks"], Origin::Configured("eks".to_owned()), &[]),
            claim("acme", &["acme"], installed("acme"), &[]),
        ];
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
            let message = refusal(&claim(name, types, installed("mine"), replaces), &known);
            assert!(
                message.contains(expected) && message.is_empty() == expected.is_empty(),
                "{name}: {message}"
            );
        }
    }

    #[test]
    fn built_in_drivers_never_take_from_each_other() {
        let known = [claim("eks", &["eks"], Origin::BuiltIn, &[])];
        for (name, types, expected) in
            [("eks", "x", "same name"), ("eks", "eks", "same name"), ("other", "eks", "already served")]
        {
            let error = refusal(&claim(name, &[types], Origin::BuiltIn, &["eks"]), &known);
            assert!(error.contains(expected), "{error}");
        }
    }

    /// A built-in driver that changes while the operator runs gets what it would have got at a start.
    #[test]
    fn who_came_first_makes_no_difference_between_built_in_and_installed_drivers() {
        let cases: [(&str, Types<'_>, Types<'_>, &str); 5] = [
            ("eks", &["eks"], &["eks"], ""),
            ("other", &["eks"], &["eks"], ""),
            ("other", &["eks"], &[], "already served by driver `other`"),
            ("eks", &["more"], &["eks"], "same name"),
            ("other", &["other"], &[], ""),
        ];
        for (name, types, replaces, expected) in cases {
            let wanted = claim("eks", &["eks"], Origin::BuiltIn, &[]);
            let configured = claim("eks", &["eks"], Origin::Configured("eks".to_owned()), &[]);
            let known = [configured, claim(name, types, installed("mine"), replaces)];
            let message = refusal(&wanted, &known);
            assert!(message.contains(expected) && message.is_empty() == expected.is_empty(), "{message}");
            let before = refusal(&known[1], std::slice::from_ref(&wanted));
            assert_eq!(before.is_empty(), expected.is_empty(), "{before}");
        }
    }
}
