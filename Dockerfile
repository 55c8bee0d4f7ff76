# AnyStory in a container:   docker build -t anystory . && docker run -p 7860:7860 anystory
# With an NVIDIA card:       docker run --gpus all -p 7860:7860 anystory --backend klein --download
# Smaller, for CPUs only:    docker build --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu …
# With Ray, say:             docker build --build-arg EXTRAS=ray …
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY pyproject.toml setup.py LICENSE README.md ./
COPY assets assets
COPY anystory anystory
COPY ui ui
RUN pip wheel --no-deps --wheel-dir /wheel .

FROM python:3.11-slim
ARG PIP_EXTRA_INDEX_URL
ARG EXTRAS
RUN useradd --create-home --uid 1000 user
# The wheel stays in its stage and pip's downloads in a cache: neither is in the image, and a rebuild fetches nothing anew.
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel --mount=type=cache,target=/root/.cache/pip \
    pip install "$(echo /wheel/*.whl)${EXTRAS:+[$EXTRAS]}"

USER user
WORKDIR /home/user
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/')"]
ENTRYPOINT ["anystory", "app"]
