# Build: docker build -t reminder .
# Run:   docker run -d --name reminder --restart unless-stopped \
#          -v /srv/reminder:/srv/reminder reminder
# /srv/reminder holds config/ (settings, people, calendar), data/ (plans) and var/ (the database).
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY reminder ./reminder
COPY config ./config
COPY data ./data
RUN python -m venv /opt/reminder \
 && /opt/reminder/bin/pip install --no-cache-dir -r requirements.lock \
 && /opt/reminder/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home reminder \
 && mkdir -p /srv/reminder/var && chown -R reminder /srv/reminder
COPY --from=build /opt/reminder /opt/reminder
USER reminder
WORKDIR /srv/reminder
VOLUME /srv/reminder
ENV PATH=/opt/reminder/bin:$PATH PYTHONUNBUFFERED=1
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s CMD ["reminder", "status"]
STOPSIGNAL SIGTERM
CMD ["reminder", "run"]
