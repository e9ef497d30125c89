# The tag follows Python's and Debian's fixes. To pin a build for good, add the digest:
# --build-arg PYTHON=3.13-slim-trixie@sha256:…
ARG PYTHON=3.13-slim-trixie

FROM docker.io/library/python:${PYTHON} AS build
WORKDIR /build
# Two environments: one that installs, and the one that is shipped, without pip.
RUN python3 -m venv installer && python3 -m venv --without-pip /opt/pattern-sync
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    SOURCE_DATE_EPOCH=315532800
COPY requirements requirements
RUN installer/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/build.txt \
    && installer/bin/pip --python /opt/pattern-sync install --no-cache-dir --no-compile --no-deps --only-binary :all: \
        --require-hashes --requirement requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY sql sql
COPY daemon daemon
# The daemon may write nowhere, so all bytecode is made here. Unchecked: it never depends on the time of a build.
RUN installer/bin/hatchling build --target wheel \
    && installer/bin/pip --python /opt/pattern-sync install --no-cache-dir --no-compile --no-deps --no-index dist/*.whl \
    && /opt/pattern-sync/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/pattern-sync/lib
COPY containers/probe.py /opt/pattern-sync/bin/probe

FROM docker.io/library/python:${PYTHON}
ARG PYTHON
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Pattern Sync" \
      org.opencontainers.image.description="Puts every operation pattern worth automating into the review queue." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/pattern-sync/pattern-sync" \
      org.opencontainers.image.base.name="docker.io/library/python:${PYTHON}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/pattern-sync /opt/pattern-sync
# The base has no bytecode of the standard library, and nobody may write any later: a third of a start would be compiling.
RUN /opt/pattern-sync/bin/python -c "import pattern_sync.cli.main, pattern_sync.runtime.assembly, pattern_sync.service"
# Others reach a container at its own address only, so it cannot serve on loopback; the daemon then insists on a token.
# On a fatal signal, PYTHONFAULTHANDLER leaves the stack in the log.
ENV PATH=/opt/pattern-sync/bin:$PATH \
    PYTHONFAULTHANDLER=1 \
    PATTERN_SYNC_HTTP_HOST=0.0.0.0 \
    PATTERN_SYNC_HTTP_PORT=8002
# Any other user will do as well, also one that /etc/passwd does not have.
USER 10001:10001
EXPOSE 8002
STOPSIGNAL SIGTERM
# Alive, not ready: where an unhealthy container is restarted, a database that is away must not restart the daemon.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["probe", "/livez"]
ENTRYPOINT ["pattern-sync"]
CMD ["run"]
