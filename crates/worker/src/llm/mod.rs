//! The client for OpenAI-compatible language models (OpenAI, OpenRouter, Ollama, vLLM, llama.cpp,
//! LiteLLM): `POST {base}/chat/completions`, streamed. A request passes through `client` (model,
//! fallback, retry), `stream` (bytes, timeouts), [`SseParser`] (events), `completion` (chunks to
//! text) and [`ReasoningFilter`] (removes reasoning). `error` classifies failures.

mod chunk;
mod client;
mod completion;
mod context_window;
mod error;
mod probe;
mod reasoning_filter;
mod request;
mod sse;
mod stream;

pub(crate) use chunk::parse_usage;
pub use client::{LlmConfig, OpenAiClient};
pub use reasoning_filter::ReasoningFilter;
pub use sse::{EventTooLong, SseEvent, SseParser};

#[cfg(test)]
mod tests;
