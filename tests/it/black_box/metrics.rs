//! What the black box collects from Prometheus, the host, the engine and Loki.
