//! Polls and POSTs per second, of the service and of its peers.

use crate::figures::{Figure, Goal, Row};
use crate::load::{RepeatedRequest, rate};
use crate::scale::Scale;
use crate::sites::{BARE, FASTAPI, Site, Sites};

const UNIT: &str = "answers/s";

pub(crate) async fn poll(scale: Scale) -> Row {
    let goals = [(BARE, 0.9), (FASTAPI, 8.0)];
    let mut row = measure(scale, Site::poll, &goals, false).await;
    row.notes.push(
        "All three read one key with GET and send the stored bytes as they are. The service also \
         looks at the state, guards access, counts, and gives each request an id; none of them logs a \
         poll. The bare handler has the service's allocator. FastAPI's processes listen on a socket each: \
         on one for both, as uvicorn's `--workers` has it, one of them gets all connections in some turns."
            .to_owned(),
    );
    row
}

pub(crate) async fn post(scale: Scale) -> Row {
    let goals = [(BARE, 0.7), (FASTAPI, 4.0)];
    let mut row = measure(scale, Site::submit, &goals, true).await;
    row.notes.push(
        "The service validates, checks the bound of its queue, and writes record, control hash, hint \
         and watch list in one script, which those share that come at one time: no crash loses the search. The bare \
         handler validates nothing; it and FastAPI (pydantic) send one SET and one LPUSH in a pipeline, \
         and what dies between them and the worker is lost, and they log nothing. Redis is emptied before each turn."
            .to_owned(),
    );
    row
}

async fn measure(
    scale: Scale,
    request: fn(&Site) -> RepeatedRequest,
    goals: &[(&str, f64)],
    writes: bool,
) -> Row {
    let sites = Sites::start().await;
    let names = sites.sites.iter().map(|site| site.name);
    let mut figures: Vec<Figure> = names.map(|name| Figure::new(name, UNIT)).collect();
    for _ in 0..scale.wrk_rounds {
        for (site, figure) in sites.sites.iter().zip(&mut figures) {
            if writes {
                crate::redis::empty(&sites.stack.redis).await;
            }
            figure.samples.push(rate(&request(site), scale.span).await);
        }
    }
    let ours = figures[0].clone();
    let of = |name: &str| figures.iter().find(|figure| figure.side == name);
    let goals = goals.iter().map(|(name, factor)| match of(name) {
        Some(theirs) => Goal::ratio(*factor, &ours, theirs),
        None => {
            let reason = sites.missing.iter().find(|(missing, _)| missing == name);
            let reason = reason.map_or("", |(_, reason)| reason);
            Goal::not_measured(format!("≥ {factor} × {name}"), reason)
        }
    });
    Row {
        goals: goals.collect(),
        figures,
        ..Row::default()
    }
}
