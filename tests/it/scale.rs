//! Large organisations, slow sources, few calls.
