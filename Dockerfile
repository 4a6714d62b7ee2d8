# The worker and every other command of `stream`. Build: docker build -t customer-stream .
FROM python:3.11-slim AS build
WORKDIR /build
RUN python3 -m venv /opt/venv
# demo.lock: also the data set of `stream demo`, and what fits models
ARG LOCK=requirements.lock
COPY deploy/${LOCK} ./
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r ${LOCK} \
    && /opt/venv/bin/pip uninstall --quiet --yes pip setuptools
COPY stream /app/stream
RUN /opt/venv/bin/python -m compileall -q /app

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin stream \
    && mkdir -p /var/lib/stream && chown 10001:10001 /var/lib/stream
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STREAM_DATA_DIR=/var/lib/stream STREAM_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/stream
VOLUME /var/lib/stream
EXPOSE 6066
# The worker's own answer; a command that serves nothing (topics, replay) ends before it is asked.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('STREAM_HTTP_PORT', '6066') + '/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "stream"]
CMD ["--help"]
