//! An OpenAI-compatible server: `/v1/chat/completions`, `/v1/embeddings`, `/v1/models`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Reply, Request, Step, Upstream};
use crate::captured_bodies;

const TEXT_EVENTS: &str = "text/event-stream; charset=utf-8";

/// A scripted chat completion.
#[derive(Debug, Clone)]
pub struct Script {
    text: String,
    between: Duration,
    ending: Ending,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Done,
    NoMark,
    Error,
    Cut,
    Hang,
}

impl Script {
    /// Sends `text`, word by word when streaming, then usage and the end mark.
    pub fn says(text: &str) -> Self {
        Self {
            text: text.into(),
            between: Duration::ZERO,
            ending: Ending::Done,
        }
    }

    /// Waits this long before each word.
    pub fn slowly(self, between: Duration) -> Self {
        Self { between, ..self }
    }

    /// Ends without `[DONE]`, as some servers do.
    pub fn without_end_mark(self) -> Self {
        Self {
            ending: Ending::NoMark,
            ..self
        }
    }

    /// Fails after the last word with `data: {"error":…}`.
    pub fn then_fails(self) -> Self {
        Self {
            ending: Ending::Error,
            ..self
        }
    }

    /// The connection is cut after the last word.
    pub fn then_cuts(self) -> Self {
        Self {
            ending: Ending::Cut,
            ..self
        }
    }

    /// Sends nothing after the last word and stays connected.
    pub fn then_hangs(self) -> Self {
        Self {
            ending: Ending::Hang,
            ..self
        }
    }

    /// The reply to `request`, streamed if it asks for that.
    pub fn reply(&self, request: &Request) -> Reply {
        let parameters = request.json();
        let model = parameters["model"].as_str().unwrap_or("double").to_owned();
        if parameters["stream"] == true {
            return self.stream(
                &model,
                parameters["stream_options"]["include_usage"] == true,
            );
        }
        match self.ending {
            Ending::Done | Ending::NoMark => {}
            Ending::Error => return server_error(),
            Ending::Cut => return Reply::cut(),
            Ending::Hang => return Reply::hang(),
        }
        let body = json!({
            "id": "chatcmpl-double", "object": "chat.completion", "created": 1_795_444_351, "model": model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.text}}],
            "usage": self.usage(),
        });
        Reply::json(200, body.to_string()).late(self.between)
    }

    fn stream(&self, model: &str, with_usage: bool) -> Reply {
        let chunk = |choices: Value| {
            json!({"id": "chatcmpl-double", "object": "chat.completion.chunk", "created": 1_795_444_351,
                   "model": model, "choices": choices})
        };
        let mut steps = Vec::new();
        for word in self.text.split_inclusive(' ') {
            if !self.between.is_zero() {
                steps.push(Step::Wait(self.between));
            }
            steps.push(data(&chunk(
                json!([{"index": 0, "delta": {"content": word}}]),
            )));
        }
        match self.ending {
            Ending::Done | Ending::NoMark => {
                steps.push(data(&chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]))));
                if with_usage {
                    let mut last = chunk(json!([]));
                    last["usage"] = self.usage();
                    steps.push(data(&last));
                }
                if matches!(self.ending, Ending::Done) {
                    steps.push(Step::Send("data: [DONE]\n\n".into()));
                }
            }
            Ending::Error => steps.push(data(&json!({"error": {
                "message": "litellm.APIConnectionError: scripted upstream cut", "type": null, "param": null, "code": "500",
            }}))),
            Ending::Cut => steps.push(Step::Cut),
            Ending::Hang => steps.push(Step::Hang),
        }
        Reply::steps(200, TEXT_EVENTS, steps)
    }

    fn usage(&self) -> Value {
        let words = self.text.split_whitespace().count();
        json!({"prompt_tokens": 100, "completion_tokens": words, "total_tokens": 100 + words})
    }
}

/// A server whose chat completions all follow `script`.
pub fn chat(script: Script) -> Upstream {
    chat_with_meanings(script, bag)
}

/// Like [`chat`], with the embeddings that `meaning` gives to texts.
pub fn chat_with_meanings(
    script: Script,
    meaning: impl Fn(&str) -> Vec<f64> + Send + Sync + 'static,
) -> Upstream {
    Upstream::start(move |request| route(request, &script, &meaning))
}

/// A captured body with this status, for example `err-429.json`.
pub fn sample(status: u16, name: &str) -> Reply {
    let body = captured_bodies::bytes(&format!("openai-compatible/{name}"));
    if name.ends_with(".sse") {
        Reply::new(status, TEXT_EVENTS, body)
    } else {
        Reply::json(status, body)
    }
}

pub fn bad_key() -> Reply {
    sample(401, "err-401-badkey.json")
}

pub fn rate_limited() -> Reply {
    sample(429, "err-429.json")
}

pub fn server_error() -> Reply {
    sample(500, "err-500.json")
}

/// The error for a prompt that exceeds the model's context.
pub fn context_exceeded() -> Reply {
    sample(400, "err-400-context.json")
}

fn route(request: &Request, script: &Script, meaning: &dyn Fn(&str) -> Vec<f64>) -> Reply {
    match request.path.as_str() {
        path if path.ends_with("/chat/completions") => script.reply(request),
        path if path.ends_with("/embeddings") => embeddings(&request.json(), meaning),
        path if path.ends_with("/models") => sample(200, "models.json"),
        _ => Reply::json(404, r#"{"detail":"Not Found"}"#),
    }
}

fn embeddings(parameters: &Value, meaning: &dyn Fn(&str) -> Vec<f64>) -> Reply {
    let inputs = match &parameters["input"] {
        Value::Array(texts) => texts.clone(),
        text => vec![text.clone()],
    };
    let data: Vec<Value> = (0..)
        .zip(&inputs)
        .map(|(index, text): (usize, _)| {
            json!({"object": "embedding", "index": index, "embedding": meaning(text.as_str().unwrap_or_default())})
        })
        .collect();
    let usage = json!({"prompt_tokens": inputs.len(), "total_tokens": inputs.len()});
    let body =
        json!({"object": "list", "model": parameters["model"], "data": data, "usage": usage});
    Reply::json(200, body.to_string())
}

/// A bag of words: texts that share words are similar.
fn bag(text: &str) -> Vec<f64> {
    let mut vector = vec![0.0_f64; 64];
    for word in text.split_whitespace() {
        let hash = word.to_lowercase().bytes().fold(7_usize, |hash, byte| {
            hash.wrapping_mul(31) + usize::from(byte)
        });
        vector[hash % 64] += 1.0;
    }
    let length = vector
        .iter()
        .map(|x| x * x)
        .sum::<f64>()
        .sqrt()
        .max(f64::MIN_POSITIVE);
    vector.iter().map(|x| x / length).collect()
}

fn data(value: &Value) -> Step {
    Step::Send(format!("data: {value}\n\n").into())
}
