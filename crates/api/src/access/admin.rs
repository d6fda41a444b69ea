//! [`Admin`]: restricts a handler to operators.

use super::{Caller, caller};
use crate::{problem::Problem, state::AppState};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use std::future::{Ready, ready};

/// A caller with a key of API_ADMIN_KEYS, or any caller of a service without keys. A handler that
/// takes this parameter refuses all others, whatever the path is that leads to it.
pub(crate) struct Admin;

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<AppState>>();
        let is_open = state.is_some_and(|state| state.api_keys.is_empty());
        ready(match caller::caller_from_request(request) {
            _ if is_open => Ok(Self),
            Caller::Key(owner) if owner.is_admin => Ok(Self),
            Caller::Key(_) => Err(Problem::Forbidden),
            Caller::Anonymous | Caller::Unauthenticated => Err(Problem::Unauthorized),
        })
    }
}
