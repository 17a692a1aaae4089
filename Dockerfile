# The whole chain on CPUs: docker build --tag fgunet .   docs/containers.md tells how to run it.
FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3.11 tini \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/fgunet

# Horovod is compiled here; no compiler goes further.
FROM base AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make python3.11-dev python3.11-venv \
    && rm -rf /var/lib/apt/lists/*
# No more than the environment depends on, so that a change of the code does not make it anew.
COPY Makefile pyproject.toml requirements.lock README.md LICENSE ./
COPY fgunet/__init__.py fgunet/
RUN make setup

FROM base
COPY --from=build /opt/fgunet/.venv .venv
COPY . .
# Any user may run it (--user), also one without a home or a name.
ENV PATH=/opt/fgunet/.venv/bin:$PATH HOME=/tmp LOGNAME=fgunet
USER 1000:1000
ENTRYPOINT ["tini", "-s", "--"]
CMD ["snakemake", "--help"]
