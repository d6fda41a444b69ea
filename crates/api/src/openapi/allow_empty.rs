//! Marks the query parameters of the history list as optional when empty: HTML forms send fields
//! that are not filled in.

use super::middleware_responses::operations;
use utoipa::{
    Modify,
    openapi::{
        OpenApi, RefOr,
        extensions::Extensions,
        path::{Parameter, ParameterIn},
    },
};

/// The path of the history list, which ignores empty parameters.
const LIST_PATH: &str = "/api/v1/sessions";
/// utoipa has no field for it, but writes extensions under any name.
const ALLOW_EMPTY_VALUE: (&str, bool) = ("allowEmptyValue", true);

/// Sets `allowEmptyValue` on the query parameters of the list.
pub(super) struct AllowEmptyValues;

impl Modify for AllowEmptyValues {
    fn modify(&self, document: &mut OpenApi) {
        let list = document.paths.paths.get_mut(LIST_PATH);
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
                *extensions = Some(Extensions::from_iter([ALLOW_EMPTY_VALUE]));
            }
        }
    }
}
