FROM python:3.13-slim

# The drivers that the image has; see docs/engines.md for all of them.
ARG EXTRAS=mysql

WORKDIR /srv
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY adapters adapters
COPY emulator emulator
COPY config config
RUN pip install --no-cache-dir -c constraints.txt -e ".[$EXTRAS]" \
    && useradd --system --home-dir /srv connector \
    && mkdir var && chown connector var

USER connector
EXPOSE 8000
# Running answers have half a minute to finish: let the container have more before it is killed.
CMD ["gunicorn", "-c", "config/gunicorn.conf.py"]
