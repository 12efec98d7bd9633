# ferkit with everything that set-up makes, for CPUs or for NVIDIA GPUs:
#
#   docker build --tag ferkit .
#   docker build --tag ferkit:gpu --build-arg ACCELERATOR=gpu .
#
# docs/containers.md says how to run it.

# What set-up and the notebooks need of the system. CUDA comes from Python's packages, so that one base serves both.
FROM node:22-bookworm-slim AS tools
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates g++ git python3 python3-venv \
  && rm -rf /var/lib/apt/lists/*
ENV FERKIT_CACHE=/opt/ferkit-cache

# Set-up: packages, TensorFlow's library, our own ops, ImageNet weights.
FROM tools AS set-up
ARG ACCELERATOR=cpu
ARG WEIGHTS=lite0
WORKDIR /opt/ferkit
COPY . .
RUN npm run setup -- --accelerator "$ACCELERATOR" --weights "$WEIGHTS" \
  && rm -rf ~/.npm ~/.cache/pip "$FERKIT_CACHE/downloads"

# The result: no caches of npm and pip, no sources outside of the clone, no root.
FROM tools
COPY --from=set-up --chown=node:node /opt/ferkit-cache /opt/ferkit-cache
COPY --from=set-up --chown=node:node /opt/ferkit /opt/ferkit
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER node
WORKDIR /opt/ferkit
EXPOSE 8888
ENTRYPOINT ["node", "/opt/ferkit/scripts/ferkit.cjs"]
CMD ["--help"]
