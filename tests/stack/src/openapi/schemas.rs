//! One name for one thing: a schema that has a name is referred to by it wherever it stands, so
//! that a generated client has one type for it. (A generic page spells its items out.)

use serde_norway::{Mapping, Value};

/// Puts references in the place of copies.
pub(super) fn share(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_mapping().cloned() else { return };
    let named: Vec<(Value, Value)> = schemas
        .into_iter()
        .filter(|(_, schema)| schema["properties"].is_mapping())
        .map(|(name, schema)| (schema, reference(name.as_str().unwrap_or_default())))
        .collect();
    if let Some(schemas) = document["components"]["schemas"].as_mapping_mut() {
        for (_, schema) in schemas {
            for inner in children(schema) {
                replace(inner, &named);
            }
        }
    }
}

fn reference(name: &str) -> Value {
    let location = format!("#/components/schemas/{name}");
    Mapping::from_iter([("$ref".into(), location.into())]).into()
}

fn replace(value: &mut Value, named: &[(Value, Value)]) {
    if let Some((_, reference)) = named.iter().find(|(schema, _)| schema == value) {
        *value = reference.clone();
    }
    for inner in children(value) {
        replace(inner, named);
    }
}

fn children(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Mapping(mapping) => mapping.values_mut().collect(),
        Value::Sequence(sequence) => sequence.iter_mut().collect(),
        _ => vec![],
    }
}
