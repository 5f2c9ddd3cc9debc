# syntax=docker/dockerfile:1
# The image of one function: docker build --build-arg FUNCTION=users .
#
# All functions are built by one call of cargo, whichever is asked for. So a dependency has the same
# features in every image, a commit gives the same binary whoever asks, and the images of a commit
# differ in their last layer alone: eight of them cost one build, not eight.
#
# Tags are exact. To pin the bytes behind them, too, append the digest that
# `docker buildx imagetools inspect IMAGE` tells: IMAGE@sha256:…

# The version is that of rust-toolchain.toml, which .dockerignore leaves out: this image is the
# toolchain. bookworm, because the C library must not be newer than that of the last stage.
FROM rust:1.95.0-slim-bookworm AS toolchain
RUN cargo install --locked --version 0.1.78 cargo-chef
WORKDIR /src
# What a binary says about its sources must not depend on where they lay.
# The last flag is that of .cargo/config.toml, which this variable takes the place of.
ENV RUSTFLAGS="--remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo -Clink-arg=-Wl,-z,pack-relative-relocs"
ENV FUNCTIONS="-p auth -p users -p dashboard -p analytics -p audit -p system -p retry-worker -p jobs"

# What the dependencies are: changes with the manifests and Cargo.lock, and with nothing else.
FROM toolchain AS recipe
COPY . .
RUN cargo chef prepare

FROM toolchain AS build
COPY --from=recipe /src/recipe.json .
# hadolint ignore=SC2086
RUN cargo chef cook --release --locked $FUNCTIONS
COPY . .
# hadolint ignore=SC2086
RUN cargo build --release --locked $FUNCTIONS

FROM build AS chosen
ARG FUNCTION
RUN cp "target/release/${FUNCTION:?must be given: --build-arg FUNCTION=auth}" /function

# The local gateway and what stands around the functions in compose.yml: never deployed, and built
# like `make run`, in less time.
FROM toolchain AS build-stack
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked -p stack && cp target/debug/stack /stack
RUN mkdir /keys

# The C library, the certificates of authorities, and a user `nonroot`, who has this number.
FROM gcr.io/distroless/cc-debian12:nonroot AS base
USER 65532:65532

FROM base AS stack
COPY --from=build-stack /stack /stack
COPY --from=build-stack --chown=65532:65532 /keys /keys
ENTRYPOINT ["/stack"]

FROM base
COPY --from=chosen /function /function
ENTRYPOINT ["/function"]
