//! The runner's own logs: which way led to them, and what they say about this job.
