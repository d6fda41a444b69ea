// BullMQ with jobs that do nothing:  node queue.js enqueue PORT JOBS | node queue.js work PORT
//
// What it promises: at least once. A job is moved between lists and sets by scripts, its worker holds
// a lock that is renewed, jobs of lost workers are found as stalled; completed jobs stay listed, and
// events go to a stream. A result is kept without a TTL.
//
// How it is set up: one Worker with the concurrency that its documentation shows (50), everything
// else as by default; jobs are added in bulk.

import { Queue, Worker } from 'bullmq';

const [what, port, jobs] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const BATCH = 1000;

if (what === 'enqueue') {
  const queue = new Queue('bench', { connection });
  for (let left = Number(jobs); left > 0; left -= BATCH) {
    const batch = Array.from({ length: Math.min(left, BATCH) }, () => ({
      name: 'nothing',
      data: { query: 'nothing' },
    }));
    await queue.addBulk(batch);
  }
  await queue.close();
} else {
  new Worker('bench', async () => ({}), { connection, concurrency: 50 });
}
