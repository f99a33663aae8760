"""A token issuer: serves the discovery document and the keys over HTTPS, on the socket handed over by launch.py.

    issuer.py JWKS_FILE CERTIFICATE KEY
"""
import http.server
import json
import socket
import ssl
import sys

jwks, certificate, key = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)
listener = socket.socket(fileno=3)
url = "https://localhost:%d" % listener.getsockname()[1]
with open(jwks, "rb") as file:
    documents = {
        "/.well-known/issuer.jwks": file.read(),
        "/.well-known/openid-configuration": json.dumps(
            {"issuer": url, "jwks_uri": url + "/.well-known/issuer.jwks"}).encode(),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        # The handshake belongs in the connection's own thread: a silent client must not hold up the others.
        self.request = tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self):
        body = documents.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        print("%s: %r" % (client_address, sys.exc_info()[1]), file=sys.stderr, flush=True)


server = Server(listener.getsockname(), Handler, bind_and_activate=False)
server.socket.close()
server.socket = listener
server.server_activate()
print("issuer initialization completed", flush=True)
server.serve_forever()
