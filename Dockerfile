# AnyStory in a container:   docker build -t anystory . && docker run -p 7860:7860 anystory
# With an NVIDIA card:       docker run --gpus all -p 7860:7860 anystory --backend flux
# Smaller, for CPUs only:    docker build --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu …
FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL
RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

# The libraries alone first, without those of the tests: they change seldom.
COPY requirements.txt .
RUN sed '/^# The test suite/,$d' requirements.txt > used.txt && pip install --no-cache-dir -r used.txt

COPY LICENSE README.md app.py ./
COPY assets assets
COPY anystory anystory
COPY ui ui

USER user
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/')"]
ENTRYPOINT ["python", "app.py"]
