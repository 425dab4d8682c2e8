"""gunicorn behind nginx, on a unix socket."""
import os

bind = os.environ.get("GUNICORN_BIND", "unix:/run/cvd/gunicorn.sock")
workers = int(os.environ.get("GUNICORN_WORKERS", "2"))
umask = 0o007
timeout = 30
graceful_timeout = 8
accesslog = "/opt/cvd/logs/access.log"
errorlog = "-"
# nginx alone can reach the socket, so what it says of the client is true.
forwarded_allow_ips = "*"
