# syntax=docker/dockerfile:1
# Belay's image: docker build -t belay --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) .
#
# Both bases are arguments, so that a release can pin them by digest.
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG FINAL_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /src
# The compiler's paths go into panic messages; without the machine's own, two builds of one commit are equal.
ENV CARGO_INCREMENTAL=0 \
    RUSTFLAGS="--remap-path-prefix=/src=belay --remap-path-prefix=/usr/local/cargo=cargo"
COPY . .
# The caches keep the dependencies between builds; only what changed is compiled.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --package belay --bin belay \
    && install -D -m 0755 target/release/belay /out/belay

FROM ${FINAL_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="belay" \
      org.opencontainers.image.description="Rolls out Helm charts and takes them back" \
      org.opencontainers.image.source="https://github.com/belay-dev/belay" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# One heap for all threads, and what is free goes back: a burst of rollouts is not held on to afterwards.
ENV MALLOC_ARENA_MAX=1 \
    MALLOC_TRIM_THRESHOLD_=65536 \
    MALLOC_TOP_PAD_=65536
COPY --from=build /out/belay /usr/local/bin/belay
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/belay"]
CMD ["operator", "--metrics-bind=0.0.0.0:8080"]
