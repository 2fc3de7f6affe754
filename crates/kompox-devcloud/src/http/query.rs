//! The query of a list.

use crate::api::Filter;
use crate::refusal::Refusal;

/// Reads the query; a parameter that does not exist is refused, or its typo would widen the list.
pub(super) fn filter(query: &str) -> Result<Filter, Refusal> {
    let mut filter = Filter::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.into_owned();
        match name.as_ref() {
            "name" => filter.name = Some(value),
            "volume" => filter.volume = Some(value),
            "cursor" => filter.cursor = Some(value),
            "limit" => {
                let limit = value.parse();
                filter.limit = Some(limit.map_err(|_| Refusal::invalid("limit must be a number"))?);
            }
            other => {
                let Some(key) = other.strip_prefix("tag.") else {
                    return Err(Refusal::invalid(format!("there is no parameter \"{other}\"")));
                };
                filter.tags.insert(key.to_owned(), value);
            }
        }
    }
    Ok(filter)
}

/// Writes the query, for the client.
pub(crate) fn encode(filter: &Filter) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let texts = [("name", &filter.name), ("volume", &filter.volume), ("cursor", &filter.cursor)];
    for (name, value) in texts {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    if let Some(limit) = filter.limit {
        form.append_pair("limit", &limit.to_string());
    }
    for (key, value) in &filter.tags {
        form.append_pair(&format!("tag.{key}"), value);
    }
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::{encode, filter};
    use crate::api::{Filter, Tags};

    #[test]
    fn what_the_client_writes_the_service_reads() {
        let wanted = Filter {
            name: Some("a b".into()),
            volume: Some("vol-1".into()),
            cursor: Some("vol-0".into()),
            limit: Some(7),
            tags: Tags::from([("k.x/y".into(), "v&=ü".into()), ("z".into(), String::new())]),
        };
        assert_eq!(filter(&encode(&wanted)).unwrap(), wanted);
        assert_eq!(filter("").unwrap(), Filter::default());
    }

    #[test]
    fn typos_do_not_widen_a_list() {
        for query in ["nam=x", "limit=many", "limit=-1"] {
            assert!(filter(query).is_err(), "{query}");
        }
    }
}
