//! How the gate shows itself to GitHub, and what a token that may nothing leads to.
