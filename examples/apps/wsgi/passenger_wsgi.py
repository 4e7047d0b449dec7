"""A WSGI application for serve_wsgi.c: "/" says who answers, "/crash" ends its process in the middle of the request."""
import os
import signal


def application(environ, start_response):
    if environ["PATH_INFO"] == "/crash":
        os.kill(os.getpid(), signal.SIGKILL)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} answers {environ['PATH_INFO']}\n".encode()]
