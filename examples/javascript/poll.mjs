const url = process.env.PRIVACHAT_URL ?? "http://localhost:8001";

async function json(path, options) {
  const answer = await fetch(url + path, options);
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer.json();
}

let search = await json("/api/v1/search", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ query: process.argv[2], mode: "speed", async_mode: true }),
});
while (["pending", "processing"].includes(search.status)) {
  // Answered when the state changes, or after 30 s.
  search = await json(`/api/v1/search/status/${search.session_id}?wait=30`);
}
console.log(search.answer ?? search.error);
