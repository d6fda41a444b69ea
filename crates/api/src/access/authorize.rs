//! Authorization for a single search. To a caller who may not view it, it does not exist.

use super::Caller;
use crate::{problem::Problem, state::AppState};
use privachat_core::history::Session;
use uuid::Uuid;

/// Whether `caller` may view a search that is in Redis. Callers that may view all cost no round
/// trip.
///
/// A search without a control hash has no owner (a record of the old service, or an expiring one):
/// only callers that may view all can view it.
pub(crate) async fn can_view(state: &AppState, caller: &Caller, id: Uuid) -> Result<bool, Problem> {
    if caller.can_view_all() {
        return Ok(true);
    }
    Ok(caller.can_view(state.jobs.owner(id).await?.as_deref()))
}

/// Fails with `UnknownJob` when `caller` may not view the search.
pub(crate) async fn ensure_can_view(
    state: &AppState,
    caller: &Caller,
    id: Uuid,
) -> Result<(), Problem> {
    match can_view(state, caller, id).await? {
        true => Ok(()),
        false => Err(Problem::UnknownSearch(id)),
    }
}

/// Whether `caller` may view a search that is in Redis or in the history. Queries always both:
/// otherwise the response would reveal which ids exist while one store is down.
pub(crate) async fn can_view_in_any_store(
    state: &AppState,
    caller: &Caller,
    id: Uuid,
) -> Result<bool, Problem> {
    if caller.can_view_all() {
        return Ok(true);
    }
    let in_redis = can_view(state, caller, id);
    let in_history = async { Ok(state.history.get(id).await?) };
    let (in_redis, session): (bool, Option<Session>) = tokio::try_join!(in_redis, in_history)?;
    Ok(in_redis || session.is_some_and(|session| caller.can_view(session.owner.as_deref())))
}
