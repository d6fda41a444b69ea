//! Header parameters: an optional header can be absent, but never null.

use super::middleware_responses::operations;
use utoipa::{
    Modify,
    openapi::{
        OpenApi, RefOr,
        path::{Parameter, ParameterIn},
        schema::{Schema, SchemaType, Type},
    },
};

/// Removes the `null` that `Option` adds to the types of headers.
pub(super) struct OptionalHeaders;

impl Modify for OptionalHeaders {
    fn modify(&self, document: &mut OpenApi) {
        let operations = document.paths.paths.values_mut().flat_map(operations);
        let parameters = operations.flat_map(|operation| operation.parameters.iter_mut().flatten());
        for parameter in parameters {
            if let RefOr::T(Parameter {
                parameter_in: ParameterIn::Header,
                schema: Some(RefOr::T(Schema::Object(object))),
                ..
            }) = parameter
            {
                remove_null(&mut object.schema_type);
            }
        }
    }
}

fn remove_null(schema_type: &mut SchemaType) {
    if let SchemaType::Array(types) = schema_type {
        types.retain(|one| *one != Type::Null);
        if let [only] = types.as_slice() {
            *schema_type = SchemaType::Type(only.clone());
        }
    }
}
