//! Whose a search is, before anybody sees it. To one who may not, it is as if it did not exist.

use super::Caller;
use crate::{problem::Problem, state::State};
use privachat_core::history::Session;
use uuid::Uuid;

/// Whether `caller` sees the search of that id, as Redis knows it. Where everybody sees everything,
/// Redis is not asked.
///
/// A search whose control hash is not there has no owner: a record of the service that this one
/// replaces, or one that just expires. It is seen only by those who see all.
pub(crate) async fn sees(state: &State, caller: &Caller, id: Uuid) -> Result<bool, Problem> {
    if caller.sees_all() {
        return Ok(true);
    }
    Ok(caller.sees(state.jobs.owner(id).await?.as_deref()))
}

/// Refuses a search that `caller` does not see as one that does not exist.
pub(crate) async fn require(state: &State, caller: &Caller, id: Uuid) -> Result<(), Problem> {
    match sees(state, caller, id).await? {
        true => Ok(()),
        false => Err(Problem::UnknownJob(id)),
    }
}

/// Whether `caller` sees the search of that id, as Redis or the history knows it. Both are asked, in
/// any case: else one that is away would tell the ids of others from those of nobody.
pub(crate) async fn sees_anywhere(
    state: &State,
    caller: &Caller,
    id: Uuid,
) -> Result<bool, Problem> {
    if caller.sees_all() {
        return Ok(true);
    }
    let in_redis = sees(state, caller, id);
    let in_history = async { Ok(state.history.get(id).await?) };
    let (in_redis, session): (bool, Option<Session>) = tokio::try_join!(in_redis, in_history)?;
    Ok(in_redis || session.is_some_and(|session| caller.sees(session.owner.as_deref())))
}
