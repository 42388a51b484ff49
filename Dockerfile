# Build: docker build -t reminder .
# Run:   docker run -d --name reminder --restart unless-stopped \
#          -v /srv/reminder:/srv/reminder reminder
# /srv/reminder holds config/ (settings, people, calendar), data/ (plans) and var/ (the database); it
# belongs to user 10001. docs/operations.md goes through it step by step.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/reminder
COPY requirements-postgres.lock ./
RUN /opt/reminder/bin/pip install --no-cache-dir -r requirements-postgres.lock
COPY pyproject.toml README.md LICENSE ./
COPY reminder ./reminder
COPY config ./config
COPY data ./data
RUN /opt/reminder/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
# pg_dump, pg_restore and psql make and put back copies of PostgreSQL.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home reminder \
 && mkdir -p /srv/reminder/var && chown -R reminder:reminder /srv/reminder \
 && chmod 700 /srv/reminder/var
COPY --from=build /opt/reminder /opt/reminder
USER reminder
WORKDIR /srv/reminder
VOLUME /srv/reminder
ENV PATH=/opt/reminder/bin:$PATH PYTHONUNBUFFERED=1 \
    REMINDER_WATCH__LISTEN=127.0.0.1:9464
# 200 only while ticks are written down, messages looked for, and Telegram's polls answered.
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/healthz', timeout=5)"]
STOPSIGNAL SIGTERM
CMD ["reminder", "run"]
