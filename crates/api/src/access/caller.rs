//! [`Caller`]: who sends a request, and which searches they may view.

use super::keys::Owner;
use crate::state::State;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use std::{
    convert::Infallible,
    future::{Ready, ready},
};

/// Who sends a request. Handlers take it as a parameter; [`super::identify`] sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// No key or an unknown one, though a key is required.
    Nobody,
    /// No known key, and searches need none.
    Anybody,
    /// A known key.
    Holder(Owner),
}

impl Caller {
    /// The name of the key; `None` without a known key.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Holder(owner) => Some(&owner.name),
            Self::Nobody | Self::Anybody => None,
        }
    }

    /// Whether the caller may search.
    pub(crate) fn is_known(&self) -> bool {
        *self != Self::Nobody
    }

    /// Whether the caller may view all searches.
    pub(crate) fn sees_all(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anybody => true,
            Self::Holder(owner) => owner.is_admin,
        }
    }

    /// Whether the caller may view the searches of `owner`. A search without an owner is visible
    /// only to callers that may view all.
    pub(crate) fn sees(&self, owner: Option<&str>) -> bool {
        self.sees_all() || (owner.is_some() && owner == self.name())
    }
}

impl FromRequest for Caller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(of(request)))
    }
}

/// The caller that [`super::identify`] set. It does not run when no key is set: then all callers
/// are anonymous.
pub(super) fn of(request: &HttpRequest) -> Caller {
    if let Some(caller) = request.extensions().get::<Caller>() {
        return caller.clone();
    }
    let state = request.app_data::<web::Data<State>>();
    match state.is_some_and(|state| state.keys.is_open()) {
        true => Caller::Anybody,
        false => Caller::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(name: &str, is_admin: bool) -> Caller {
        let name = name.to_owned();
        Caller::Holder(Owner { name, is_admin })
    }

    #[test]
    fn a_key_views_its_own_searches_and_an_admin_also_those_without_owner() {
        let owners = [Some("alice"), Some("bob"), None];
        for (caller, sees) in [
            (Caller::Nobody, [false, false, false]),
            (Caller::Anybody, [true, true, true]),
            (holder("alice", false), [true, false, false]),
            (holder("root", true), [true, true, true]),
        ] {
            assert_eq!(owners.map(|owner| caller.sees(owner)), sees, "{caller:?}");
        }
    }
}
