//! A model's plan and the rules' plan, made one.
