# The image of the action: one static binary on nothing.
# `docker build .` compiles it (some minutes); `make image` makes the same last stage from a binary built on the host.

# A release build names the builder by digest: --build-arg BUILDER_IMAGE=rust:1.95-alpine@sha256:…
ARG BUILDER_IMAGE=rust:1.95-alpine
FROM ${BUILDER_IMAGE} AS build
WORKDIR /src
COPY . .
# On Alpine the host's own target is musl, linked statically: no cross compiler, the same line for every architecture.
RUN cargo build --locked --release --bin runner-guard && sh scripts/rootfs.sh target/release/runner-guard /rootfs

FROM scratch
LABEL org.opencontainers.image.title="runner-guard" \
      org.opencontainers.image.description="Pre-flight gate and post-failure black box for deploys on self-hosted GitHub Actions runners" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /rootfs/ /
# No USER: the runner's command files belong to the runner's user and only root may write to them (SECURITY.md).
ENTRYPOINT ["/runner-guard"]
