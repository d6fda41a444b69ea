//! [`Caller`]: who sends a request, and which searches they may view.

use super::api_keys::KeyOwner;
use crate::state::AppState;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use std::{
    convert::Infallible,
    future::{Ready, ready},
};

/// Who sends a request. Handlers take it as a parameter; [`super::authenticate`] sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// No key or an unknown one, though a key is required.
    Unauthenticated,
    /// No known key, and searches need none.
    Anonymous,
    /// A known key.
    Key(KeyOwner),
}

impl Caller {
    /// The name of the key; `None` without a known key.
    pub(crate) fn key_name(&self) -> Option<&str> {
        match self {
            Self::Key(owner) => Some(&owner.name),
            Self::Unauthenticated | Self::Anonymous => None,
        }
    }

    /// Whether the caller may search.
    pub(crate) fn is_allowed(&self) -> bool {
        *self != Self::Unauthenticated
    }

    /// Whether the caller may view all searches.
    pub(crate) fn can_view_all(&self) -> bool {
        match self {
            Self::Unauthenticated => false,
            Self::Anonymous => true,
            Self::Key(owner) => owner.is_admin,
        }
    }

    /// Whether the caller may view the searches of `owner`. A search without an owner is visible
    /// only to callers that may view all.
    pub(crate) fn can_view(&self, owner: Option<&str>) -> bool {
        self.can_view_all() || (owner.is_some() && owner == self.key_name())
    }
}

impl FromRequest for Caller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(caller_from_request(request)))
    }
}

/// The caller that [`super::authenticate`] set. It does not run when no key is set: then all callers
/// are anonymous.
pub(super) fn caller_from_request(request: &HttpRequest) -> Caller {
    if let Some(caller) = request.extensions().get::<Caller>() {
        return caller.clone();
    }
    let state = request.app_data::<web::Data<AppState>>();
    match state.is_some_and(|state| state.api_keys.is_empty()) {
        true => Caller::Anonymous,
        false => Caller::Unauthenticated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(name: &str, is_admin: bool) -> Caller {
        let name = name.to_owned();
        Caller::Key(KeyOwner { name, is_admin })
    }

    #[test]
    fn a_key_views_its_own_searches_and_an_admin_also_those_without_owner() {
        let owners = [Some("alice"), Some("bob"), None];
        for (caller, sees) in [
            (Caller::Unauthenticated, [false, false, false]),
            (Caller::Anonymous, [true, true, true]),
            (holder("alice", false), [true, false, false]),
            (holder("root", true), [true, true, true]),
        ] {
            assert_eq!(
                owners.map(|owner| caller.can_view(owner)),
                sees,
                "{caller:?}"
            );
        }
    }
}
