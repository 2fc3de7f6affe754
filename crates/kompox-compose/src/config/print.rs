//! A model as a JSON value: what is left out, what is always there, and how numbers look.

use serde_json::{Map, Number, Value};

use super::Model;
use crate::schema::{Keys, ROOT, Type};
use crate::yaml::{Kind, Node, Scalar, Shape};

/// Who the value is for: the two differ in what is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

pub(super) fn project(model: &Model, format: Format) -> Value {
    let mut root = Map::new();
    for entry in model.root.entries() {
        let key = entry.key.value.as_str();
        match ROOT.get(key) {
            _ if matches!(key, "name" | "include" | "version") => {}
            Some(_) if key == "services" => {}
            Some(ty) => {
                if let Some(value) = value(ty, &entry.value, format) {
                    root.insert(key.to_owned(), value);
                }
            }
            None => {
                root.insert(key.to_owned(), plain(&entry.value));
            }
        }
    }
    let mut services = Map::new();
    for entry in model.root.get("services").map(Node::entries).into_iter().flatten() {
        if let (false, Some(Type::Named(ty))) =
            (model.disabled.contains(&entry.key.value), ROOT.get("services"))
        {
            let service = value(ty, &entry.value, format).unwrap_or(Value::Null);
            services.insert(entry.key.value.clone(), service);
        }
    }
    root.insert("services".to_owned(), Value::Object(services));
    if let Some(name) = &model.name {
        root.insert("name".to_owned(), Value::from(name.as_str()));
    }
    Value::Object(root)
}

/// The value, or `None` when it is the same as nothing.
fn value(ty: &'static Type, node: &Node, format: Format) -> Option<Value> {
    match ty {
        Type::Object(keys) | Type::Struct(keys) | Type::Long(keys, _) | Type::Nullable(keys) => {
            if matches!(node.kind, Kind::Mapping(_)) { Some(object(keys, node, format)) } else { other(node) }
        }
        Type::List(item, _) => {
            let items =
                node.items().iter().map(|node| value(item, node, format).unwrap_or_else(|| plain(node)));
            some_items(items.collect(), node)
        }
        Type::Ports => {
            let items = node.items().iter().map(|item| match item.kind {
                Kind::Mapping(_) => object(&crate::schema::PORT, item, format),
                _ => plain(item),
            });
            some_items(items.collect(), node)
        }
        Type::Gpus => {
            let items = node.items().iter().map(|item| object(&crate::schema::DEVICE_REQUEST, item, format));
            some_items(items.collect(), node)
        }
        Type::Named(item) | Type::Listed(item, _) => {
            let entries = node.entries().iter().map(|entry| {
                let value = value(item, &entry.value, format).unwrap_or(Value::Null);
                (entry.key.value.clone(), value)
            });
            let map: Map<String, Value> = entries.collect();
            if map.is_empty() { other(node) } else { Some(Value::Object(map)) }
        }
        Type::Command => (!node.is_null()).then(|| plain(node)),
        _ => Some(plain(node)).filter(|value| !omitted(ty, value, format)),
    }
}

/// What is left of a value that is not of the canonical kind, as `${…}` before interpolation.
fn other(node: &Node) -> Option<Value> {
    node.as_text().is_some().then(|| plain(node))
}

fn some_items(items: Vec<Value>, node: &Node) -> Option<Value> {
    if items.is_empty() { other(node) } else { Some(Value::Array(items)) }
}

fn object(keys: &'static Keys, node: &Node, format: Format) -> Value {
    let mut map = Map::new();
    for (key, ty) in keys.all() {
        let written = node.get(key).and_then(|node| value(ty, node, format));
        let always = match ty {
            Type::Command if format == Format::Json => Some(Value::Null),
            Type::Struct(keys) if format == Format::Json => Some(object(keys, &nothing(node), format)),
            _ => None,
        };
        if let Some(value) = written.or(always) {
            map.insert((*key).to_owned(), value);
        }
    }
    if format == Format::Yaml {
        for entry in node.entries().iter().filter(|entry| entry.key.value.starts_with("x-")) {
            map.insert(entry.key.value.clone(), plain(&entry.value));
        }
    }
    Value::Object(map)
}

/// An empty mapping in place of one that is not there.
fn nothing(node: &Node) -> Node {
    Node::new(node.span.clone(), Kind::Mapping(Vec::new()))
}

fn omitted(ty: &Type, value: &Value, format: Format) -> bool {
    match ty {
        Type::Tristate | Type::Counted | Type::Duration | Type::Shown | Type::Mode => value.is_null(),
        Type::OptOut => value.is_null() || (format == Format::Json && *value == Value::Bool(true)),
        Type::Bytes => value.is_null() || value == "0",
        Type::Delay => value.is_null() || value == "0s",
        _ => match value {
            Value::Null | Value::Bool(false) => true,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Bool(true) => false,
        },
    }
}

/// A value as it is.
fn plain(node: &Node) -> Value {
    match &node.kind {
        Kind::Mapping(entries) => {
            entries.iter().map(|entry| (entry.key.value.clone(), plain(&entry.value))).collect()
        }
        Kind::Sequence(items) => items.iter().map(plain).collect(),
        Kind::Scalar(scalar) => of_scalar(scalar),
    }
}

fn of_scalar(scalar: &Scalar) -> Value {
    match scalar.shape() {
        Shape::Null => Value::Null,
        Shape::Boolean(value) => Value::Bool(value),
        Shape::Integer(number) => {
            let signed = i64::try_from(number).map(Number::from);
            signed
                .or_else(|_| u64::try_from(number).map(Number::from))
                .map_or_else(|_| Value::from(number.to_string()), Value::Number)
        }
        Shape::Float(number) => {
            let whole = format!("{number}");
            // Like the reference, a whole number has no fraction.
            match whole.parse::<i64>() {
                Ok(whole) => Value::from(whole),
                Err(_) => Number::from_f64(number).map_or_else(|| Value::from(whole), Value::Number),
            }
        }
        Shape::Text => Value::from(scalar.text.as_str()),
    }
}
