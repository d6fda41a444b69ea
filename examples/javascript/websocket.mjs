// Node 22 or later, or a browser.
const url = process.env.PRIVACHAT_URL ?? "http://localhost:8001";

// Every event once, until the last; a connection that breaks is resumed where it broke.
async function* follow(id) {
  let after = "";
  for (;;) {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/search/${id}/ws${after}`);
    const waiting = []; // socket.send('{"cancel":true}') cancels.
    let wake = () => {};
    socket.onmessage = (message) => wake(waiting.push(JSON.parse(message.data)));
    socket.onclose = () => wake(waiting.push(null));
    for (;;) {
      if (!waiting.length) await new Promise((resolve) => (wake = resolve));
      const event = waiting.shift();
      if (!event) break;
      after = `?after=${event.id}`;
      yield event;
      if (["completed", "failed"].includes(event.type)) return;
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
