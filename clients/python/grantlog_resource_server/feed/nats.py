"""The news out of the stream that the issuer relays its log to. The messages say which came before each; the watermarks, which the issuer signs,
say how far they are all."""

import asyncio
import json
import logging
import time

import jwt
import nats as nats_py
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, DeliverPolicy

from ..refusal import Unavailable
from .broken import Broken, Interrupted
from .chain import Chain, Mark

log = logging.getLogger(__name__)

# The media type in the header of a watermark.
TYP = "grantlog-watermark+jwt"
# How often it looks whether something should have come, in seconds.
LOOK = 0.5


def listen(running):
    """Listens where it had got to, until the connection ends."""
    try:
        asyncio.run(Listening(running).listen())
    except (NatsError, OSError, asyncio.TimeoutError) as error:
        raise Interrupted(repr(error)) from error


class Listening:
    def __init__(self, running):
        self.running, self.settings, self.nats = running, running.settings, running.settings.nats
        self.epoch, position = running.knowledge.place()
        self.chain = Chain(position)
        # When the last watermark was signed.
        self.signed_at = 0
        # Why it ends; set by whoever notices.
        self.ended = None

    async def listen(self):
        connection = await nats_py.connect(
            self.nats.servers,
            **{"name": "grantlog resource server", "connect_timeout": 2, **self.nats.options},
            allow_reconnect=False,
            closed_cb=self._closed,
            error_cb=self._failed,
        )
        try:
            await connection.subscribe(f"{self.nats.prefix}.watermark", cb=self._guarded(self._mark))
            config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self.chain.position + 1)
            await connection.jetstream().subscribe(
                f"{self.nats.prefix}.revocation.>",
                stream=self.nats.stream,
                config=config,
                ordered_consumer=True,
                cb=self._guarded(self._message),
            )
            while self.ended is None and not self.running.stopped.is_set():
                await asyncio.sleep(LOOK)
                self.chain.check(time.monotonic())
                await asyncio.to_thread(self.running.keys.keep_fresh)
        finally:
            await connection.close()
        if self.ended is not None:
            raise self.ended

    async def _closed(self):
        self.ended = self.ended or Interrupted("the connection ended")

    async def _failed(self, error):
        log.info("NATS: %r", error)

    def _guarded(self, take):
        """A callback's error would end in the library's log."""

        async def taking(message):
            if self.ended is None:
                try:
                    await take(message)
                except Broken as broken:
                    self.running.knowledge.doubt()
                    self.ended = broken

        return taking

    async def _message(self, message):
        try:
            told = json.loads(message.data)
            ours = told["source"] == self.settings.issuer and told["epoch"] == self.epoch
            position, prev = int(told["position"]), int(told["prev"])
            if not ours or position != message.metadata.sequence.stream:
                raise Broken("the log was restored, or is another")
            if self.chain.message(position, prev):
                self.running.knowledge.learn(told["data"], position)
                self._settle()
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(f"a message cannot be read: {error!r}") from error

    async def _mark(self, message):
        """A watermark that the issuer did not sign, or a while ago, or that comes again, says nothing."""
        received = time.monotonic()
        told = await asyncio.to_thread(self._verified, message.data)
        if told is None:
            return
        if abs(time.time() - told["iat"]) > self.settings.leeway + self.settings.cut_off_after:
            log.warning("a watermark is of another time: are the clocks right?")
            return
        if told["iat"] <= self.signed_at:
            return
        self.signed_at = told["iat"]
        if told["epoch"] != self.epoch:
            raise Broken("the log was restored, or is another")
        self.chain.mark(Mark(received, told["position"], told["revocation"], told["head"]))
        self._settle()

    def _settle(self):
        whole = self.chain.settle()
        self.running.knowledge.reach(self.chain.position)
        if whole is not None:
            self.running.knowledge.confirm(whole)

    def _verified(self, token):
        try:
            header = jwt.get_unverified_header(token)
            key = self.running.keys.find(header["kid"]) if header.get("typ") == TYP else None
            if key is None:
                return None
            required = {"require": ["iss", "iat", "epoch", "position", "head", "revocation"], "verify_exp": False, "verify_iat": False}
            return jwt.decode(token, key, algorithms=[key.algorithm_name], issuer=self.settings.issuer, options=required)
        except (jwt.PyJWTError, KeyError, Unavailable):
            return None
