//! The client for OpenAI-compatible language models (OpenAI, OpenRouter, Ollama, vLLM, llama.cpp,
//! LiteLLM): `POST {base}/chat/completions`, streamed. A request passes through `client` (model,
//! fallback, retry), `stream` (bytes, timeouts), [`SseParser`] (events), `completion` (chunks to
//! text) and [`ThinkFilter`] (removes reasoning). `error` classifies failures.

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
