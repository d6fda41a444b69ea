//! Every operation that the OpenAPI document describes, for tests that must hold for all of them.

use reqwest::Method;
use serde_json::Value;

use crate::Client;

/// One operation of the OpenAPI document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    /// With an id in place of the path parameter.
    pub path: String,
    /// The names of its query parameters.
    pub query: Vec<String>,
}

/// All operations; `id` replaces each `{id}` in a path.
pub async fn operations(client: &Client, id: &str) -> Vec<Operation> {
    let document = client.get("/api/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").iter();
        methods.map(move |(method, operation)| Operation {
            method: method.to_uppercase().parse().expect("a method"),
            path: path.replace("{session_id}", id),
            query: names(operation, "query"),
        })
    });
    operations.collect()
}

fn names(operation: &Value, place: &str) -> Vec<String> {
    let parameters = operation["parameters"].as_array().cloned();
    let there = parameters.unwrap_or_default().into_iter();
    there
        .filter(|it| it["in"] == place)
        .filter_map(|it| Some(it["name"].as_str()?.to_owned()))
        .collect()
}
