"""Extensions of schemathesis: one more check, and exceptions for intended answers.

Each exception covers one answer to one kind of request; the rest of its check still applies.
"""

import re
from datetime import date
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import schemathesis

# Names of failures that never change: `st explain <name>`.
BROKEN_ACCEPTED = "ST201"
VALID_REJECTED = "ST202"
DELETED_AVAILABLE = "ST301"
CREATED_MISSING = "ST302"

SEARCHES = ("/api/v1/search", "/api/v1/search/perplexity")
NUMBERS = ("max_sources", "timeout", "ttl_seconds")
BOOLEANS = ("enable_diversity", "enable_recency", "enable_query_aware", "async_mode", "cache")
WORDS = {
    **dict.fromkeys([1, "1", "true", "t", "yes", "y", "on"], True),
    **dict.fromkeys([0, "0", "false", "f", "no", "n", "off"], False),
}


@schemathesis.check
def closed_without_a_key(ctx, response, case):
    """Operations that need a key answer 401 without one, whatever else is wrong with the request."""
    needs = case.operation.definition.raw.get("security") or [{}]
    sent = {name.lower() for name in response.request.headers}
    if {} not in needs and not sent & {"authorization", "x-api-key"}:
        assert response.status_code == 401, f"{response.status_code} without a key"


# Deleted sessions; a POST with the same Idempotency-Key creates one again.
deleted = set()


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.method == "delete" and case.operation.path == "/api/v1/sessions/{session_id}":
        if response.status_code == 204:
            deleted.add(case.path_parameters["session_id"].lower())
    elif case.operation.path in SEARCHES and response.status_code == 200:
        deleted.discard(response.json()["session_id"])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """False for intended answers."""
    exceptions = [is_no_websocket, is_no_day, is_accepted_like_before, is_cancelled, is_deleted]
    return not any(exception(failure, case, response) for exception in exceptions)


def is_no_websocket(failure, case, response):
    """The document can describe a WebSocket only as a GET; without the upgrade it is refused."""
    return (
        failure.code == VALID_REJECTED
        and case.operation.path == "/api/v1/search/{session_id}/ws"
        and response.status_code == 426
        and response.json()["error"] == "upgrade_required"
    )


def is_no_day(failure, case, response):
    """The pattern of `before` does not exclude days that a month does not have."""
    if failure.code != VALID_REJECTED or response.status_code != 422:
        return False
    before = parse_qs(urlsplit(response.request.url).query).get("before", [""])[-1]
    faults = [(fault["type"], fault["loc"]) for fault in response.json()["detail"]]
    named = re.match(r"(\d{4})-(\d\d)-(\d\d)T", before)
    if faults != [("datetime_parsing", ["query", "before"])] or named is None:
        return False
    try:
        date(*map(int, named.groups()))
    except ValueError:
        return True
    return False


def is_accepted_like_before(failure, case, response):
    """The service accepts numbers as text and booleans as 0, 1 or words, as the old service did; the
    document says so in words only, since such types would complicate generated clients."""
    if failure.code != BROKEN_ACCEPTED or case.operation.path not in SEARCHES or not isinstance(case.body, dict):
        return False
    document = case.operation.schema.raw_schema
    schema = {"$ref": "#/components/schemas/SearchBody", "components": document["components"]}
    return jsonschema_rs.is_valid(schema, {name: meant(name, value) for name, value in case.body.items()})


def meant(name, value):
    """The number or the boolean that a text stands for."""
    if name in NUMBERS and isinstance(value, str) and re.fullmatch(r"\s*[0-9]+\s*", value):
        return int(value)
    if name in BOOLEANS and isinstance(value, (str, int, float)):
        return WORDS.get(value.lower() if isinstance(value, str) else value, value)
    return value


def is_cancelled(failure, case, response):
    """DELETE of a search cancels it, and its result stays readable; DELETE of a session removes it."""
    return failure.code == DELETED_AVAILABLE and failure.free.startswith("DELETE /api/v1/search/")


def is_deleted(failure, case, response):
    """A search is missing because its session was deleted, by an address that is not below its own."""
    session_id = (case.path_parameters or {}).get("session_id", "")
    return failure.code == CREATED_MISSING and session_id.lower() in deleted
