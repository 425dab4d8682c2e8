"""Stands between the controller and the hosts that will fail, and makes them: a thread of its own with one loop.

refused  nobody listens, and what was open is reset        dropped  packets get no answer at all
mute     connections are taken and nothing is ever said    silent   logins work, the runner never says a word
cut      the runner dies in the middle of its reply        slow     what the host says comes seconds later"""
import asyncio
import os
import socket
import threading

from machine import FAULT_PORT, SSHD_PORT, address

LOGIN_BYTES = 2500  # of what sshd says up to the login: a slow host is slow to reply, not to log in to


class Faults:
    def __init__(self, machine, delay=3.0):
        self.machine, self.delay = machine, delay
        self.state = {number: "well" for number in machine.faulty}
        self.listeners, self.open = {}, {number: set() for number in machine.faulty}
        self.fillers = {}
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        for number in machine.faulty:
            self.call(self.listen(number))

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def make(self, number, how):
        """From now on the host is like that; "well" ends it."""
        if how in ("silent", "cut"):
            self.machine.write(f"faults/{address(number)}", how + "\n")
        elif os.path.exists(f"{self.machine.folder}/faults/{address(number)}"):
            os.unlink(f"{self.machine.folder}/faults/{address(number)}")
        self.call(self.change(number, how))

    async def change(self, number, how):
        self.state[number] = how
        for filler in self.fillers.pop(number, []):
            filler.close()
        if how in ("refused", "silent", "cut", "well"):
            for writer in list(self.open[number]):
                writer.transport.abort()
        if how in ("refused", "dropped") and number in self.listeners:
            self.listeners.pop(number).close()
        if how not in ("refused", "dropped") and number not in self.listeners:
            await self.listen(number)
        if how == "dropped":
            self.fillers[number] = self.fill(number)

    async def listen(self, number):
        self.listeners[number] = await asyncio.start_server(
            lambda reader, writer: self.carry(number, reader, writer), address(number), FAULT_PORT)

    @staticmethod
    def fill(number):
        """A listener whose queue is full: the kernel drops what comes then."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address(number), FAULT_PORT))
        listener.listen(0)
        sockets = [listener]
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex((address(number), FAULT_PORT))
            sockets.append(one)
        return sockets

    async def carry(self, number, reader, writer):
        # sshd tells the login which address was called; from here it is the one that calls.
        upstream = None
        self.open[number].add(writer)
        try:
            if self.state[number] == "mute":
                await asyncio.sleep(1_000_000)
            upstream = await asyncio.open_connection(address(number), SSHD_PORT)
            self.open[number].add(upstream[1])
            await asyncio.gather(self.pump(number, reader, upstream[1], False),
                                 self.pump(number, upstream[0], writer, True))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for one in [writer] + ([upstream[1]] if upstream else []):
                self.open[number].discard(one)
                one.close()

    async def pump(self, number, reader, writer, answers):
        said = 0
        while data := await reader.read(65536):
            said += len(data)
            while self.state[number] in ("dropped", "mute"):
                await asyncio.sleep(0.2)
            if answers and self.state[number] == "slow" and said > LOGIN_BYTES:
                await asyncio.sleep(self.delay)
            writer.write(data)
            await writer.drain()
        writer.close()
