//! Refuses NUL characters in query strings: Postgres cannot store them. Validation finds them in
//! bodies (`privachat_core::schema::validate`), headers cannot have them, and paths contain only
//! ids.

use crate::problem::Problem;
use actix_web::{
    Error, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Query,
};
use privachat_core::schema::validate::Fault;

/// Refuses requests with a NUL in any query parameter, also in unknown ones.
pub(crate) async fn refuse_nul(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let faults = nul_errors(request.query_string());
    if faults.is_empty() {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = Problem::Invalid(faults).error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}

fn nul_errors(query: &str) -> Vec<Fault> {
    // The only encoding of NUL in a URI.
    if !query.contains("%00") {
        return Vec::new();
    }
    let pairs = Query::<Vec<(String, String)>>::from_query(query);
    let pairs = pairs.map(Query::into_inner).unwrap_or_default();
    let with_nul = pairs
        .into_iter()
        .filter(|(name, text)| name.contains('\0') || text.contains('\0'));
    with_nul
        .map(|(name, text)| Fault::null_character(&["query", &name], text.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_with_a_nul_is_named() {
        let found = nul_errors("owner=a%00b&q=%2500&x=1&%00=y");
        let names: Vec<_> = found.iter().map(|fault| fault.loc.clone()).collect();
        assert_eq!(
            serde_json::json!(names),
            serde_json::json!([["query", "owner"], ["query", "\0"]])
        );
        assert!(nul_errors("q=%2500&owner=00%").is_empty());
    }
}
