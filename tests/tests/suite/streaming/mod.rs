//! Events of a search and of the queue: Server-Sent Events and WebSockets.

mod queue_snapshots;
mod server_sent_events;
mod stream_cuts;
mod stream_faults;
mod websocket;
mod websocket_frames;
