//! Who sends a request, and what they may see.

use super::keys::Owner;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use std::{
    convert::Infallible,
    future::{Ready, ready},
};

/// Who sends a request. Handlers take it as a parameter; [`super::identify`] finds it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// No key, or none that is known.
    Nobody,
    /// Anybody: the service wants no keys.
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
}

impl FromRequest for Caller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(Ok(caller.unwrap_or(Self::Nobody)))
    }
}
