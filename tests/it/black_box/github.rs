//! What the black box learns from GitHub about the jobs that failed.
