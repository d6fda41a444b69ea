"""Celery with tasks that do nothing.

`python tasks.py JOBS` puts them into the queue, `celery --app tasks worker` runs them; REDIS_URL
says where.

What it promises: with late acknowledgement, at least once. A task of a lost worker is delivered again
after the visibility timeout (an hour), or when its child process dies; the result is kept for a day.
No fencing: a worker that was only slow still writes its result.

How it is set up, as its documentation recommends for many short tasks: prefork with a process per core,
a prefetch multiplier of 64, no gossip, mingle or events; late acknowledgement and a result backend,
since the service it is compared with promises as much.
"""

import os
import sys

from celery import Celery

url = os.environ["REDIS_URL"]
app = Celery("tasks", broker=url, backend=url)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=64,
    broker_connection_retry_on_startup=True,
)


@app.task
def nothing(request):
    return {}


if __name__ == "__main__":
    with app.producer_pool.acquire() as producer:
        for _ in range(int(sys.argv[1])):
            nothing.apply_async(({"query": "nothing"},), producer=producer)
