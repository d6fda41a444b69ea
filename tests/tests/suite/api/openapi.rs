//! The OpenAPI document and the page that shows it.

use std::collections::BTreeSet;

use privachat_tests::{Stack, binaries, captured_bodies, project_files};
use serde_json::Value;

async fn api() -> Stack {
    Stack::builder(binaries!()).workers(0).start().await
}

async fn document(stack: &Stack) -> Value {
    stack.client().get("/api/openapi.json").await.expect(200)
}

fn names(object: &Value) -> Vec<String> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect()
}

/// `only(GET, "/path")` in the route table.
fn routes_of_the_code() -> BTreeSet<String> {
    let table = project_files::file("crates/api/src/app.rs").code();
    let calls = table.split("only(").skip(1);
    let paths = calls.filter_map(|call| call.split('"').nth(1));
    paths
        .filter(|path| path.starts_with('/'))
        .map(String::from)
        .collect()
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_names_every_route() {
    let document = document(&api().await).await;
    assert!(
        document["openapi"].as_str().unwrap().starts_with("3.1"),
        "{}",
        document["openapi"]
    );
    let routes: BTreeSet<String> = names(&document["paths"]).into_iter().collect();
    assert_eq!(routes, routes_of_the_code());
    let mut ids = BTreeSet::new();
    for route in &routes {
        for method in names(&document["paths"][route]) {
            let operation = &document["paths"][route][&method];
            let answers = ["200", "204", "101"].map(|status| &operation["responses"][status]);
            assert!(
                answers.iter().any(|answer| answer.is_object()),
                "{method} {route}"
            );
            let id = operation["operationId"].as_str().expect("an operationId");
            assert!(ids.insert(id.to_owned()), "{id} is used for two operations");
        }
    }
}

#[tokio::test]
async fn the_schema_of_a_response_begins_with_the_members_of_the_old_one_in_their_order() {
    let document = document(&api().await).await;
    let members = names(&document["components"]["schemas"]["SearchResponse"]["properties"]);
    let old: Value =
        serde_json::from_str(&captured_bodies::text("old-service/async-post.json")).unwrap();
    assert_eq!(members.get(..16).expect("sixteen members"), names(&old));
}

#[tokio::test]
async fn the_schemas_of_the_items_have_exactly_the_old_members() {
    let document = document(&api().await).await;
    let old: Value =
        serde_json::from_str(&captured_bodies::text("old-service/sync-post.json")).unwrap();
    for (schema, list) in [
        ("Source", "sources"),
        ("SubQuery", "sub_queries"),
        ("CitationMapping", "citation_mapping"),
    ] {
        let members = names(&document["components"]["schemas"][schema]["properties"]);
        assert_eq!(members, names(&old[list][0]), "{schema}");
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = document(&api().await).await;
    let text = document.to_string();
    let references = text.split(r##""$ref":"#"##).skip(1);
    let mut count = 0;
    for reference in references.filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
        count += 1;
    }
    assert!(count > 10, "{count} references");
}

#[tokio::test]
async fn the_schema_of_a_request_has_the_bounds_that_are_checked() {
    let document = document(&api().await).await;
    let body = &document["components"]["schemas"]["SearchBody"];
    assert_eq!(body["required"], serde_json::json!(["query"]));
    for (member, least, most) in [
        ("max_sources", 5, 50),
        ("timeout", 10, 300),
        ("ttl_seconds", 60, 604_800),
    ] {
        let member = &body["properties"][member];
        assert_eq!(
            (member["minimum"].as_i64(), member["maximum"].as_i64()),
            (Some(least), Some(most))
        );
    }
    let query = &body["properties"]["query"];
    assert_eq!(
        (query["minLength"].as_i64(), query["maxLength"].as_i64()),
        (Some(1), Some(5000))
    );
}

#[tokio::test]
async fn the_docs_page_loads_nothing_from_other_hosts() {
    let stack = api().await;
    let redirect = stack.client().get("/api/docs").await;
    assert_eq!(redirect.status, 307);
    let page = stack
        .client()
        .get(redirect.header("location").expect("a location"))
        .await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    let links: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.text.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(links.len() > 3, "{links:?}");
    for link in links {
        assert!(!link.contains("//"), "{link} is elsewhere");
        let asset = stack
            .client()
            .get(&format!("/api/docs/{}", link.trim_start_matches("./")))
            .await;
        assert_eq!(asset.status, 200, "{link}");
    }
    let start = stack.client().get("/api/docs/swagger-initializer.js").await;
    assert!(start.text.contains("/api/openapi.json"), "{}", start.text);
}

#[tokio::test]
async fn the_document_lists_every_kind_of_event_that_a_stream_can_send() {
    let document = document(&api().await).await;
    let events = &document["paths"]["/api/v1/search/{session_id}/events"]["get"]["responses"];
    let content = &events["200"]["content"]["text/event-stream"]["schema"];
    assert_eq!(content["$ref"], "#/components/schemas/SentEvent");
    let data = &document["components"]["schemas"]["SentEvent"]["properties"]["data"];
    assert_eq!(
        data["contentSchema"]["$ref"],
        "#/components/schemas/StreamEvent"
    );
    let kinds = |schema: &str| -> BTreeSet<String> {
        let variants = document["components"]["schemas"][schema]["oneOf"].as_array();
        let kind = |variant: &Value| {
            let own = [variant, &variant["allOf"][1]];
            let kinds = own.map(|part| part["properties"]["type"]["enum"][0].as_str());
            kinds
                .into_iter()
                .flatten()
                .next()
                .expect("a type")
                .to_owned()
        };
        variants.expect("variants").iter().map(kind).collect()
    };
    let documented: BTreeSet<String> = &kinds("Event") | &kinds("Turn");
    let page = project_files::root().join("docs/EVENTS.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| row.split('`').next());
    let listed: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(documented, listed);
}

#[tokio::test]
async fn every_operation_but_the_public_ones_documents_the_key_and_the_error_without_one() {
    let document = document(&api().await).await;
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(schemes["api_key"]["name"], "X-API-Key");
    let open = ["/", "/livez", "/readyz", "/api/v1/health"];
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answers = &operation["responses"];
            let is_closed = !open.contains(&path.as_str());
            for part in [&operation["security"], &answers["401"], &answers["429"]] {
                assert_eq!(!part.is_null(), is_closed, "{method} {path}");
            }
            if is_closed {
                let wait = &answers["429"]["headers"]["Retry-After"];
                assert_eq!(wait["schema"]["type"], "integer", "{method} {path}");
            }
            if path == "/metrics" || path.starts_with("/api/v1/queue") {
                assert!(answers["403"].is_object(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn every_described_header_is_a_string_and_none_is_ignored_by_openapi() {
    let document = document(&api().await).await;
    let mut headers = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for header in parameters.filter(|one| one["in"] == "header") {
                assert_eq!(header["schema"]["type"], "string", "{header}");
                // OpenAPI ignores parameters with these names.
                let name = header["name"].as_str().unwrap();
                assert!(!["Accept", "Authorization", "Content-Type"].contains(&name));
                headers += 1;
            }
        }
    }
    assert!(headers >= 3, "{headers}");
}

#[tokio::test]
async fn the_answer_to_a_search_links_to_every_operation_that_takes_its_id() {
    let document = document(&api().await).await;
    let paths = document["paths"].as_object().unwrap();
    let with_id = paths
        .iter()
        .filter(|(path, _)| path.contains("{session_id}"));
    let operations = with_id.flat_map(|(_, item)| item.as_object().unwrap().values());
    let targets: BTreeSet<String> = operations
        .map(|operation| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let links = &document["paths"]["/api/v1/search"]["post"]["responses"]["200"]["links"];
    let linked: BTreeSet<String> = names(links).into_iter().collect();
    assert_eq!(linked, targets);
    for link in links.as_object().unwrap().values() {
        assert_eq!(
            link["parameters"]["session_id"],
            "$response.body#/session_id"
        );
    }
}
