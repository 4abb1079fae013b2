"""A serial line without hardware: opens a pseudo terminal, says its path on the first line of stdout, then carries
bytes between its far end and this program's stdin and stdout. Speed changes of the near end are told on stderr."""
import os
import pty
import select
import sys
import termios
import tty

master, slave = pty.openpty()
tty.setraw(slave)
sys.stdout.write(os.ttyname(slave) + "\n")
sys.stdout.flush()
speed = None
while True:
    ready, _, _ = select.select([master, 0], [], [], 0.02)
    now = termios.tcgetattr(master)[5]
    if now != speed:
        speed = now
        names = [name for name in dir(termios) if name[0] == "B" and name[1:].isdigit() and getattr(termios, name) == now]
        sys.stderr.write((names[0][1:] if names else "0") + "\n")
        sys.stderr.flush()
    if master in ready:
        data = os.read(master, 4096)
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 4096)
        if not data:
            break
        while data:
            data = data[os.write(master, data):]
