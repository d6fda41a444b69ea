//! The client for OpenAI-compatible language models (OpenAI, OpenRouter, Ollama, vLLM, llama.cpp,
//! LiteLLM): `POST {base}/chat/completions`, streamed. One request runs through
//! `client` (which model, which fields) → `stream` (bytes, stalls) → [`SseParser`] (events) →
//! `answer` (chunks to text) → [`ThinkFilter`] (what a reader may see); `refusal` says what an
//! error means.

mod answer;
mod chunk;
mod client;
mod limits;
mod probe;
mod refusal;
mod request;
mod sse;
mod stream;
mod think;

pub(crate) use chunk::usage;
pub use client::{LlmConfig, OpenAi};
pub use sse::{Event, LineTooLong, SseParser};
pub use think::ThinkFilter;

#[cfg(test)]
mod tests;
