const url = process.env.PRIVACHAT_URL ?? "http://localhost:8001";

// Every event once, until the last; a connection that breaks is resumed where it broke.
// In a browser, EventSource does the same.
async function* follow(id) {
  let last = "";
  for (;;) {
    try {
      const headers = { "Last-Event-ID": last };
      const answer = await fetch(`${url}/api/v1/search/${id}/events`, { headers });
      if (answer.status === 204) return;
      if (!answer.ok && answer.status !== 503) throw new Error(`status ${answer.status}`);
      let rest = "";
      for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + part).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const data = block.match(/^data: (.*)$/m);
          if (!data) continue; // a heartbeat
          const event = JSON.parse(data[1]);
          last = event.id;
          yield event;
          if (["completed", "failed"].includes(event.type)) return;
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // what fetch throws when a connection breaks
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

const answer = await fetch(`${url}/api/v1/search`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ query: process.argv[2], mode: "speed", async_mode: true }),
});
if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
for await (const event of follow((await answer.json()).session_id)) {
  if (event.type === "stage") console.error(event.message);
  else if (event.type === "text") process.stdout.write(event.delta);
  else if (["started", "retry", "released", "discard"].includes(event.type)) {
    console.log(); // What was written so far is void.
  } else if (["completed", "failed"].includes(event.type)) {
    console.log(`\n\n${event.result.answer ?? event.result.error}`);
  }
}
