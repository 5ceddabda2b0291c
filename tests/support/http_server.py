"""http_server.py - a server of files for the tests of downloads, with the faults that networks have.

usage: python3 http_server.py FOLDER        serves FOLDER/files until its standard input ends

Writes its port to FOLDER/port and a line "path range" for each request to FOLDER/requests. The first part of a
path says how a file is sent: /plain/F as asked, with ranges; /norange/F whole, whatever is asked; /cut/N/F at most
N bytes a connection, though more are promised; /short/N/F only the first N bytes, as if that were all; /stall/N/F
N bytes, then nothing, as long as FOLDER/stall exists; /moved/F a redirection to /plain/F.
SPDX-License-Identifier: MIT
"""
import http.server
import os
import re
import sys
import threading
import time

folder = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        with open(folder + "/requests", "a") as log:
            log.write("%s %s\n" % (self.path, self.headers.get("Range", "whole")))
        match = re.fullmatch(r"/(\w+)(?:/(\d+))?/([\w.]+)", self.path)
        path = folder + "/files/" + match.group(3) if match else ""
        if not os.path.isfile(path):
            self.send_error(404)
            return
        how, n, name = match.groups()
        with open(path, "rb") as file:
            body = file.read()
        if how == "moved":
            self.send_response(302)
            self.send_header("Location", "/plain/" + name)
            self.end_headers()
        else:
            self.answer(how, int(n or 0), body)

    def answer(self, how, n, body):
        if how == "short":
            body = body[:n]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(asked.group(1)) if asked and how != "norange" else 0
        if asked and first >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(body) - 1, len(body)))
        self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        stalls = how == "stall" and os.path.exists(folder + "/stall")
        self.wfile.write(body[first:first + n] if how == "cut" or stalls else body[first:])
        self.wfile.flush()
        while stalls and os.path.exists(folder + "/stall"):
            time.sleep(0.05)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(folder + "/port.new", "w") as port:
    port.write(str(server.server_address[1]))
os.rename(folder + "/port.new", folder + "/port")
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
