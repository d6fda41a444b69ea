"""Serves service.py by one uvicorn per core (two), each with a listening socket of its own.

`uvicorn --workers 2` has one socket for both, and whoever wakes up first takes all connections that
wait there: in some turns (two of the five watched) one process got all 64 and the other none. Between sockets of
their own (SO_REUSEPORT) the kernel divides them, so both have work in every turn.

    python serve.py HOST PORT
"""

import multiprocessing
import socket
import sys

import uvicorn

PROCESSES = 2


def listening(host: str, port: int) -> socket.socket:
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    own.bind((host, port))
    return own


def serve(own: socket.socket) -> None:
    config = uvicorn.Config(
        "service:app", loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    uvicorn.Server(config).run(sockets=[own])


def main(host: str, port: int) -> None:
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=serve, args=(listening(host, port),)) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
