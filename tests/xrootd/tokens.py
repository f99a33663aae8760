"""JSON web tokens of the test issuer, signed with ES256 by the openssl command.

    tokens.py ISSUER_DIR --set                 the ready-made ones, a line "TOKEN_NAME=…" each
    tokens.py ISSUER_DIR [--scope S] [--expires SECONDS] [--not-before SECONDS] [--subject S] [--audience A]
                         [--issuer URL] [--profile wlcg|scitokens] [--bad-signature]
"""
import argparse
import base64
import json
import os
import subprocess
import time

ANY_AUDIENCE = "https://wlcg.cern.ch/jwt/v1/any"
ALL = "storage.read:/ storage.modify:/ storage.create:/"
DAY = 86400
READY_MADE = {
    "READ": [],
    "WRITE": ["--scope", ALL],
    "CREATE_ONLY": ["--scope", "storage.create:/"],
    "SUBDIR": ["--scope", "storage.read:/sub storage.modify:/sub"],
    "EXPIRED": ["--scope", ALL, "--expires=-600", "--not-before=-7200"],
    "NOT_YET": ["--scope", ALL, "--not-before", "7200"],
    "WRONG_SCOPE": ["--scope", "compute.read compute.create"],
    "WRONG_ISSUER": ["--scope", ALL, "--issuer", "https://issuer.invalid"],
    "WRONG_AUDIENCE": ["--scope", ALL, "--audience", "https://other.invalid"],
    "BAD_SIGNATURE": ["--scope", ALL, "--bad-signature"],
}

parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("--set", action="store_true")
parser.add_argument("--scope", default="storage.read:/")
parser.add_argument("--expires", type=int, default=DAY)
parser.add_argument("--not-before", type=int, default=-5)
parser.add_argument("--subject", default="tester")
parser.add_argument("--audience", default=ANY_AUDIENCE)
parser.add_argument("--issuer")
parser.add_argument("--profile", choices=["wlcg", "scitokens"], default="wlcg")
parser.add_argument("--bad-signature", action="store_true")


def read(directory, name):
    with open(os.path.join(directory, name)) as file:
        return file.read().strip()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(message, key):
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, "-binary"],
                         input=message, stdout=subprocess.PIPE, check=True).stdout
    # The DER is "30 len 02 len r 02 len s"; a token wants r and s as 32 bytes each (RFC 7518 3.4).
    at, signature = 2, b""
    for _ in range(2):
        length = der[at + 1]
        signature += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + length
    return signature


def token(options):
    now = int(time.time())
    claims = {"wlcg.ver": "1.0"} if options.profile == "wlcg" else {"ver": "scitoken:2.0"}
    claims.update(
        iss=options.issuer or read(options.directory, "url"), aud=options.audience, sub=options.subject,
        scope=options.scope, jti=os.urandom(16).hex(), iat=now + min(options.not_before, options.expires, 0),
        nbf=now + options.not_before, exp=now + options.expires)
    header = {"alg": "ES256", "kid": read(options.directory, "kid"), "typ": "JWT"}
    message = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    signature = sign(message.encode(), os.path.join(options.directory, "key.pem"))
    if options.bad_signature:
        signature = bytes([signature[0] ^ 1]) + signature[1:]
    return message + "." + base64url(signature)


arguments = parser.parse_args()
if arguments.set:
    for name, details in READY_MADE.items():
        print("TOKEN_%s=%s" % (name, token(parser.parse_args([arguments.directory] + details))))
else:
    print(token(arguments))
