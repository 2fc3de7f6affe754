//! The published schema of descriptors describes every member, and the built-in drivers keep to it.
//!
//! A walker for the few keywords that the schema uses stands in for a validator: it is stricter, as it
//! also refuses members that the schema does not know.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use serde_json::Value;

fn read(path: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn schema() -> Value {
    read("wit/kompox-driver/driver-descriptor.schema.json")
}

fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    match node["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => node,
    }
}

fn check(root: &Value, node: &Value, value: &Value, path: &str, errors: &mut Vec<String>) {
    let node = resolve(root, node);
    let fits = match node["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        errors.push(format!("{path}: not of type {}", node["type"]));
    }
    for name in node["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            errors.push(format!("{path}: {name} is missing"));
        }
    }
    if value.as_str().is_some_and(str::is_empty) && node["minLength"].as_u64() > Some(0) {
        errors.push(format!("{path}: empty"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(root, &node["items"], item, &format!("{path}[{index}]"), errors);
    }
    // The schemas of configuration and options are JSON Schemas, not members of the descriptor.
    let Some(known) = node["properties"]
        .as_object()
        .filter(|known| !known.contains_key("type") || known.contains_key("features"))
    else {
        return;
    };
    for (name, member) in value.as_object().into_iter().flatten() {
        match known.get(name) {
            Some(node) => check(root, node, member, &format!("{path}.{name}"), errors),
            None => errors.push(format!("{path}.{name}: not in the schema")),
        }
    }
}

fn undescribed(node: &Value, path: &str, found: &mut Vec<String>) {
    for (name, member) in node["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if member["description"].as_str().is_none_or(str::is_empty) {
            found.push(path.clone());
        }
        undescribed(member, &path, found);
    }
    for (name, member) in node["$defs"].as_object().into_iter().flatten() {
        undescribed(member, &format!("{path}#{name}"), found);
    }
}

#[test]
fn every_member_of_the_schema_is_described() {
    let mut found = Vec::new();
    undescribed(&schema(), "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_eks_descriptor_keeps_to_the_schema() {
    let (schema, descriptor) = (schema(), read("drivers/eks/descriptor.json"));
    let mut errors = Vec::new();
    check(&schema, &schema, &descriptor, "", &mut errors);
    assert_eq!(errors, Vec::<String>::new());
    let provider = &descriptor["providers"][0];
    let names: Vec<_> =
        provider["authProfiles"].as_array().unwrap().iter().map(|profile| &profile["name"]).collect();
    for endpoint in provider["endpoints"].as_array().unwrap() {
        assert!(names.contains(&&endpoint["auth"]), "{endpoint}");
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let schema = schema();
    for (change, expected) in [
        ("/name", ".name: not of type \"string\""),
        ("/providers/0/features", ".providers[0].features: not of type \"array\""),
        ("/providers/0/endpoints/0/url", ".providers[0].endpoints[0].url: not of type \"string\""),
    ] {
        let mut descriptor = read("drivers/eks/descriptor.json");
        *descriptor.pointer_mut(change).unwrap() = Value::from(1);
        let mut errors = Vec::new();
        check(&schema, &schema, &descriptor, "", &mut errors);
        assert_eq!(errors, [expected]);
    }
    let mut descriptor = read("drivers/eks/descriptor.json");
    descriptor["providers"][0]["endpoint"] = Value::from("x");
    descriptor["providers"][0].as_object_mut().unwrap().remove("type");
    let mut errors = Vec::new();
    check(&schema, &schema, &descriptor, "", &mut errors);
    assert_eq!(errors, [".providers[0]: type is missing", ".providers[0].endpoint: not in the schema"]);
}
