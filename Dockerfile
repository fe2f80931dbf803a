# Headroom as one image with three uses: `server` (the default), `worker` and `migrate`; any other argument is a command
# of `headroom`, such as `verify`. It needs a PostgreSQL server (HEADROOM_DATABASE_URL) and writes nothing to its own file
# system. docs/operating.md tells how it is run.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
COPY deploy/container/build.sh deploy/container/
# The dependencies change seldom, the program often: a layer each.
RUN sh deploy/container/build.sh dependencies /opt/headroom
COPY pyproject.toml README.md ./
COPY app app
COPY migrations migrations
RUN sh deploy/container/build.sh program /opt/headroom

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="Headroom" \
      org.opencontainers.image.description="Decides, before goods leave the warehouse, whether a business customer may take them on credit."
RUN groupadd --gid 10001 headroom \
 && useradd --uid 10001 --gid headroom --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin headroom
COPY --from=build /opt/headroom /opt/headroom
COPY --chmod=0755 deploy/container/entrypoint.sh deploy/container/healthcheck.py /opt/headroom/bin/
# Server and worker answer on the same port, each in a container of its own, so that one health check fits both.
ENV PATH=/opt/headroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEADROOM_HOST=0.0.0.0 \
    HEADROOM_PORT=8000 \
    HEADROOM_WORKER_PORT=8000 \
    HEADROOM_LOG_FORMAT=json
USER 10001:10001
WORKDIR /
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python", "/opt/headroom/bin/healthcheck.py"]
ENTRYPOINT ["/opt/headroom/bin/entrypoint.sh"]
CMD ["server"]
