//! Behaviour tests: one file per thing that a user can see.

mod act;
mod examples;
mod summary_render;
