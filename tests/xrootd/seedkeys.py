"""Puts the issuer's keys into the key cache of the SciTokens library.

    seedkeys.py CACHE_HOME ISSUER_URL JWKS_FILE

The plugin of XRootD 5.5 trusts only the system's CA bundle when it fetches keys and has no setting for it, so it could
never fetch from an issuer whose certificate comes from a CA of our own.
"""
import json
import os
import sqlite3
import sys

home, issuer, jwks = sys.argv[1:]
os.makedirs(os.path.join(home, "scitokens"), mode=0o700, exist_ok=True)
with open(jwks) as file:
    never = 4102444800  # in the year 2100
    row = json.dumps({"jwks": json.load(file), "expires": never, "next_update": never})
cache = sqlite3.connect(os.path.join(home, "scitokens", "scitokens_cpp.sqllite"))
cache.execute("CREATE TABLE IF NOT EXISTS keycache (issuer text UNIQUE PRIMARY KEY NOT NULL,keys text NOT NULL)")
cache.execute("REPLACE INTO keycache VALUES (?,?)", (issuer, row))
cache.commit()
