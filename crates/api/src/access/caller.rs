//! Who sends a request, and what they may see.

use super::keys::Owner;
use crate::state::State;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use std::{
    convert::Infallible,
    future::{Ready, ready},
};

/// Who sends a request. Handlers take it as a parameter; [`super::identify`] finds it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// No key, or none that is known.
    Nobody,
    /// Anybody: the service wants no keys for searches.
    Anybody,
    /// Who holds a key.
    Holder(Owner),
}

impl Caller {
    /// The name of the key, if there is one.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Holder(owner) => Some(&owner.name),
            Self::Nobody | Self::Anybody => None,
        }
    }

    /// Whether they may use the service at all.
    pub(crate) fn is_known(&self) -> bool {
        *self != Self::Nobody
    }

    /// Whether they see every search.
    pub(crate) fn sees_all(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anybody => true,
            Self::Holder(owner) => owner.is_admin,
        }
    }

    /// Whether they see the searches of `owner`; without one, only those see a search who see all.
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

/// Whom [`super::identify`] found; anybody where there are no keys, and nobody is asked for one.
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
    fn each_sees_what_is_theirs_and_an_admin_what_is_nobodys_too() {
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
