# One image for every process of Sojourn: `sojourn api`, `sojourn worker`, `sojourn migrate`.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/sojourn
WORKDIR /build
# The locks first: a change of code alone installs nothing anew.
COPY locks/production.txt locks/production.txt
RUN /opt/sojourn/bin/pip install --require-hashes -r locks/production.txt
COPY . .
RUN /opt/sojourn/bin/pip install --no-deps . && /opt/sojourn/bin/pip check

FROM python:3.11-slim
ENV PATH=/opt/sojourn/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --system --no-create-home --uid 10001 sojourn
COPY --from=build /opt/sojourn /opt/sojourn
USER sojourn
WORKDIR /opt/sojourn
EXPOSE 8000
CMD ["sojourn", "api"]
