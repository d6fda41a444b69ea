//! Parameters of a list that may be empty, as forms send those that nobody filled in.

use super::access::operations;
use utoipa::{
    Modify,
    openapi::{
        OpenApi, RefOr,
        extensions::Extensions,
        path::{Parameter, ParameterIn},
    },
};

/// The list whose empty parameters count as not there.
const LIST: &str = "/api/v1/sessions";
/// utoipa has no member for it, and writes extensions under the name they have.
const ALLOWED: (&str, bool) = ("allowEmptyValue", true);

/// Says of the query parameters of the list that they may be empty.
pub(super) struct Empty;

impl Modify for Empty {
    fn modify(&self, document: &mut OpenApi) {
        let list = document.paths.paths.get_mut(LIST);
        let parameters = list
            .into_iter()
            .flat_map(operations)
            .flat_map(|operation| operation.parameters.iter_mut().flatten());
        for parameter in parameters {
            if let RefOr::T(Parameter {
                parameter_in: ParameterIn::Query,
                extensions,
                ..
            }) = parameter
            {
                *extensions = Some(Extensions::from_iter([ALLOWED]));
            }
        }
    }
}
