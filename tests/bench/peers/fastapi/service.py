"""The service's poll and POST as FastAPI has them, with as little else as possible.

What it promises: less than the service it is compared with. A POST is one SET and one LPUSH in one
pipeline: no idempotency, no bound of the queue, no list of what has not ended. A poll is one GET, and
the bytes are sent as they are.

How it is set up, as the documentation of each recommends: one uvicorn per core (two, serve.py), uvloop and
httptools, no access log; redis.asyncio with hiredis and one pool per process; request and answer
are pydantic models, validated in its Rust core.
"""

import os
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from enum import Enum
from uuid import UUID, uuid4

import redis.asyncio as redis
from fastapi import FastAPI, HTTPException, Response
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field

TTL_SECONDS = 86400


class Mode(str, Enum):
    speed = "speed"
    balanced = "balanced"
    deep = "deep"


class Engine(str, Enum):
    searxng = "searxng"
    serperdev = "serperdev"
    perplexity = "perplexity"
    auto = "auto"
    wikipedia = "wikipedia"
    local = "local"


class Strategy(str, Enum):
    static = "static"
    dynamic = "dynamic"
    auto = "auto"


class SearchRequest(BaseModel):
    """The same members with the same bounds."""

    model_config = ConfigDict(str_strip_whitespace=True)

    query: str = Field(min_length=1, max_length=5000)
    mode: Mode = Mode.balanced
    max_sources: int | None = Field(default=None, ge=5, le=50)
    timeout: int | None = Field(default=None, ge=10, le=300)
    model: str | None = None
    search_engine: Engine = Engine.auto
    prompt_strategy: Strategy = Strategy.auto
    enable_diversity: bool = True
    enable_recency: bool = False
    enable_query_aware: bool = False
    async_mode: bool = False
    ttl_seconds: int | None = Field(default=None, ge=60, le=604800)
    cache: bool = True
    callback_url: AnyHttpUrl | None = None


class Accepted(BaseModel):
    session_id: UUID
    status: str = "pending"
    query: str
    mode: Mode
    created_at: datetime


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.redis = redis.from_url(os.environ["REDIS_URL"])
    yield
    await app.state.redis.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/poll/{session_id}")
async def poll(session_id: UUID) -> Response:
    record = await app.state.redis.get(f"peer:{session_id}")
    if record is None:
        raise HTTPException(status_code=404)
    return Response(record, media_type="application/json")


@app.post("/submit")
async def submit(request: SearchRequest) -> Accepted:
    accepted = Accepted(
        session_id=uuid4(),
        query=request.query,
        mode=request.mode,
        created_at=datetime.now(timezone.utc),
    )
    async with app.state.redis.pipeline(transaction=False) as pipeline:
        pipeline.set(f"peer:{accepted.session_id}", request.model_dump_json(), ex=TTL_SECONDS)
        pipeline.lpush("peer:queue", str(accepted.session_id))
        await pipeline.execute()
    return accepted
