// asynq with tasks that do nothing:  asynq enqueue PORT JOBS | asynq work PORT
//
// What it promises: at least once. A task is leased and the lease renewed; tasks of lost workers are
// recovered once their lease has run out. Nothing is kept of a task that succeeded.
//
// How it is set up: one server with the concurrency that its documentation shows (10).
package main

import (
	"context"
	"log"
	"os"
	"strconv"

	"github.com/hibiken/asynq"
)

func main() {
	redis := asynq.RedisClientOpt{Addr: "127.0.0.1:" + os.Args[2]}
	if os.Args[1] == "enqueue" {
		enqueue(redis)
		return
	}
	server := asynq.NewServer(redis, asynq.Config{Concurrency: 10, LogLevel: asynq.WarnLevel})
	nothing := func(context.Context, *asynq.Task) error { return nil }
	if err := server.Run(asynq.HandlerFunc(nothing)); err != nil {
		log.Fatal(err)
	}
}

func enqueue(redis asynq.RedisClientOpt) {
	jobs, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	client := asynq.NewClient(redis)
	defer client.Close()
	for ; jobs > 0; jobs-- {
		task := asynq.NewTask("nothing", []byte(`{"query":"nothing"}`))
		if _, err := client.Enqueue(task); err != nil {
			log.Fatal(err)
		}
	}
}
