"""A serial line without hardware: opens a pseudo terminal and carries bytes between its far end and this program's
stdin and stdout. What it says is framed, so that a change of speed stands in its place between the bytes: a letter
(P path, S speed, D data), a length of two bytes, and so many bytes."""
import os
import pty
import select
import struct
import termios
import tty


def say(kind, data):
    os.write(1, kind + struct.pack(">H", len(data)) + data)


SPEEDS = {getattr(termios, name): name[1:] for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}

master, slave = pty.openpty()
tty.setraw(slave)
say(b"P", os.ttyname(slave).encode())
speed = None
while True:
    ready, _, _ = select.select([master, 0], [], [], 0.02)
    now = termios.tcgetattr(master)[5]
    if now != speed:
        speed = now
        say(b"S", SPEEDS.get(now, "0").encode())
    if master in ready:
        say(b"D", os.read(master, 4096))
    if 0 in ready:
        data = os.read(0, 4096)
        if not data:
            break
        while data:
            data = data[os.write(master, data):]
