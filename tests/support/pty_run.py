"""pty_run.py - runs a program on a terminal of its own and types at it, for the tests of the prompt.

usage: python3 pty_run.py PROGRAM [ARGUMENT...] <KEYS

A line of KEYS is `send TEXT` (with \\r, \\x03 and the like), or `expect TEXT`, which waits until the terminal has
shown TEXT after what was last waited for, or `resize LINES COLUMNS`. Ctrl-D is typed at the end, again and again
until the program has ended.
What the terminal showed is printed; the status is that of the program, or 99 with a sentence if something
expected did not come.
SPDX-License-Identifier: MIT
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

SECONDS = 10  # for one `expect`, and for the program to end
PAUSE = 0.05  # an editor shows its prompt a little before it makes the terminal its own


def main():
    keys = sys.stdin.read().splitlines()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execvp(sys.argv[1], sys.argv[1:])
    shown, place = "", 0

    def read_some(until):
        nonlocal shown
        ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
        try:
            piece = os.read(terminal, 65536) if ready else b""
        except OSError:  # the program has ended
            piece = b""
        shown += piece.decode(errors="replace")
        return bool(piece)

    for line in keys:
        what, _, text = line.partition(" ")
        if what == "resize":
            lines, columns = (int(word) for word in text.split())
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            continue
        text = text.encode().decode("unicode_escape").encode("latin-1").decode()
        if what == "send":
            time.sleep(PAUSE)
            os.write(terminal, text.encode())
            continue
        until = time.monotonic() + SECONDS
        while shown.find(text, place) < 0:
            if not read_some(until):
                print(shown)
                print(f"did not come: {text!r}")
                os.kill(pid, 9)
                sys.exit(99)
        place = shown.find(text, place) + len(text)
    until = time.monotonic() + SECONDS
    while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
        if time.monotonic() > until:
            print(shown, "did not end")
            os.kill(pid, 9)
            sys.exit(99)
        time.sleep(PAUSE)
        try:
            os.write(terminal, b"\x04")
        except OSError:  # it has just ended
            pass
        read_some(time.monotonic() + 5 * PAUSE)
    while read_some(time.monotonic() + PAUSE):
        pass
    print(shown)
    sys.exit(os.waitstatus_to_exitcode(ended[1]))


main()
