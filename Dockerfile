# syntax=docker/dockerfile:1
# Two stages: the first installs from hashed requirements, the second carries only Python and the result.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
WORKDIR /src
RUN python -m venv /opt/registry
COPY requirements.txt ./
RUN /opt/registry/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt
COPY . ./
RUN /opt/registry/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Registry" \
      org.opencontainers.image.description="A protected-records registry with access auditing" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/registry --shell /usr/sbin/nologin registry \
 && install -d -o registry -g registry -m 0700 /var/lib/registry
COPY --from=build /opt/registry /opt/registry
ENV PATH=/opt/registry/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    REGISTRY_HOME=/var/lib/registry
USER 10001:10001
WORKDIR /var/lib/registry
VOLUME ["/var/lib/registry"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# The image has no curl; Python asks the readiness page.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["registry"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
